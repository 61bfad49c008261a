"""The flags as the server last told them, compiled: what every answer of the client comes from."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from controlplane.bucketing import (
    ALGORITHM,
    Attributes,
    Evaluator,
    Explanation,
    compile_flag,
    explain,
)
from controlplane.errors import UnitMissing
from controlplane.values import Valuer, compile_value
from projections.flags import Flag

logger = logging.getLogger(__name__)


class Snapshot(msgspec.Struct, frozen=True):
    """All flags of one environment at one position of its log, as they are sent and kept."""

    environment: str
    position: int
    flags: list[msgspec.Raw]


class _Named(msgspec.Struct, frozen=True):
    """What is read of a flag even where the rest of it is of a later release."""

    name: str
    position: int = 0


class Entry(NamedTuple):
    """One flag, with the text it was told in: that is what is kept, fields of later days too."""

    flag: Flag
    raw: bytes
    enabled: Evaluator
    value: Valuer | None = None
    problem: str = ""
    """Why this release cannot evaluate it; it is off, and has no value."""


@dataclass(frozen=True, slots=True)
class State:
    """What is known. Replaced as a whole, never changed: a reader needs no lock."""

    environment: str
    position: int
    entries: Mapping[str, Entry]

    def snapshot(self) -> Snapshot:
        """In the form it is kept in."""
        raws = [msgspec.Raw(entry.raw) for entry in self.entries.values()]
        return Snapshot(self.environment, self.position, raws)


NOTHING = State("", 0, {})


class KnownFlags:
    """Answers from memory. One thread tells it what is new; any thread asks.

    A flag that cannot be understood, as from a server of a later release, is off; the others go on.
    """

    def __init__(self) -> None:
        self.state = NOTHING
        self.ready = False
        """Whether there is anything to answer from."""
        self.compiled: Mapping[str, Evaluator] = {}
        """Replaced as a whole, too, and apart from the state: one look-up less for each answer."""
        self.values: Mapping[str, Valuer] = {}
        """The same. A flag that cannot be understood is not here: it has no value."""

    def replace(self, snapshot: Snapshot) -> tuple[str, ...]:
        """Take all flags anew; the names of those that differ. Raises msgspec.DecodeError."""
        before = self.state.entries
        read = (_read(raw, before) for raw in snapshot.flags)
        entries = {entry.flag.name: entry for entry in read}
        self._compile(entries)
        self.state = State(snapshot.environment, snapshot.position, entries)
        self.ready = True
        names = before.keys() | entries.keys()
        return tuple(sorted(name for name in names if before.get(name) is not entries.get(name)))

    def update(self, data: bytes, position: int) -> tuple[str, ...]:
        """Take one flag as it now stands; its name, if it is news. Raises msgspec.DecodeError."""
        state = self.state
        entry = _read(data, state.entries)
        name = entry.flag.name
        known = state.entries.get(name)
        fresh = known is None or entry.flag.position > known.flag.position
        entries = {**state.entries, name: entry} if fresh else state.entries
        if fresh:
            self._compile(entries)
        self.state = State(state.environment, max(state.position, position), entries)
        return (name,) if fresh else ()

    def _compile(self, entries: Mapping[str, Entry]) -> None:
        self.compiled = {name: entry.enabled for name, entry in entries.items()}
        self.values = {name: entry.value for name, entry in entries.items() if entry.value}

    def explain(self, flag: str, unit: str | None, attributes: Attributes) -> Explanation:
        """Say the answer, and why."""
        entry = self.state.entries.get(flag)
        if entry is not None and entry.problem:
            return off(flag, unit, "NOT_UNDERSTOOD", entry.problem, entry.flag.position)
        if not self.ready:
            return off(flag, unit, "NOT_READY", "no flags are known yet: the server was not heard")
        try:
            return explain(entry.flag if entry is not None else Flag(name=flag), unit, attributes)
        except UnitMissing as error:
            return off(flag, unit, "UNIT_MISSING", str(error))

    def problems(self) -> dict[str, str]:
        """The flags that this release cannot evaluate, and why."""
        entries = self.state.entries
        return {name: entry.problem for name, entry in entries.items() if entry.problem}


def _read(data: msgspec.Raw | bytes, known: Mapping[str, Entry]) -> Entry:
    """One flag; the one that is known where the text is. Raises DecodeError without a name."""
    raw = bytes(data)
    named = msgspec.json.decode(raw, type=_Named)
    same = known.get(named.name)
    if same is not None and same.raw == raw:
        return same
    try:
        flag = msgspec.json.decode(raw, type=Flag)
        entry = Entry(flag, raw, compile_flag(flag), compile_value(flag))
    except Exception as error:  # noqa: BLE001  why: whatever is wrong with one, the others go on
        return _not_understood(named, raw, str(error))
    if flag.algorithm != ALGORITHM:
        return _not_understood(named, raw, f"it is bucketed by {flag.algorithm!r}")
    return entry


def _not_understood(named: _Named, raw: bytes, why: str) -> Entry:
    problem = f"this release of the client does not understand it, and takes it as off: {why}"
    logger.warning("flag %s: %s", named.name, problem)
    flag = Flag(name=named.name, exists=True, position=named.position)
    return Entry(flag, raw, compile_flag(flag), problem=problem)


def off(flag: str, unit: str | None, reason: str, sentence: str, position: int = 0) -> Explanation:
    """The answer where there is none to be had from the flag."""
    return Explanation(
        flag=flag,
        unit=unit,
        enabled=False,
        reason=reason,
        openfeature_reason="ERROR",
        sentence=sentence,
        position=position,
    )
