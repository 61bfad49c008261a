"""Two schedulers on one database, in processes of their own: one looks, the other stands by."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path

from controlplane import ControlPlane
from controlplane.errors import LeaseLost
from controlplane.scheduler import Intervals, Scheduler
from events.timestamps import SECOND
from projections.alerts import Alert
from tests.cli.conftest import Terminal
from tests.conftest import only_sqlite
from tests.journeys.traffic import ENGINEER, FLAG, batch
from tests.plane.candidates import ACTS, act, out_of_turn, taken

OFTEN = Intervals(evaluation=0.1, alerts=0.1, projections=0.1)
LEASE_SECONDS = 1.5


class Looking:
    """In a process of its own: a scheduler whose looks leave a trace in the log."""

    def __init__(self, plane: ControlPlane, parent: Connection) -> None:
        self._plane, self._parent = plane, parent
        self._pause = threading.Event()
        plane.rollouts.evaluate_all = self._look  # type: ignore[assignment, method-assign]  # why: the look is watched
        self.scheduler = Scheduler(plane, OFTEN, lease_seconds=LEASE_SECONDS)

    def obey(self) -> None:
        """Tell the scheduler's name, and run until the parent is gone."""
        self.scheduler.start()
        self._parent.send(self.scheduler.holder)
        with suppress(EOFError):
            while self._parent.recv() == "pause":
                self._pause.set()
        self.scheduler.close()

    def _look(self) -> None:
        try:
            act(self._plane, self.scheduler.holder, self._perhaps_pause)
        except LeaseLost:
            self._parent.send("lost")
            raise

    def _perhaps_pause(self) -> None:
        """Between reading and appending, and with no other thread in a transaction.

        Paused within one, it would keep everybody out.
        """
        if self._pause.is_set():
            self._pause.clear()
            database, runner = self._plane._database, self._plane._core.runner
            assert database is not None
            with self.scheduler._candidate._lock, runner._lock, database._one_writer:
                # This very thread first: were it another one, this one might go on a little.
                signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def look(url: str, parent: Connection) -> None:
    with ControlPlane(url) as plane:
        Looking(plane, parent).obey()


@dataclass
class Process:
    handle: SpawnProcess
    pipe: Connection
    holder: str = ""


@contextmanager
def processes(url: str, count: int) -> Iterator[list[Process]]:
    """So many that look, or stand by."""
    context = get_context("spawn")
    with ExitStack() as stack:
        started = []
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = Process(context.Process(target=look, args=(url, theirs), daemon=True), ours)
            process.handle.start()
            theirs.close()
            stack.callback(process.handle.join)
            stack.callback(process.handle.kill)
            started.append(process)
        for process in started:
            assert process.pipe.poll(30)
            process.holder = process.pipe.recv()
        yield started


def seconds_until(true: Callable[[], bool], most: float = 20.0) -> float:
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < most
        time.sleep(0.01)
    return time.monotonic() - begun


def acts(plane: ControlPlane, holder: str) -> int:
    """How often this one has looked."""
    return len(plane.events(stream=ACTS, actor=holder, limit=10**6))


def in_charge(plane: ControlPlane, crowd: list[Process]) -> tuple[Process, Process]:
    """Who looks, and who stands by."""
    seconds_until(lambda: plane.schedule() is not None)
    schedule = plane.schedule()
    assert schedule is not None
    one, other = crowd if crowd[0].holder == schedule.holder else reversed(crowd)
    seconds_until(lambda: acts(plane, one.holder) > 0)
    return one, other


def test_where_the_one_that_looks_is_killed_the_other_looks_within_seconds(url: str) -> None:
    with ControlPlane(url) as plane, processes(url, 2) as crowd:
        one, other = in_charge(plane, crowd)
        assert acts(plane, other.holder) == 0
        one.handle.kill()
        assert seconds_until(lambda: acts(plane, other.holder) > 0) < LEASE_SECONDS + 4
        assert taken(plane) == [(one.holder, 1), (other.holder, 2)]
        schedule = plane.schedule()
        assert schedule is not None
        assert (schedule.holder, schedule.evaluates_every_us) == (other.holder, SECOND // 10)
        assert out_of_turn(plane) == []
        plane.verify()


def test_who_was_paused_in_the_middle_of_a_look_appends_nothing_more(url: str) -> None:
    with ControlPlane(url) as plane, processes(url, 2) as crowd:
        one, other = in_charge(plane, crowd)
        one.pipe.send("pause")
        assert seconds_until(lambda: acts(plane, other.holder) > 0) < LEASE_SECONDS + 4
        before = acts(plane, one.holder)
        assert one.handle.pid is not None
        os.kill(one.handle.pid, signal.SIGCONT)
        assert one.pipe.poll(10)
        assert one.pipe.recv() == "lost"
        more = acts(plane, other.holder) + 3
        seconds_until(lambda: acts(plane, other.holder) > more)
        assert acts(plane, one.holder) == before
        other.handle.kill()
        assert seconds_until(lambda: acts(plane, one.holder) > before) < LEASE_SECONDS + 4
        assert taken(plane) == [(one.holder, 1), (other.holder, 2), (one.holder, 3)]
        assert out_of_turn(plane) == []
        plane.verify()


@contextmanager
def schedulers(url: str, count: int) -> Iterator[list[Scheduler]]:
    """Each on a plane of its own, in this process; not started, and patient."""
    with ExitStack() as stack:
        planes = [stack.enter_context(ControlPlane(url)) for _ in range(count)]
        yield [Scheduler(plane, lease_seconds=600) for plane in planes]


def test_who_stops_in_good_order_keeps_nobody_waiting(url: str) -> None:
    with ControlPlane(url) as plane, schedulers(url, 3) as (one, other, next_):
        one.start()
        other.start()
        assert (one.holds_lease, other.holds_lease) == (True, False)
        one.close()
        assert not one.holds_lease
        assert plane.schedule() is None
        next_.start()
        assert next_.holds_lease
        for scheduler in (other, next_):
            scheduler.close()
        assert plane.schedule() is None
        assert [holder for holder, _ in taken(plane)] == [one.holder, next_.holder]


def test_who_takes_over_looks_at_once_and_who_stands_by_only_keeps_up(url: str) -> None:
    with ControlPlane(url) as plane, schedulers(url, 2) as (one, other):
        plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
        plane.flags.enable(FLAG, percentage=50, actor=ENGINEER)
        plane.executions.record([batch(failed=True) for _ in range(40)])
        one.start()  # Alert rules are due in 5 seconds.
        assert seconds_until(lambda: not plane.flags.get(FLAG).enabled) < 3
        other.start()
        one.close()
        for alert in plane.alerts.open():
            plane.alerts.resolve(alert.id, actor=ENGINEER, reason="mended")
        plane.flags.enable(FLAG, percentage=50, actor=ENGINEER)
        other._scheduler.modify_job("lease", next_run_time=None)
        plane.executions.record([batch(failed=True) for _ in range(40)])
        head = plane.head().position
        seconds_until(lambda: not any(lag.events for lag in plane.projections.lag()))
        assert plane.head().position == head
        other._renew()
        assert seconds_until(lambda: not plane.flags.get(FLAG).enabled) < 3
        other.close()


@only_sqlite
def test_a_slow_look_delays_no_renewal(url: str) -> None:
    with ControlPlane(url) as plane, ControlPlane(url) as watcher:
        done = threading.Event()

        def slow() -> list[Alert]:
            done.wait(5)
            return []

        plane.alerts.watch = slow  # type: ignore[method-assign]  # why: the look is slowed down
        scheduler = Scheduler(plane, lease_seconds=0.6)
        scheduler.start()
        end = time.monotonic() + 2
        while time.monotonic() < end:
            assert scheduler.holds_lease
            assert watcher.schedule() is not None
            time.sleep(0.05)
        done.set()
        scheduler.close()
        assert len(taken(watcher)) == 1


def test_two_that_serve_one_says_that_it_stands_by(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    with (
        ControlPlane(terminal.database) as plane,
        terminal.process("serve", "--port", "0", "--metrics-port", "0") as one,
    ):
        assert one.stdout is not None
        assert any("metrics at" in told for told in one.stdout)
        schedule = plane.schedule()
        assert schedule is not None
        with terminal.process("serve", "--port", "0", "--metrics-port", "0") as other:
            assert other.stdout is not None
            told = f"{schedule.holder} has the lease; this one stands by until it is free.\n"
            assert other.stdout.readline() == told
            assert "metrics at" in other.stdout.readline()
            one.send_signal(signal.SIGTERM)
            assert one.wait(10) == 0
            seconds_until(lambda: len(taken(plane)) > 1, 5)
            other.send_signal(signal.SIGTERM)
            assert other.wait(10) == 0
            assert other.stderr is not None
            assert other.stderr.read() == ""
        assert plane.schedule() is None
