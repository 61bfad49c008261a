"""What is computed can be thrown away; what is recorded survives whatever is killed when."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from time import monotonic, sleep
from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane.exposition import PlaneCollector
from controlplane.views import alert_view, flag_view, rollout_view, status_view, tally_view
from events.timestamps import HOUR, SECOND
from projections.catalog import PROJECTIONS
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL, Clock, Rolling, Service, batch, plan


@pytest.fixture
def lived(url: str, clock: Clock) -> Iterator[ControlPlane]:
    """A control plane with a completed wave, an alert, and a rollout in wave 2."""
    with ControlPlane(url, clock=clock) as plane:
        plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
        service = Service(plane, clock)
        rolling = Rolling(service, plane.rollouts.start(flag=FLAG, actor=ENGINEER).id)
        rolling.advance_to(2)
        service.serves(300)
        service.runs(3, ms=1500, violations={})
        plane.tick()
        yield plane


def answers(plane: ControlPlane) -> dict[str, Any]:
    """Everything that readers can ask."""
    return {
        "flags": [flag_view(flag) for flag in plane.flags.all()],
        "rollouts": [rollout_view(rollout) for rollout in plane.rollouts.all()],
        "status": status_view(plane.rollouts.status(f"{FLAG}-r1")),
        "alerts": [alert_view(alert) for alert in plane.alerts.all()],
        "totals": {key: tally_view(tally) for key, tally in plane.metrics.totals().items()},
        "minutes": len(plane.metrics.minutes(FLAG, "on", 0, plane.clock() + HOUR)),
        "metrics": [str(metric.samples) for metric in PlaneCollector(plane).collect()],
    }


def test_rebuilt_read_models_give_the_same_answers(lived: ControlPlane) -> None:
    before = answers(lived)
    for name in PROJECTIONS:
        assert lived.projections.rebuild(name).position == lived.head().position
    assert answers(lived) == before


def test_deleted_read_models_give_the_same_answers(lived: ControlPlane) -> None:
    before = answers(lived)
    with lived._database.write() as cursor:
        cursor.execute("DELETE FROM projection_rows")
        cursor.execute("DELETE FROM projection_builds")
    assert answers(lived) == before


def test_opened_again_the_counters_go_on(lived: ControlPlane, url: str, clock: Clock) -> None:
    before = answers(lived)
    lived.close()
    with ControlPlane(url, clock=clock) as again:
        assert answers(again) == before
        Service(again, clock).runs(5)
        total = again.metrics.total(FLAG).executions
    assert total == before["totals"][FLAG, "on"]["executions"] + 5


def test_a_read_model_nobody_knows_is_refused(lived: ControlPlane) -> None:
    with pytest.raises(Exception, match="There is no projection nonsense; there are flags, "):
        lived.projections.rebuild("nonsense")


def test_nothing_is_pruned_that_this_release_reads(lived: ControlPlane) -> None:
    before = answers(lived)
    assert lived.projections.prune() == []
    assert answers(lived) == before


@contextmanager
def serving(database: Path) -> Iterator[Popen[str]]:
    """`controlplane serve` in a process of its own, with a scheduler that hardly rests."""
    environment = os.environ | {
        "CONTROLPLANE_DATABASE_URL": f"sqlite:///{database}",
        "CONTROLPLANE_HTTP_PORT": "0",
        "CONTROLPLANE_METRICS_PORT": "0",
        "CONTROLPLANE_EVALUATION_INTERVAL_SECONDS": "0.1",
        "CONTROLPLANE_ALERT_INTERVAL_SECONDS": "0.1",
        "CONTROLPLANE_PROJECTION_INTERVAL_SECONDS": "0.05",
    }
    command = [sys.executable, "-c", "from controlplane.cli import app; app()", "serve"]
    with Popen(command, env=environment, stdout=PIPE, text=True) as process:  # noqa: S603  why: ours
        try:
            assert process.stdout is not None
            assert any("metrics at" in told for told in process.stdout)
            yield process
        finally:
            process.kill()


def traffic_until(plane: ControlPlane, condition: Callable[[], bool], seconds: float) -> None:
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end, "it never came"
        plane.executions.record([batch() for _ in range(20)])
        sleep(0.02)


def test_a_rollout_survives_kill_9_and_goes_on(tmp_path: Path) -> None:
    database = tmp_path / "rollout.db"
    wave = {"hold": "2s", "percentage": 100}
    with ControlPlane(f"sqlite:///{database}") as plane:
        plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
        rollout = plane.rollouts.start(plan(**wave), flag=FLAG, actor=ENGINEER).id

        def now() -> Any:
            return plane.rollouts.get(rollout)

        def executions() -> int:
            return plane.rollouts.status(rollout).evidence.executions

        with serving(database) as process:
            # It may have been judged before the first batch was recorded.
            traffic_until(plane, lambda: now().judged_at > 0 and executions() > 0, 10)
            process.send_signal(signal.SIGKILL)
            assert process.wait(5) == -signal.SIGKILL
        assert now().is_active
        at_death = plane.verify()
        seen = executions()
        traffic_until(plane, lambda: plane.clock() - now().started_at > 2 * SECOND, 10)
        with serving(database):
            traffic_until(plane, lambda: now().proposal is not None, 10)
        assert executions() > seen
        plane.rollouts.approve(f"{rollout}-p1", actor=ON_CALL)
        assert now().state == "completed"
        plane.verify(expect=f"{at_death.position}:{at_death.hash.hex()}")
