"""Events to canonical JSON and back, through the upcasts."""

from collections.abc import Mapping

import msgspec

from events.catalog import CATALOG
from events.chain import POSITION, Row
from events.errors import ChainBroken, InvalidEvent, UnknownEventType
from events.event import Actor, Event, RecordedEvent
from events.timestamps import NEWEST, OLDEST
from events.upcasts import UPCASTS, Upcast, upcast

_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODERS = {name: msgspec.json.Decoder(cls) for name, cls in CATALOG.items()}
_UNREADABLE = (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError)


def encode(event: Event) -> str:
    """Canonical JSON: UTF-8, keys sorted, no spaces. Raises InvalidEvent if it cannot be read back.

    Reading back is the check: constructing a Struct does not validate, decoding does. What was
    read back is what is written, so that 25 and 25.0 are one percentage and one text.
    """
    try:
        same = _DECODERS[event.TYPE].decode(_ENCODER.encode(event))
        data = _ENCODER.encode(same)
    except _UNREADABLE as error:
        raise InvalidEvent(reason=f"{event.TYPE}: {error}") from error
    except KeyError:
        raise InvalidEvent(reason=f"{event.TYPE} is not in the catalog") from None
    return data.decode()


def decode(
    name: str,
    schema_version: int,
    data: str,
    upcasts: Mapping[tuple[str, int], Upcast] = UPCASTS,
) -> Event:
    """The event behind stored JSON. Raises UnknownEventType where this release has no class."""
    cls = CATALOG.get(name)
    if cls is not None and cls.SCHEMA_VERSION == schema_version:
        return _DECODERS[name].decode(data)
    name, schema_version, fields = upcast(name, schema_version, msgspec.json.decode(data), upcasts)
    cls = CATALOG.get(name)
    if cls is None or cls.SCHEMA_VERSION != schema_version:
        raise UnknownEventType(type=name, schema_version=schema_version)
    return msgspec.convert(fields, cls)


def recorded(row: Row) -> RecordedEvent[Event]:
    """Decode a row: the envelope, and the event through today's catalog.

    Raises ChainBroken, naming the position, for what was never written by a control plane;
    UnknownEventType.
    """
    try:
        return _recorded(row)
    except _UNREADABLE as error:
        raise ChainBroken(position=row[POSITION], reason=f"it cannot be read: {error}") from error


def _recorded(row: Row) -> RecordedEvent[Event]:
    # SQLite keeps anything in any column: what is no text cannot be joined, and what is no number
    # not compared. Said shortly, as it is done for every event that is read.
    "".join((row[2], row[3], row[5], row[9], row[10], row[11], row[12] or "", row[13] or ""))
    if not isinstance(row[14], str):
        raise TypeError("its data is no text")
    if not (
        OLDEST <= row[7] <= NEWEST and OLDEST <= row[8] <= NEWEST and 0 < row[1] and 0 < row[4]
    ):
        raise ValueError("its time, position or version is none")
    return RecordedEvent(
        environment=row[0],
        position=row[1],
        id=row[2],
        stream=row[3],
        version=row[4],
        type=row[5],
        schema_version=row[6],
        occurred_at=row[7],
        recorded_at=row[8],
        actor=Actor(row[9], row[10], row[11]),  # type: ignore[arg-type]  # why: kinds are checked going in
        correlation_id=row[12],
        causation_id=row[13],
        data=row[14],
        hash=bytes(row[15]).hex(),
        event=decode(row[5], row[6], row[14]),
    )
