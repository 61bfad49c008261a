"""Servers that fork their workers: a child asks and tells as its parent does, and takes nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from controlplane import ControlPlane
from tests.client.conftest import FACTS, FLAG
from tests.client.standin import StandIn

PROGRAM = f"""
import os, sys, time, warnings
warnings.simplefilter("ignore")
from controlplane.client import Client

FACTS, FLAG = {FACTS!r}, {FLAG!r}

def until(true):
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.002)

def in_child(work):
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    return child

def ended(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

client = Client(sys.argv[1], directory=sys.argv[2] or None, send_every_seconds=0.01)
assert client.wait_until_ready(10, fresh=True)
"""
SEES_THE_KILL_SWITCH = """
def work():
    assert client.is_enabled(FLAG, "u")
    print("child", flush=True)
    until(lambda: not client.is_enabled(FLAG, "u"))
    assert client.status().connected

child = in_child(work)
assert ended(child) == 0
until(lambda: not client.is_enabled(FLAG, "u"))
"""
BOTH_RECORD = """
assert client.record(FACTS, unit="parent")

def work():
    assert client.status().accepted == 0
    for n in range(50):
        assert client.record(FACTS, unit="child")
    assert client.flush(20)

child = in_child(work)
for n in range(50):
    assert client.record(FACTS, unit="parent")
assert ended(child) == 0
assert client.flush(20)
"""
CHILD_IS_KILLED = """
import signal

def work():
    client._sender._every = 600
    assert client.record(FACTS, unit="child")
    os.kill(os.getpid(), signal.SIGKILL)

assert ended(in_child(work)) == -signal.SIGKILL
client.close()
Client(sys.argv[1], directory=sys.argv[2], send_every_seconds=600)
"""
GRANDCHILD = """
def work():
    assert ended(in_child(leaf)) == 0
    assert client.record(FACTS, unit="child")
    assert client.flush(20)

def leaf():
    assert client.is_enabled(FLAG, "u")
    assert client.record(FACTS, unit="grandchild")
    assert client.flush(20)

assert ended(in_child(work)) == 0
"""
UNSEEN = """
import ctypes

fork = ctypes.PyDLL(None).fork  # As a server in C may: no hook of Python's runs.
child = fork()
if child == 0:
    assert client.evaluate(FLAG, "u").enabled
    assert client.record(FACTS, unit="child")
    os._exit(0)
assert ended(child) == 0
assert client.record(FACTS, unit="parent")
assert client.flush(20)
client.close()
heir = Client(sys.argv[1], directory=sys.argv[2], send_every_seconds=0.01)
until(lambda: heir.flush(1) and heir.status().accepted >= 1)
"""
LOCKS_HELD = """
client._sender.spool._lock.acquire()
client._waking.acquire()

def work():
    assert client.record(FACTS, unit="child")
    assert client.is_enabled(FLAG, "u")
    assert client.flush(20)

child = in_child(work)
client._sender.spool._lock.release()
client._waking.release()
assert ended(child) == 0
"""
CLOSED = """
import logging
logging.disable()
client.close()

def work():
    assert client.is_enabled(FLAG, "u")
    assert not client.record(FACTS)
    import threading
    assert threading.active_count() == 1

assert ended(in_child(work)) == 0
"""
UNUSED = """
def work():
    import threading
    assert threading.active_count() == 1

child = in_child(work)
assert ended(child) == 0
"""


def runs(server: StandIn, body: str, directory: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603  why: our own words
        [sys.executable, "-c", PROGRAM + body, server.url, directory],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ends_well(process: "subprocess.Popen[str]") -> None:
    said, complained = process.communicate(timeout=60)
    assert (process.returncode, complained) == (0, ""), said


def units(plane: ControlPlane) -> list[str]:
    return sorted(e.event.unit for e in plane.events(type="execution.*"))  # type: ignore[attr-defined]  # why: executions alone are asked for


def test_a_forked_child_sees_the_kill_switch(
    server: StandIn, served: ControlPlane, tmp_path: Path
) -> None:
    process = runs(server, SEES_THE_KILL_SWITCH, str(tmp_path))
    assert process.stdout is not None
    assert process.stdout.readline() == "child\n"
    served.flags.disable(FLAG, actor="ana")
    ends_well(process)


@pytest.mark.parametrize("directory", [True, False])
def test_parent_and_child_each_send_what_they_recorded(
    server: StandIn, served: ControlPlane, tmp_path: Path, *, directory: bool
) -> None:
    ends_well(runs(server, BOTH_RECORD, str(tmp_path) if directory else ""))
    assert units(served) == ["child"] * 50 + ["parent"] * 51


def test_what_a_killed_child_left_is_sent_by_the_next(
    server: StandIn, served: ControlPlane, tmp_path: Path
) -> None:
    ends_well(runs(server, CHILD_IS_KILLED, str(tmp_path)))
    assert units(served) == ["child"]


@pytest.mark.parametrize(
    ("body", "recorded"),
    [
        (GRANDCHILD, ["child", "grandchild"]),
        (UNSEEN, ["child", "parent"]),
        (LOCKS_HELD, ["child"]),
        (CLOSED, []),
        (UNUSED, []),
    ],
    ids=["of a child", "from C", "while locks are held", "closed", "that asks nothing"],
)
def test_a_fork_is_survived(
    server: StandIn, served: ControlPlane, tmp_path: Path, body: str, recorded: list[str]
) -> None:
    ends_well(runs(server, body, str(tmp_path)))
    assert units(served) == recorded
