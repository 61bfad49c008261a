"""Where folded states are kept: the contract, and the keeping of them in memory."""

from collections import ChainMap, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import Any, Protocol

from projections.projection import Projection, S


@dataclass(frozen=True)
class Build:
    """One computation of a projection, from position 0 on."""

    projection: str
    build: int
    version: int
    position: int
    active: bool


class Transaction(Protocol):
    """Reads and writes that become visible together, or not at all."""

    def builds(self) -> list[Build]:
        """All builds, locked against other writers until the transaction ends."""

    def load(self, build: Build, keys: Iterable[str]) -> dict[str, str]:
        """Encoded states of those keys that exist."""

    def save(self, build: Build, states: Mapping[str, str]) -> None:
        """Insert or replace encoded states."""

    def put(self, build: Build) -> None:
        """Insert or replace the record of a build."""

    def drop(self, build: Build) -> None:
        """Forget a build and all its states."""


class Rows(Protocol):
    """The store of one environment's read models."""

    def write(self) -> AbstractContextManager[Transaction]:
        """Open a transaction, committed at the end of the block."""

    def builds(self) -> list[Build]:
        """All builds, as committed."""

    def get(self, projection: Projection[S], key: str) -> S | None:
        """The state of one row in the active build."""

    def get_as_of(self, projection: Projection[S], key: str) -> tuple[S, int]:
        """The state of one row, initial if need be, and the position it reflects."""

    def scan(
        self, projection: Projection[S], start: str = "", stop: str | None = None
    ) -> list[tuple[str, S]]:
        """Rows of the active build with start <= key < stop, in order of the key."""

    def stored(self, projection: Projection[Any]) -> list[tuple[Build, dict[str, str]]]:
        """Active builds, of which there should be one, each with its rows as they are stored."""


def active_build(projection: Projection[Any], builds: Iterable[Build]) -> Build | None:
    """The build that readers of this version use."""
    for build in builds:
        if build.active and (build.projection, build.version) == (
            projection.name,
            projection.version,
        ):
            return build
    return None


_Key = tuple[str, int]


def _key(build: Build) -> _Key:
    return build.projection, build.build


class MemoryRows:
    """Read models in dictionaries."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._builds: dict[_Key, Build] = {}
        self._states: dict[_Key, dict[str, str]] = {}

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """See Rows.write."""
        with self._lock:
            transaction = _MemoryTransaction(self._builds, self._states)
            yield transaction
            self._builds, self._states = transaction.committed()

    def builds(self) -> list[Build]:
        """See Rows.builds."""
        with self._lock:
            return list(self._builds.values())

    def get(self, projection: Projection[S], key: str) -> S | None:
        """See Rows.get."""
        with self._lock:
            build = active_build(projection, self._builds.values())
            text = self._states.get(_key(build), {}).get(key) if build else None
        return None if text is None else projection.decode(text)

    def get_as_of(self, projection: Projection[S], key: str) -> tuple[S, int]:
        """See Rows.get_as_of."""
        with self._lock:
            build = active_build(projection, self._builds.values())
            state = self.get(projection, key)
        return state or projection.initial(key), build.position if build else 0

    def scan(
        self, projection: Projection[S], start: str = "", stop: str | None = None
    ) -> list[tuple[str, S]]:
        """See Rows.scan."""
        with self._lock:
            build = active_build(projection, self._builds.values())
            states = dict(self._states.get(_key(build), {})) if build else {}
        return [
            (key, projection.decode(states[key]))
            for key in sorted(states)
            if key >= start and (stop is None or key < stop)
        ]

    def stored(self, projection: Projection[Any]) -> list[tuple[Build, dict[str, str]]]:
        """See Rows.stored."""
        with self._lock:
            build = active_build(projection, self._builds.values())
            return [(build, dict(self._states.get(_key(build), {})))] if build else []


class _MemoryTransaction:
    """Changes copies of what it touches; the originals stay until it is committed."""

    def __init__(self, builds: dict[_Key, Build], states: dict[_Key, dict[str, str]]) -> None:
        self._builds = dict(builds)
        self._states = dict(states)
        self._changed: dict[_Key, dict[str, str]] = defaultdict(dict)

    def builds(self) -> list[Build]:
        return list(self._builds.values())

    def load(self, build: Build, keys: Iterable[str]) -> dict[str, str]:
        layers = ChainMap(self._changed[_key(build)], self._states.get(_key(build), {}))
        return {key: layers[key] for key in keys if key in layers}

    def save(self, build: Build, states: Mapping[str, str]) -> None:
        self._changed[_key(build)].update(states)

    def put(self, build: Build) -> None:
        self._builds[_key(build)] = build

    def drop(self, build: Build) -> None:
        for kept in (self._builds, self._states, self._changed):
            kept.pop(_key(build), None)

    def committed(self) -> tuple[dict[_Key, Build], dict[_Key, dict[str, str]]]:
        for key, states in self._changed.items():
            self._states.setdefault(key, {}).update(states)
        return self._builds, self._states
