"""Rolling back, and following it until clients have left the new code."""

from typing import Literal

from controlplane.promotions import lapse
from events.rollouts import (
    RollbackStalled,
    RollbackStarted,
    RolloutEvent,
    RolloutRolledBack,
    Trigger,
)
from events.timestamps import SECOND, Timestamp
from projections.rollbacks import AfterRollback
from projections.rollouts import Rollout

ROLLED_BACK_WITHIN_US = 30 * SECOND
"""Clients that still report the new code so long after a rollback have not followed it."""

_LATEST_NEWS_US = 2 * ROLLED_BACK_WITHIN_US
"""What was done before the rollback is told within so long, or the client's clock is slow."""

_QUIET_US = 5 * SECOND
"""So long after the last report of the new code, a report of the old one confirms the rollback."""


def start(rollout: Rollout, trigger: Trigger, reason: str) -> list[RolloutEvent]:
    """Roll back; what was proposed is moot."""
    started = RollbackStarted(rollout=rollout.id, flag=rollout.flag, trigger=trigger, reason=reason)
    return [*lapse(rollout, "the rollout was rolled back"), started]


def follow(
    rollout: Rollout, reports: AfterRollback, now: Timestamp, as_of: int = 0
) -> list[RolloutEvent]:
    """Confirm by what clients report; say so once if they go on with the new code."""
    if rollout.phase != "rolling_back":
        return []
    events: list[RolloutEvent] = []
    last_on = max(reports.last_on_at, rollout.rollback_at)
    heard_us = reports.last_heard_at - rollout.rollback_at
    late = last_on - rollout.rollback_at > ROLLED_BACK_WITHIN_US
    if (late or heard_us > _LATEST_NEWS_US) and not rollout.stalled:
        events.append(
            RollbackStalled(
                rollout=rollout.id,
                flag=rollout.flag,
                reports=reports.on,
                last_report_at=max(reports.last_on_at, reports.last_heard_at),
                as_of=as_of,
            )
        )
    quiet_us = now - max(last_on, reports.last_heard_at)
    confirmed_by: Literal["reports", "silence", "superseded"]
    if reports.superseded:
        confirmed_by = "superseded"
    elif reports.last_off_at > last_on and quiet_us >= _QUIET_US:
        confirmed_by = "reports"
    elif quiet_us >= ROLLED_BACK_WITHIN_US:
        confirmed_by = "silence"
    else:
        return events
    rolled_back = RolloutRolledBack(
        rollout=rollout.id,
        flag=rollout.flag,
        confirmed_by=confirmed_by,
        took_us=last_on - rollout.rollback_at,
        as_of=as_of,
    )
    return [*events, rolled_back]
