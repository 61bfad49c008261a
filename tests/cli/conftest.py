"""`controlplane …`, in this process or in one of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from batchpatch import edits_from_stdlib
from typer.testing import CliRunner, Result

from controlplane import ControlPlane
from controlplane.cli import app
from tests.journeys.traffic import ENGINEER, FLAG, batch

PROGRAM = [sys.executable, "-c", "from controlplane.cli import app; app(prog_name='controlplane')"]


@dataclass
class Terminal:
    """A shell in an empty folder, with a database in it."""

    folder: Path

    @property
    def database(self) -> str:
        return f"sqlite:///{self.folder / 'terminal.db'}"

    def run(self, *words: str, **environment: str) -> Result:
        """Whatever comes of it."""
        return CliRunner(env=environment).invoke(app, ["--database", self.database, *words])

    def says(self, *words: str) -> str:
        """What it prints, having succeeded."""
        result = self.run(*words)
        assert (result.exit_code, result.stderr) == (0, ""), result.output
        return result.stdout

    def data(self, *words: str) -> Any:
        """What it prints with --json."""
        return json.loads(self.says(*words, "--json"))

    def refuses(self, *words: str, **environment: str) -> str:
        """The one line on standard error with which it refuses."""
        result = self.run(*words, **environment)
        assert isinstance(result.exception, SystemExit), repr(result.exception)
        assert (result.exit_code, result.stdout) == (1, "")
        (line,) = result.stderr.splitlines()
        assert line.startswith("error: ")
        return line.removeprefix("error: ")

    def serves(self, count: int = 200, **facts: Any) -> None:
        """The service runs so many batches on the new path."""
        with ControlPlane(self.database) as plane:
            plane.executions.record([batch(**facts) for _ in range(count)])

    def writes(self, plan: Any) -> str:
        """A plan file; its name."""
        (self.folder / "plan.yaml").write_text(json.dumps(plan))
        return "plan.yaml"

    def process(self, *words: str, **options: Any) -> subprocess.Popen[str]:
        """A process of its own, as a shell starts it."""
        options.setdefault("stdout", subprocess.PIPE)
        return subprocess.Popen(  # noqa: S603  why: our own program
            [*PROGRAM, "--database", self.database, *words],
            cwd=self.folder,
            env=os.environ | options.pop("env", {}),
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )


@pytest.fixture(autouse=True)
def _few_edits(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, refusals need not wait until a whole library has been compared."""
    few = edits_from_stdlib(3)
    module = import_module("controlplane.cli.workload")  # The package has a command of that name.
    monkeypatch.setattr(module, "edits", lambda *_: (few, "few edits"))


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONTROLPLANE_ACTOR", ENGINEER)
    return Terminal(tmp_path)


@pytest.fixture
def empty(terminal: Terminal) -> Terminal:
    """A database in which nothing happened."""
    terminal.says("db", "upgrade")
    return terminal


@pytest.fixture
def flagged(terminal: Terminal) -> Terminal:
    terminal.says("flags", "create", FLAG, "--owner", "patch-team")
    return terminal


@pytest.fixture
def running(flagged: Terminal) -> Terminal:
    """A rollout in wave 1."""
    flagged.says("rollouts", "start", FLAG)
    return flagged
