"""Events of a log in a file: those that a story needs, each with its hash, to be read elsewhere.

The first line is a manifest. Each line after it is one event, `[hash before, hash, fields]`: the
fields are the exact bytes that were hashed, so `hash = SHA-256(hash before ‖ fields)` is checked
line by line, and where two events stood side by side in the log the one's hash is the other's hash
before. That they are of a certain log, its own hashes tell.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Annotated

import msgspec

from events.chain import GENESIS, POSITION, RECORDED_AT, Head, Row, canonical
from events.codec import recorded
from events.concerning import flag_of
from events.errors import BundleUnreadable, ChainBroken
from events.event import Event, RecordedEvent
from events.freezes import FREEZE_STREAM
from events.incidents import INCIDENT_STREAM
from events.log import Count, Dimension, Query, Replayable
from events.matching import counted, matches
from events.timestamps import NEWEST, OLDEST, Timestamp

FORMAT = "rollout-controlplane/story"
_SHARED = (FREEZE_STREAM, INCIDENT_STREAM)
"""Streams of all flags, of which a story has its own part only."""

_Moment = Annotated[Timestamp, msgspec.Meta(ge=OLDEST, le=NEWEST)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Name = str | None
_Fields = tuple[
    str, _Count, str, str, _Count, str, _Count, _Moment, _Moment, str, str, str, _Name, _Name, str
]
"""What is hashed of a row, as a file may tell it."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the lines are."""

    format: str = FORMAT
    version: int = 1
    environment: str
    title: str
    """What it is the story of, as in INC-1."""
    flag: str
    start: _Count
    """The log position after which the story begins."""
    end: _Count
    """The log position with which it ends."""
    complete_from: _Count
    """All about the flag that was recorded above this position, up to the end, is here. From
    before, what was still in force."""
    zero: _Moment | None
    """The moment that times are told from."""
    events: _Count
    digest: str
    """SHA-256 of all lines after this one, ends of lines included."""
    head_position: _Count
    head_hash: str
    """The log's last event when this was written."""
    exported_at: _Moment


def lines_of(log: Replayable, events: Iterable[RecordedEvent[Event]]) -> Iterator[bytes]:
    """A line for each event, in order of the log, with its end."""
    before: RecordedEvent[Event] | None = None
    for event in events:
        if before is not None and before.position == event.position - 1:
            previous = before.hash
        elif event.position == 1:
            previous = GENESIS.hex()
        else:
            previous = log.read(event.position - 2, 1)[0].hash
        yield _line(previous, event.hash, canonical(_row(event)))
        before = event


def _line(previous: str, digest: str, fields: bytes) -> bytes:
    return f'["{previous}","{digest}",'.encode() + fields + b"]\n"


def _row(event: RecordedEvent[Event]) -> Row:
    return (
        event.environment,
        event.position,
        event.id,
        event.stream,
        event.version,
        event.type,
        event.schema_version,
        event.occurred_at,
        event.recorded_at,
        event.actor.kind,
        event.actor.id,
        event.actor.name,
        event.correlation_id,
        event.causation_id,
        event.data,
        bytes.fromhex(event.hash),
    )


def read_bundle(lines: Iterable[bytes]) -> tuple[Manifest, "BundleLog"]:
    """The manifest, and the events as a log that can be read.

    Raises BundleUnreadable for what is no such file, or not all of it; ChainBroken, naming the
    first event that is not what it was when it was hashed.
    """
    walk = iter(lines)
    manifest = _manifest(next(walk, b""))
    digest, rows, before = sha256(), list[Row](), Head()
    for number, line in enumerate(walk, 2):
        digest.update(line)
        row, before = _checked(line, number, before, manifest)
        rows.append(row)
    events = [recorded(row) for row in rows]
    if len(rows) != manifest.events:
        reason = f"it has {len(rows)} events of {manifest.events}{_gap(events, manifest)}"
        raise BundleUnreadable(reason=reason)
    if digest.hexdigest() != manifest.digest:
        raise BundleUnreadable(reason="its events are others than were written")
    _concerned(events, manifest)
    return manifest, BundleLog(manifest.environment, events)


def _gap(events: Sequence[RecordedEvent[Event]], manifest: Manifest) -> str:
    """Where one of several is missing: in a stream that the file has all of, if it shows there."""
    versions: dict[str, int] = {}
    for number, event in enumerate(events, 2):
        if event.stream in _SHARED or event.position <= manifest.complete_from:
            continue
        before = versions.get(event.stream)
        if before is not None and event.version > before + 1:
            missing = f"version {before + 1} of stream {event.stream}"
            return f"; above line {number} {missing} is missing"
        versions[event.stream] = event.version
    return ""


def _concerned(events: Sequence[RecordedEvent[Event]], manifest: Manifest) -> None:
    """Raise BundleUnreadable where it is no story of the flag that it names."""
    named = 0
    for number, event in enumerate(events, 2):
        flag = flag_of(event.event)
        if flag is not None and flag != manifest.flag:
            reason = f"it is about {manifest.flag}, and line {number} about {flag}"
            raise BundleUnreadable(reason=reason)
        named += flag is not None
    if not named:
        raise BundleUnreadable(reason=f"none of its events is about {manifest.flag}")


def _manifest(line: bytes) -> Manifest:
    try:
        manifest = msgspec.json.decode(line, type=Manifest)
    except (ValueError, RecursionError) as error:
        raise BundleUnreadable(reason=f"its first line is no manifest: {error}") from error
    if manifest.start > manifest.end:
        raise BundleUnreadable(reason="its story ends before it begins")
    if manifest.format != FORMAT or manifest.version != 1:
        known = f"{manifest.format} {manifest.version}"
        raise BundleUnreadable(reason=f"its first line speaks of {known}")
    return manifest


def _checked(line: bytes, number: int, before: Head, manifest: Manifest) -> tuple[Row, Head]:
    try:
        previous, told, raw = msgspec.json.decode(line, type=tuple[str, str, msgspec.Raw])
        fields = msgspec.json.decode(raw, type=_Fields)
        link, digest = bytes.fromhex(previous), bytes.fromhex(told)
    except (ValueError, RecursionError) as error:
        raise BundleUnreadable(reason=f"line {number} is no event: {error}") from error
    if line != _line(previous, told, bytes(raw)):
        reason = f"line {number} has another end, or spaces, that were not written"
        raise BundleUnreadable(reason=reason)
    position, recorded_at = fields[POSITION], fields[RECORDED_AT]
    if fields[0] != manifest.environment or position <= before.position:
        raise ChainBroken(position=position, reason="it is not in order, or of another log")
    if position == before.position + 1 and link != before.hash:
        raise ChainBroken(position=position, reason="the event before it is another one")
    if sha256(link + bytes(raw)).digest() != digest:
        raise ChainBroken(position=position, reason="its content does not match its hash")
    if recorded_at < before.recorded_at:
        raise ChainBroken(position=position, reason="it was recorded before the one before it")
    return (*fields, digest), Head(position, digest, recorded_at)


class BundleLog:
    """The events of a file, as a log that can be read; positions have gaps."""

    def __init__(self, environment: str, events: Sequence[RecordedEvent[Event]]) -> None:
        self.environment = environment
        self._events = events
        self._positions = [event.position for event in events]
        self._streams: dict[str, list[RecordedEvent[Event]]] = defaultdict(list)
        for event in events:
            self._streams[event.stream].append(event)

    def read(self, after: int = 0, limit: int = 1000) -> list[RecordedEvent[Event]]:
        """See Replayable.read."""
        place = bisect_right(self._positions, after)
        return list(self._events[place : place + limit])

    def read_stream(self, stream: str, after_version: int = 0) -> list[RecordedEvent[Event]]:
        """See Replayable.read_stream."""
        return [event for event in self._streams.get(stream, ()) if event.version > after_version]

    def search(self, query: Query) -> list[RecordedEvent[Event]]:
        """See Replayable.search."""
        found = [event for event in self._within(query) if matches(event, query)]
        if query.newest_first:
            found.reverse()
        return found[: query.limit]

    def count(self, query: Query, by: Sequence[Dimension] = ()) -> list[Count]:
        """See Replayable.count."""
        return counted(self._within(query), query, by)

    def _within(self, query: Query) -> list[RecordedEvent[Event]]:
        first = bisect_right(self._positions, query.after)
        last = None if query.before is None else bisect_left(self._positions, query.before)
        return list(self._events[first:last])

    def head(self) -> Head:
        """See Replayable.head."""
        if not self._events:
            return Head()
        last = self._events[-1]
        return Head(last.position, bytes.fromhex(last.hash), last.recorded_at)
