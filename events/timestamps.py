"""Moments in time: integer microseconds since the Unix epoch, UTC.

One integer orders, subtracts and hashes the same on every database and in every language;
people meet it as ISO 8601 with a `Z`.
"""

from datetime import UTC, datetime, timedelta

Timestamp = int

MICROSECOND = 1
MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

OLDEST = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
NEWEST = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)
"""The years 1 to 9999: what ISO 8601 can write."""


def from_datetime(moment: datetime) -> Timestamp:
    """Microseconds since the epoch. Raises ValueError without a zone, or where UTC has no year."""
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; write it with Z or an offset")
    timestamp = (moment - _EPOCH) // timedelta(microseconds=1)
    if not OLDEST <= timestamp <= NEWEST:
        raise ValueError(f"{moment.isoformat()} is not within the years 1 to 9999 in UTC")
    return timestamp


def to_datetime(timestamp: Timestamp) -> datetime:
    """The moment as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=timestamp)


def parse(text: str) -> Timestamp:
    """Read ISO 8601 with a zone (`2026-11-20T14:05Z`). Raises ValueError for anything else."""
    return from_datetime(datetime.fromisoformat(text.strip()))


def to_iso(timestamp: Timestamp) -> str:
    """`2026-11-20T14:05:00.000000Z`: always six decimals, so that text sorts as time does."""
    return to_datetime(timestamp).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
