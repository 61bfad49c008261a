"""What a projection is: a name, a version, a key, a state, and a fold."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from events.event import Event, RecordedEvent

S = TypeVar("S", bound=msgspec.Struct)

_ENCODER = msgspec.json.Encoder(order="sorted")


def canonical(state: msgspec.Struct) -> bytes:
    """JSON with all keys as text and sorted, so that equal states are equal bytes."""
    return _ENCODER.encode(msgspec.to_builtins(state, str_keys=True))


@dataclass(frozen=True)
class Projection(Generic[S]):
    """A read model as a fold. Where its states are kept is not its business.

    `evolve` takes the state and may change it in place: whoever folds owns the state.
    A change to key, state or evolve needs a new version.
    """

    name: str
    version: int
    state: type[S]
    events: frozenset[type[Event]]
    """What it listens to."""
    key: Callable[[RecordedEvent[Any]], str]
    """Which row an event belongs to."""
    initial: Callable[[str], S]
    evolve: Callable[[S, RecordedEvent[Any]], S]
    stream: Callable[[str], str] | None = None
    """The one stream that a row is folded from, by its key; None where there are several."""

    def fold(self, key: str, events: Iterable[RecordedEvent[Any]], state: S | None = None) -> S:
        """The state of one row after `events`, which must all belong to it."""
        state = self.initial(key) if state is None else state
        for event in events:
            state = self.evolve(state, event)
        return state

    def encode(self, state: S) -> str:
        """Canonical JSON: equal states are equal text."""
        return canonical(state).decode()

    def decode(self, text: str) -> S:
        """Return the state behind canonical JSON."""
        return msgspec.json.decode(text, type=self.state)
