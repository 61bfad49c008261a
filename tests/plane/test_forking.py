"""Servers that fork their workers: a child follows the log as its parent does."""

import sys
from pathlib import Path
from subprocess import run

import pytest

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork")

PROGRAM = """
import os, sys, time, warnings
warnings.simplefilter("ignore")
from controlplane import ControlPlane

def on_until(seconds):
    end = time.monotonic() + seconds
    while plane.flags.is_enabled("f", "user-17"):
        if time.monotonic() > end:
            return True
        time.sleep(0.01)
    return False

plane = ControlPlane(sys.argv[1])
plane.flags.create("f", owner="o", actor="a")
plane.flags.enable("f", percentage=100, actor="a")
"""
FOLLOWED = 'assert plane.flags.is_enabled("f", "user-17")\n'
CLOSING_LOCK_HELD = FOLLOWED + "plane._snapshot._closed._cond.acquire()\n"
SWITCHED_OFF = """
child = os.fork()
if child == 0:
    ready = plane.flags.is_enabled("f", "user-17")
    os.write(told, b"x")
    os._exit(0 if ready and not on_until(2) else 1)
os.read(heard, 1)
{release}
plane.flags.disable("f", actor="a", reason="kill switch")
_, status = os.waitpid(child, 0)
assert not on_until(2), "the parent follows the log no more"
plane.close()
sys.exit(os.waitstatus_to_exitcode(status))
"""
RELEASE = "plane._snapshot._closed._cond.release()"


@pytest.mark.parametrize(
    ("before", "release"),
    [("", ""), (FOLLOWED, ""), (CLOSING_LOCK_HELD, RELEASE)],
    ids=["not asked before", "asked before", "while a thread holds a lock"],
)
def test_a_forked_child_sees_the_kill_switch(tmp_path: Path, before: str, release: str) -> None:
    pipe = "heard, told = os.pipe()\n"
    program = PROGRAM + before + pipe + SWITCHED_OFF.format(release=release)
    url = f"sqlite:///{tmp_path / 'rollout.db'}"
    done = run([sys.executable, "-c", program, url], check=False, capture_output=True, timeout=30)  # noqa: S603  why: ours
    assert (done.returncode, done.stderr) == (0, b"")


RECORDS = """
child = os.fork()
if child == 0:
    facts = {"flag": "f", "cohort": "on", "unit": "u", "outcome": "succeeded", "duration_us": 1}
    assert plane.executions.record(facts).accepted == 1
    os._exit(0 if plane.metrics.total("f").executions == 1 else 1)
_, status = os.waitpid(child, 0)
assert plane.metrics.total("f").executions == 1
plane.verify()
sys.exit(os.waitstatus_to_exitcode(status))
"""


def test_what_a_forked_child_records_its_parent_reads(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'rollout.db'}"
    program = [sys.executable, "-c", PROGRAM + FOLLOWED + RECORDS, url]
    done = run(program, check=False, capture_output=True, timeout=30)  # noqa: S603  why: ours
    assert (done.returncode, done.stderr) == (0, b"")
