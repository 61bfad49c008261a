"""docs/incident-walkthrough.md, made anew: `python -m tests.house.walkthrough` runs and writes it.

Every console block is run, in order, in one empty folder; what a command says follows it. A block
behind `<!-- player: WHAT at POSITION -->` is a picture of the player.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from io import StringIO
from pathlib import Path

from rich.console import Console
from typer.testing import CliRunner

from controlplane import ControlPlane
from controlplane.cli import app, output
from controlplane.cli.player import Player
from controlplane.cli.replay import _stops
from controlplane.cli.screen import screen
from tests.house.sources import ROOT

PAGE = ROOT / "docs" / "incident-walkthrough.md"
SHELL = shutil.which("bash")
WIDTH, HEIGHT = 118, 32
"""Of the player's terminal."""

_BLOCK = re.compile(
    r"```console\n(?P<shown>.*?)```"
    r"|<!-- player: (?P<of>\S+) at (?P<at>\d+) -->\n```text\n(?P<picture>.*?)```",
    re.DOTALL,
)
_NEEDS_A_SHELL = re.compile(r"[|<>;&#]|^(?!controlplane )")
_OURS = ("CONTROLPLANE_", "FORCE_COLOR")
"""Settings of whoever runs this, which are not the reader's."""
_VARIES = [
    re.compile(r"(?<=key )[0-9a-f]{16}"),
    re.compile(r'(?<="key": ")[0-9a-f]{16}'),
    re.compile(r'(?<="taken_at": )\d+'),
    re.compile(r'(?<="signature": ")[^"]+'),
]
"""What no two runs have in common: keys, and what they sign."""


class Terminal:
    """A shell in a folder of its own, with `python` and `controlplane` on its path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        main = "from controlplane.cli import app; app(prog_name='controlplane')"
        self._write("python", f'exec {shlex.quote(sys.executable)} "$@"')
        self._write("controlplane", f'exec {shlex.quote(sys.executable)} -c "{main}" "$@"')
        (folder / "examples").symlink_to(ROOT / "examples")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
        self.environment = kept | {
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'examples'}",
        }

    def _write(self, name: str, line: str) -> None:
        file = self.folder / "bin" / name
        file.write_text(f"#!/bin/sh\n{line}\n")
        file.chmod(0o755)

    def answer(self, command: str) -> str:
        """What it prints, wherever it prints it."""
        if command.startswith("export "):
            name, _, value = command.removeprefix("export ").partition("=")
            self.environment[name] = value
            return ""
        if not _NEEDS_A_SHELL.search(command):
            # In this process: a second less each.
            _, *words = shlex.split(command)
            with chdir(self.folder):
                return CliRunner(env=self.environment).invoke(app, words).output
        done = subprocess.run(  # noqa: S603  why: our own page
            [str(SHELL), "-o", "pipefail", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        return done.stdout

    def picture(self, of: str, position: int) -> str:
        """The player at an event."""
        url = self.environment["CONTROLPLANE_DATABASE_URL"]
        with chdir(self.folder), ControlPlane(url) as plane:
            found = plane.replay(of)
            stops = [*_stops(found, lambda *_: None)]
            player = Player(stops, zero=found.zero or stops[0].at)
            player.seek(position)
            scene = found.scene(found.history.log.read(player.stop.position - 1, 1)[0])
            shown = Console(file=StringIO(), width=WIDTH, height=HEIGHT)
            size = (WIDTH, HEIGHT)
            with shown.capture() as printed:
                shown.print(screen(player, scene, found.title, size))
        return printed.get()


@contextmanager
def terminal() -> Iterator[Terminal]:
    """One that leaves nothing behind."""
    width, output.console.width = output.console.width, 400
    with tempfile.TemporaryDirectory() as folder:
        yield Terminal(Path(folder).resolve())
    output.console.width = width


def recreated(page: str) -> str:
    """The page, with what its commands say now."""
    with terminal() as at:
        return _BLOCK.sub(lambda block: _run(at, block), page)


def _run(at: Terminal, block: re.Match[str]) -> str:
    if block["of"]:
        picture = _tidy(at.picture(block["of"], int(block["at"])))
        return block[0].replace(f"```text\n{block['picture']}```", f"```text\n{picture}```")
    told = []
    for part in re.split(r"^\$ ", block["shown"], flags=re.MULTILINE)[1:]:
        command, _, _ = part.partition("\n")
        told.append(f"$ {command}\n" + _tidy(at.answer(command)))
    return f"```console\n{''.join(told)}```"


def masked(text: str) -> str:
    """Without what varies by its nature."""
    for pattern in _VARIES:
        text = pattern.sub("…", text)
    return text


def _tidy(answer: str) -> str:
    return "".join(line.rstrip() + "\n" for line in answer.splitlines())


if __name__ == "__main__":
    before = PAGE.read_text(encoding="utf-8")
    now = recreated(before)
    if masked(now) != masked(before):
        PAGE.write_text(now, encoding="utf-8")
