"""A specification of what is decided: given(events).when(command).then(events)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import pytest

from controlplane.errors import ControlPlaneError
from events import Event
from events.timestamps import Timestamp
from projections.projection import Projection
from tests.projections.recording import START, At, Told, told

Decide = Callable[[Any, Any, Timestamp], list[Any]]


@dataclass(frozen=True)
class Decider:
    """A stream of one kind: how it is folded, and who decides."""

    projection: Projection[Any]
    key: str
    decide: Decide

    def given(self, *history: Told) -> "Given":
        """What has happened; nothing, if nothing is said."""
        return Given(self, history)


@dataclass(frozen=True)
class Given:
    """A stream with a history."""

    decider: Decider
    history: tuple[Told, ...]

    @property
    def state(self) -> Any:
        """The state that the history leads to."""
        return self.decider.projection.fold(self.decider.key, told(*self.history))

    def when(self, command: Any, *, after: Timestamp = 0) -> "Decision":
        """Somebody commands, so long after START."""
        try:
            events = self.decider.decide(self.state, command, START + after)
        except ControlPlaneError as refusal:
            return Decision(self, command, after, refusal=refusal)
        return Decision(self, command, after, events)


@dataclass(frozen=True)
class Decision:
    """What came of a command."""

    given: Given
    command: Any
    after: Timestamp
    events: list[Event] = field(default_factory=list)
    refusal: ControlPlaneError | None = None

    def then(self, *expected: Event) -> Self:
        """Exactly these events follow."""
        assert self.refusal is None
        assert self.events == list(expected)
        return self

    def then_nothing_happens(self) -> None:
        """The command is fine, and changes nothing."""
        self.then()

    def then_it_is_refused(self, error: type[ControlPlaneError], match: str | None = None) -> None:
        """The refusal is of this class, and its message says this."""
        with pytest.raises(error, match=match):
            raise self.refusal or AssertionError(f"decided: {self.events}")

    def then_asking_again_changes_nothing(self) -> None:
        """It is idempotent."""
        self.afterwards.when(self.command, after=self.after).then_nothing_happens()

    @property
    def afterwards(self) -> Given:
        """The stream with what was decided in it."""
        assert self.refusal is None, self.refusal
        decided = (At(START + self.after, event) for event in self.events)
        return Given(self.given.decider, (*self.given.history, *decided))
