"""What docs/http.md shows at a terminal works there, in its order, and answers as it shows."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from controlplane import ControlPlane, plans
from tests.house.sources import ROOT
from tests.http.listening import listening
from tests.plane.conftest import secret

PAGE = ROOT / "docs" / "http.md"
SHELL = shutil.which("bash")
STRICT = 'curl() { command curl -sS --fail-with-body "$@"; }; set -o pipefail; '
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)


def shown() -> list[tuple[str, list[str]]]:
    """Each command with curl, and the lines that it is shown to answer."""
    found: list[tuple[str, list[str]]] = []
    for block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.rstrip("\n").split("\n")
            if not lines[0].startswith("curl"):
                continue
            length = 1
            while lines[length - 1].endswith("\\"):
                length += 1
            if "<<'END'" in lines[0]:
                length = lines.index("END") + 1
            found.append(("\n".join(lines[:length]), lines[length:]))
    return found


@pytest.mark.skipif(SHELL is None or shutil.which("curl") is None, reason="without bash or curl")
def test_what_the_page_shows_works_as_it_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(shown()) > 30
    secret(monkeypatch)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    with ControlPlane("memory://") as plane, listening(plane) as server:
        for command, answer in shown():
            here = command.replace("localhost:9000", f"127.0.0.1:{server.port}")
            line = [str(SHELL), "-c", STRICT + here]
            done = subprocess.run(  # noqa: S603  why: our own page
                line, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            for told in answer:
                # Which position it is depends on what was asked before.
                expected = re.sub(r'"position": \d+', '"position": #', told).replace(" ", "")
                got = re.sub(r'"position":\d+', '"position":#', done.stdout.replace(" ", ""))
                assert expected in got, f"{command}\n{done.stdout}"
        assert plane.rollouts.get("batch-patches-v1-r1").wave_name == "wave 2"
        assert plane.rollouts.get("checkout-r1").wave_name == "wave 1"


def test_the_plan_that_it_uses_is_the_quick_one_with_an_approval_of_its_start() -> None:
    folder = ROOT / "examples" / "plans"
    quick, asking = plans.read(folder / "quick.yaml"), plans.read(folder / "quick.json")
    assert (quick.start.needed, asking.start.needed) == (0, 1)
    assert asking.waves == quick.waves
