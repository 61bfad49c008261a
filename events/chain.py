"""The hash chain: each event's hash covers the one before it, so no past can change unseen."""

from collections.abc import Iterable
from hashlib import sha256
from typing import Final

import msgspec

from events.errors import ChainBroken, LogTooShort
from events.event import NewEvent
from events.timestamps import Timestamp

GENESIS = bytes(32)

_encode = msgspec.json.Encoder().encode


class Head(msgspec.Struct, frozen=True):
    """The last position of a log, and the hash that vouches for everything up to it."""

    position: int = 0
    hash: bytes = GENESIS
    recorded_at: Timestamp = 0


Row = tuple[
    str, int, str, str, int, str, int, int, int, str, str, str, str | None, str | None, str, bytes
]
"""A row of `event_log`, its columns in the table's order, the hash last."""

POSITION: Final = 1
ID: Final = 2
RECORDED_AT: Final = 8
HASH: Final = 15


def link(previous: bytes, fields: tuple[object, ...]) -> bytes:
    """SHA-256(previous hash ‖ canonical bytes), the bytes being the row's fields before `hash`.

    A JSON array of scalars is unambiguous: no field can spill into the next.
    """
    return sha256(previous + _encode(fields)).digest()


def canonical(row: Row) -> bytes:
    """The bytes of a row that were hashed, behind the hash before it."""
    return _encode(row[:HASH])


def chain(
    environment: str,
    head: Head,
    recorded_at: Timestamp,
    events: Iterable[tuple[NewEvent, int, str]],
) -> tuple[list[Row], Head]:
    """Rows for (event, version, canonical data), placed and linked behind `head`; the new head."""
    rows: list[Row] = []
    position, digest = head.position, head.hash
    for new, version, data in events:
        position += 1
        fields = (
            environment,
            position,
            new.id,
            new.stream,
            version,
            new.event.TYPE,
            new.event.SCHEMA_VERSION,
            new.occurred_at,
            recorded_at,
            new.actor.kind,
            new.actor.id,
            new.actor.name,
            new.correlation_id,
            new.causation_id,
            data,
        )
        digest = link(digest, fields)
        rows.append((*fields, digest))
    return rows, Head(position, digest, recorded_at)


def _gap(position: int, following: object) -> str:
    """What is wrong where another event than the one at a position comes next."""
    if not isinstance(following, int):
        return f"the next event is {following}"
    if following == position + 1:
        return f"event {position} is missing"
    if following > position:
        return f"events {position} to {following - 1} are missing"
    return f"event {following} is here in its place"


def verify(rows: Iterable[Row], head: Head, witnesses: Iterable[Head] = ()) -> Head:
    """Walk the chain to `head`. Raises ChainBroken, naming the first position that is wrong.

    `witnesses`: positions and hashes noted earlier and kept elsewhere. The chain proves that the
    log agrees with itself; they, that it was not cut short or rewritten as a whole.
    """
    noted: dict[int, set[bytes]] = {}
    for witness in witnesses:
        noted.setdefault(witness.position, set()).add(witness.hash)
    # A log has millions of rows: nothing is made or called here that is not needed for each.
    position, digest, recorded_at = 0, GENESIS, 0
    for row in rows:
        position += 1
        if row[POSITION] != position:
            raise ChainBroken(position=position, reason=_gap(position, row[POSITION]))
        try:
            digest = sha256(digest + _encode(row[:HASH])).digest()
        except ValueError:  # Text that is no UTF-8 was never hashed by us.
            digest = b""
        if digest != row[HASH]:
            raise ChainBroken(position=position, reason="its content does not match its hash")
        if position in noted and noted[position] != {digest}:
            raise ChainBroken(position=position, reason="its hash is not the one noted earlier")
        recorded_at = row[RECORDED_AT]
    at = Head(position, digest, recorded_at)
    if at.position != head.position:
        raise ChainBroken(
            position=at.position + 1, reason=f"the log should reach position {head.position}"
        )
    if at.hash != head.hash:
        raise ChainBroken(position=at.position, reason="the head's hash is another one")
    if at.recorded_at != head.recorded_at:
        raise ChainBroken(position=at.position, reason="the head's time is another one")
    if (last := max(noted, default=0)) > at.position:
        raise LogTooShort(log="The log", events=at.position, noted=last, position=at.position + 1)
    return at
