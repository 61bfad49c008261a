"""Turns time into ticks. It holds no truth: what is due is folded from the log.

APScheduler's job store stays in memory and holds a few intervals. Were it shared, it would run
jobs twice; were it relied on, it would drop what came due while nothing ran. A tick that is
missed costs nothing: the next one judges all that has happened since.

Of several schedulers on one database, the one that has the lease looks; all keep read models up.
"""

import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from controlplane import clock as edge
from controlplane.errors import ControlPlaneError
from controlplane.lease import DEFAULT_TTL_US
from controlplane.plane import ControlPlane
from events.timestamps import SECOND, to_datetime

logger = logging.getLogger(__name__)

_RENEWALS_IN_A_TTL = 3
"""So that two may fail before the lease is lost."""


@dataclass(frozen=True, kw_only=True)
class Intervals:
    """How often each job runs, in seconds."""

    evaluation: float = 60.0
    alerts: float = 5.0
    projections: float = 1.0
    webhooks: float = 1.0
    snapshots: float = 60.0


class Scheduler:
    """Ticks a control plane from threads of its own, while it has the lease.

    `lease_seconds`: how long after its last renewal another scheduler takes over.
    """

    def __init__(
        self,
        plane: ControlPlane,
        intervals: Intervals = Intervals(),
        *,
        lease_seconds: float = DEFAULT_TTL_US / SECOND,
    ) -> None:
        self._scheduler = BackgroundScheduler(timezone="UTC", daemon=True)
        self._candidate = plane.candidate(
            f"{_host()}:{os.getpid()}:{edge.new_id()[-12:]}",
            evaluates_every_us=max(1, round(intervals.evaluation * SECOND)),
            ttl_us=max(1, round(lease_seconds * SECOND)),
        )
        self._deliverer = plane.webhooks.deliverer(may_go_on=lambda: self.holds_lease)
        look = self._candidate.look
        self._looks: dict[str, tuple[Callable[[], object], float]] = {
            "rollbacks": (partial(look, plane.rollouts.follow_rollbacks), intervals.alerts),
            "alerts": (partial(look, plane.alerts.watch), intervals.alerts),
            "external": (partial(look, plane.rollouts.ask_due), intervals.evaluation),
            "evaluation": (partial(look, plane.rollouts.evaluate_all), intervals.evaluation),
            "webhooks": (partial(look, self._deliverer.look), intervals.webhooks),
            "snapshots": (partial(look, plane.projections.take_snapshots), intervals.snapshots),
        }
        # A job like the others: were time to stand still for them, the lease would pass on.
        self._add("lease", self._renew, lease_seconds / _RENEWALS_IN_A_TTL)
        self._add("projections", plane.projections.catch_up, intervals.projections)
        for name, (job, seconds) in self._looks.items():
            self._add(name, job, seconds)

    def _add(self, name: str, job: Callable[[], object], seconds: float) -> None:
        self._scheduler.add_job(
            _guarded(name, job),
            "interval",
            seconds=seconds,
            id=name,
            name=name,
            coalesce=True,  # Missed ticks collapse into one …
            misfire_grace_time=None,  # … which runs, however late.
            max_instances=1,
        )

    @property
    def holder(self) -> str:
        """The name under which it takes the lease: host, process, and chance."""
        return self._candidate.holder

    @property
    def holds_lease(self) -> bool:
        """Whether it is the one that looks, as far as it knows."""
        return self._candidate.fence is not None

    def start(self) -> None:
        """Begin to tick; ask for the lease, and look at once where it is given."""
        self._scheduler.start()
        # Killed and started again, it need not wait for its own former lease. Once, not at each
        # renewal: two hosts of one name would else take it from each other for ever.
        _guarded("lease", lambda: self._candidate.bury(_is_gone))()
        _guarded("lease", self._renew)()

    def close(self) -> None:
        """Let running ticks finish, stop, and let another one take over."""
        self._scheduler.shutdown(wait=True)
        self._deliverer.close()
        _guarded("lease", self._candidate.resign)()

    def _renew(self) -> None:
        if self._candidate.renew():
            # Nobody may have looked for a while; and so it can be told when the next look is.
            for name in self._looks:
                with suppress(JobLookupError):  # It is being closed.
                    self._scheduler.modify_job(name, next_run_time=to_datetime(edge.now()))


def _host() -> str:
    return socket.gethostname()[:200]


def _is_gone(holder: str) -> bool:
    """Whether a holder was a process of this host that no longer is."""
    host, _, rest = holder.rpartition(":")[0].rpartition(":")
    if os.name != "posix" or host != _host() or not rest.isdigit():
        return False  # Elsewhere, asking after a process may end it.
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False


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
