"""Turns time into ticks. It holds no truth: what is due is folded from the log.

APScheduler's job store stays in memory and holds three intervals. Were it shared, it would run
jobs twice; were it relied on, it would drop what came due while nothing ran. A tick that is
missed costs nothing: the next one judges all that has happened since.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from apscheduler.schedulers.background import BackgroundScheduler

from controlplane.errors import ControlPlaneError
from controlplane.plane import ControlPlane

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """How often each job runs, in seconds."""

    evaluation: float = 60.0
    alerts: float = 5.0
    projections: float = 1.0


class Scheduler:
    """Ticks a control plane from threads of its own."""

    def __init__(self, plane: ControlPlane, intervals: Intervals = Intervals()) -> None:
        self._scheduler = BackgroundScheduler(timezone="UTC", daemon=True)
        jobs: tuple[tuple[str, Callable[[], object], float], ...] = (
            ("projections", plane.projections.catch_up, intervals.projections),
            ("alerts", plane.alerts.watch, intervals.alerts),
            ("evaluation", plane.rollouts.evaluate_all, intervals.evaluation),
        )
        for name, job, seconds in jobs:
            self._scheduler.add_job(
                _guarded(name, job),
                "interval",
                seconds=seconds,
                id=name,
                coalesce=True,  # Missed ticks collapse into one …
                misfire_grace_time=None,  # … which runs, however late.
                max_instances=1,
            )

    def start(self) -> None:
        """Begin to tick."""
        self._scheduler.start()

    def close(self) -> None:
        """Let running ticks finish, and stop."""
        self._scheduler.shutdown(wait=True)


def _guarded(name: str, job: Callable[[], object]) -> Callable[[], None]:
    """A tick that fails is reported, and the next one comes all the same."""

    def run() -> None:
        try:
            job()
        except ControlPlaneError as error:
            logger.warning("%s tick: %s", name, error)
        except Exception:
            logger.exception("%s tick failed", name)

    return run
