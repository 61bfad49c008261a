"""What an execution must be, whoever asks: the SDK before it takes one, the plane before the log.

A mapping has the fields of BatchExecuted, and may have `id` (a UUID: told again, it counts once)
and `occurred_at`.
"""

from datetime import datetime

from events.timestamps import DAY, MINUTE, NEWEST, OLDEST, Timestamp, from_datetime, parse, to_iso

_FUTURE_US = 5 * MINUTE
_PAST_US = 30 * DAY


def moment_of(value: object, now: Timestamp) -> Timestamp:
    """When it happened: a datetime, ISO 8601 or microseconds. Raises ValueError, TypeError."""
    occurred_at = _timestamp(value)
    if not now - _PAST_US <= occurred_at <= now + _FUTURE_US:
        raise ValueError(
            f"occurred_at {to_iso(occurred_at)} is more than 30 days ago or 5 minutes ahead"
        )
    return occurred_at


def _timestamp(value: object) -> Timestamp:
    if isinstance(value, bool) or not isinstance(value, int | str | datetime):
        raise TypeError(f"occurred_at is a datetime, ISO 8601 or microseconds, not {value!r:.80}")
    try:
        if isinstance(value, datetime):
            return from_datetime(value)
        timestamp = parse(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ValueError(f"occurred_at: {error}") from error
    if not OLDEST <= timestamp <= NEWEST:
        raise ValueError("occurred_at is not in the years 1 to 9999")
    return timestamp
