"""What could be seen of a flag at one moment, in one picture."""

import msgspec

from controlplane.reading import Getting, sentence, status_of, world_of
from controlplane.rules.catalog import WATCHED
from events.alerts import Severity, alert_stream
from events.judgements import Judgement
from events.timestamps import MINUTE, Timestamp
from projections.alerts import ALERTS
from projections.evidence import EVIDENCE
from projections.flags import FLAGS
from projections.incidents import INCIDENTS
from projections.metrics import METRICS, Tally, minute_key

RECENT_MINUTES = 5


class Served(msgspec.Struct, frozen=True):
    """An audience, and the share of it that gets the new code, in percent."""

    audience: str
    percentage: float


class OpenAlert(msgspec.Struct, frozen=True):
    """An alert that is open."""

    id: str
    severity: Severity
    summary: str
    raised_at: Timestamp
    acknowledged_by: str | None


class Standing(msgspec.Struct, frozen=True):
    """Where the flag's latest rollout stands."""

    rollout: str
    state: str
    wave: str
    percentage: float
    sentence: str
    criteria: tuple[Judgement, ...]
    """Judged as of the moment; none where it is not running."""


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A flag at one moment."""

    flag: str
    at: Timestamp
    enabled: bool
    exposures: tuple[Served, ...]
    executions: int
    """Of the new code, in the five minutes up to the moment, by when they happened."""
    failed: int
    error_rate: float | None
    p95_us: int | None
    rollout: Standing | None
    alerts: tuple[OpenAlert, ...]
    incidents: tuple[str, ...]
    """Those that nobody has closed."""


def picture(reading: Getting, flag: str, now: Timestamp) -> Picture:
    """Take it."""
    found, recent = reading.get(FLAGS, flag), _recent(reading, flag, now)
    return Picture(
        flag=flag,
        at=now,
        enabled=found.enabled,
        exposures=tuple(Served(e.audience.name, e.percentage) for e in found.exposures),
        executions=recent.executions,
        failed=recent.failed,
        error_rate=recent.error_rate,
        p95_us=recent.durations.quantile(0.95),
        rollout=_standing(reading, flag, now),
        alerts=_alerts(reading, flag),
        incidents=tuple(one.id for one in reading.get(INCIDENTS, flag).all if one.is_open),
    )


def _recent(reading: Getting, flag: str, now: Timestamp) -> Tally:
    total = Tally()
    for back in range(RECENT_MINUTES):
        total.merge(reading.get(METRICS, minute_key(flag, "on", now - back * MINUTE)))
    return total


def _standing(reading: Getting, flag: str, now: Timestamp) -> Standing | None:
    latest = reading.get(FLAGS, flag).rollout or reading.get(EVIDENCE, flag).rollout
    if not latest:
        return None
    status = status_of(world_of(reading, latest, now))
    rollout, look = status.rollout, status.assessment
    return Standing(
        rollout=rollout.id,
        state=rollout.state,
        wave=rollout.wave_name,
        percentage=rollout.percentage,
        sentence=sentence(status),
        criteria=look.judgements if look else (),
    )


def _alerts(reading: Getting, flag: str) -> tuple[OpenAlert, ...]:
    streams = (alert_stream(flag, rule) for rule in WATCHED)
    return tuple(
        OpenAlert(one.id, one.severity, one.summary, one.raised_at, one.acknowledged_by)
        for one in (reading.get(ALERTS, stream) for stream in streams)
        if one.open
    )
