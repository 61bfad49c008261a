"""`controlplane demo`: the whole rollout, on real input and a fast clock."""

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live

from controlplane.cli.demo_report import Breakage, report
from controlplane.cli.demo_view import frame
from controlplane.cli.output import clean, console, line
from controlplane.cli.workload import FLAG, Incident, Repo, Workload, real_edits
from controlplane.errors import ControlPlaneError, InvalidInput
from controlplane.metrics_server import MetricsServer
from controlplane.plane import ControlPlane
from controlplane.plans import FOUR_WAVES, Plan
from controlplane.scheduler import Intervals, Scheduler
from events.timestamps import SECOND
from projections.rollouts import Rollout

ENVIRONMENT = "demo"
BATCHES_PER_SECOND = 1000
_BREAKS_IN_WAVE = 2
_FRAMES_PER_SECOND = 5
_APPROVAL_TAKES_SECONDS = 1.0
_CONFIRMATION_TAKES_SECONDS = 8.0
# Alerts are looked at more often than waves, as in a service: so they find what is wrong first.
_FASTEST = Intervals(evaluation=0.5, alerts=0.1, projections=0.5)


@dataclass
class Traffic:
    """The service under load, in a thread, until stopped."""

    work: Workload
    error: Exception | None = None
    _stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)

    def start(self) -> None:
        """Begin to serve users."""
        self._thread.start()

    def close(self) -> None:
        """Serve the last one and stop."""
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        portion = 20
        pause = portion / BATCHES_PER_SECOND
        try:
            while not self._stop.is_set():
                started = time.perf_counter()
                self.work.run(portion)
                self._stop.wait(max(0.0, pause - (time.perf_counter() - started)))
        except Exception as error:  # noqa: BLE001  why: whoever watches raises it
            self.error = error


def demo(
    *,
    incident: Annotated[Incident | None, typer.Option(help="Break the new path in wave 2.")] = None,
    seconds: Annotated[
        float, typer.Option(min=5, help="What the plan's 21 days are scaled to.")
    ] = 60,
    repo: Repo = None,
    file: Annotated[Path, typer.Option(help="The database; made anew.")] = Path("demo.db"),
    port: Annotated[int, typer.Option(min=0, max=65535, help="For /metrics; 0: any free one.")] = 0,
) -> None:
    """Take a real workload through all four waves and the soak, in about a minute."""
    # Of looks this frequent one is skipped now and then; the next one sees all that it would have.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    batches, source = real_edits(repo)
    plan = scaled(FOUR_WAVES, seconds)
    with fresh_plane(file) as plane:
        metrics = MetricsServer(plane, port=port)
        metrics.start()
        line(f"{source}; metrics at http://127.0.0.1:{metrics.port}/metrics")
        plane.flags.create(FLAG, owner="patch-team", actor="release-engineer")
        rollout = plane.rollouts.start(plan, flag=FLAG, actor="release-engineer")
        traffic = Traffic(Workload(plane, batches))
        scheduler = Scheduler(plane, _FASTEST)
        traffic.start()
        scheduler.start()
        try:
            broken_at = _run(plane, rollout, traffic, incident)
        finally:
            scheduler.close()
            traffic.close()
            metrics.close()
        report(plane, rollout.id, plan, Breakage(incident, broken_at), file)


def scaled(plan: Plan, seconds: float) -> Plan:
    """The plan with its durations scaled so that together they last so long; all else is real."""
    whole_us = sum(wave.hold for wave in plan.waves) + (plan.soak.hold if plan.soak else 0)
    fast = plan.scaled(seconds * SECOND / whole_us)
    # How long clients take to follow the flag is real, too.
    return fast.model_copy(update={"settle": plan.settle})


@contextmanager
def fresh_plane(file: Path) -> Iterator[ControlPlane]:
    """A control plane on a new SQLite file; an older demo's is removed, no other one."""
    if file.exists() and not _is_of_a_demo(file):
        raise InvalidInput(reason=f"{file} is not a demo's database; choose another with --file")
    for suffix in ("", "-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    with ControlPlane(f"sqlite:///{file}", environment=ENVIRONMENT) as plane:
        yield plane


def _is_of_a_demo(file: Path) -> bool:
    """Whether it holds what a demo leaves behind, and nothing else."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            logs = database.execute("SELECT environment FROM log_head").fetchall()
    except sqlite3.Error:
        return False
    return all(environment == ENVIRONMENT for (environment,) in logs)


def _run(plane: ControlPlane, rollout: Rollout, traffic: Traffic, incident: Incident | None) -> int:
    """Watch until it ends; approve as a second person; break what is to be broken.

    A rollback is followed until clients have confirmed it, or for a while. The log position at
    which it was broken, 0 where it was not.
    """
    broken_at = 0
    over_since: float | None = None
    note = "healthy traffic"
    waiting_since: float | None = None
    told: tuple[str, str] | None = None
    live = Live(console=console, auto_refresh=False) if console.is_terminal else nullcontext()
    with live:
        while True:
            status = plane.rollouts.status(rollout.id)
            rollout = status.rollout
            if traffic.error is not None:
                raise traffic.error
            if isinstance(live, Live):
                picture = frame(status, plane.alerts.open(), plane.head().position, note)
                live.update(picture, refresh=True)
            elif told != (told := (rollout.state, rollout.wave_name)):
                line(f"{rollout.wave_name}: {rollout.state.replace('_', ' ')}")
            if not rollout.is_active or rollout.interventions.held("criterion"):
                over_since = over_since or time.monotonic()
                note = "over; a rollback is followed until clients report the old path"
                waited = time.monotonic() - over_since
                if rollout.is_final or waited > _CONFIRMATION_TAKES_SECONDS:
                    return broken_at
            elif incident and rollout.wave == _BREAKS_IN_WAVE and not broken_at:
                broken_at = plane.head().position
                traffic.work.injector.faults = incident.faults()
                note = f"the new path is broken now: {incident.value}"
            waiting_since = _approve(plane, rollout, waiting_since)
            time.sleep(1 / _FRAMES_PER_SECOND)


def _approve(plane: ControlPlane, rollout: Rollout, since: float | None) -> float | None:
    """The second person reads the proposal for a second, then agrees."""
    if rollout.proposal is None:
        return None
    now = time.monotonic()
    if since is None or now - since < _APPROVAL_TAKES_SECONDS:
        return since or now
    try:
        plane.rollouts.approve(rollout.proposal.id, actor="on-call", reason="all criteria pass")
    except ControlPlaneError as error:
        # It lapsed while being read; the next one will come.
        console.log(clean(error))
    return None
