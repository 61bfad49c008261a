"""Questions to a log: every condition alone, and all of them together."""

from collections.abc import Callable
from itertools import combinations, product
from typing import Any

import pytest

from events import Actor, Event, RecordedEvent
from events.flags import FlagDisabled
from events.log import EventLog, Query
from events.rollouts import RolloutCompleted
from events.timestamps import SECOND
from tests.conftest import Clock
from tests.events.builders import ANN, NOON, enabled, fact, facts, uuid

CI = Actor(kind="token", id="ci")
OFF = FlagDisabled(flag="checkout", reason="it fails")
DONE = RolloutCompleted(rollout="r", flag="checkout")

HISTORY: list[tuple[str, Event, Actor, str | None]] = [
    ("flag-checkout", enabled(), ANN, "r-1"),
    ("flag-search", enabled(), CI, None),
    ("flag-checkout", OFF, CI, "r-1"),
    ("rollout-r", DONE, ANN, None),
    ("flag-search", OFF, ANN, "r-2"),
    ("flag-checkout", enabled(), CI, "r-2"),
]


@pytest.fixture
def history(log: EventLog, clock: Clock) -> EventLog:
    """Recorded a second after the other from noon on; told to have happened the other way round."""
    for number, (stream, event, actor, correlation_id) in enumerate(HISTORY):
        clock.now = NOON + number * SECOND
        new = fact(
            number,
            stream,
            event=event,
            actor=actor,
            correlation_id=correlation_id,
            causation_id=uuid(1) if number in (2, 5) else None,
            occurred_at=NOON - number * SECOND,
        )
        log.append([new])
    return log


def found(log: EventLog, **conditions: Any) -> list[int]:
    return [event.position for event in log.search(Query(**conditions))]


ANSWERS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [1, 2, 3, 4, 5, 6]),
    ({"stream": "flag-checkout"}, [1, 3, 6]),
    ({"stream": "flag"}, []),
    ({"type": "flag.enabled"}, [1, 2, 6]),
    ({"type": "flag.*"}, [1, 2, 3, 5, 6]),
    ({"type": "flag.e*"}, [1, 2, 6]),
    ({"type": "rollout.*"}, [4]),
    ({"type": "*"}, [1, 2, 3, 4, 5, 6]),
    ({"type": "flag"}, []),
    ({"type": "flag.enabled*"}, [1, 2, 6]),
    ({"actor": "ci"}, [2, 3, 6]),
    ({"actor": "CI"}, []),
    ({"correlation_id": "r-1"}, [1, 3]),
    ({"after": 4}, [5, 6]),
    ({"after": 6}, []),
    ({"before": 3}, [1, 2]),
    ({"before": 1}, []),
    ({"before": 0}, []),
    ({"before": 2**63 - 1}, [1, 2, 3, 4, 5, 6]),
    ({"after": 1, "before": 4, "stream": "flag-checkout"}, [3]),
    ({"limit": 2}, [1, 2]),
    ({"id": uuid(3)}, [4]),
    ({"id": uuid(99)}, []),
    ({"kind": "token"}, [2, 3, 6]),
    ({"kind": "system"}, []),
    ({"kind": "person", "actor": "ci"}, []),
    ({"causation_id": uuid(1)}, [3, 6]),
    ({"type": ("flag.disabled", "rollout.*")}, [3, 4, 5]),
    ({"type": ("flag.disabled", "flag.*", "nothing.*")}, [1, 2, 3, 5, 6]),
    ({"type": ("nothing", "*")}, [1, 2, 3, 4, 5, 6]),
    ({"type": ()}, []),
    ({"text": "it fails"}, [3, 5]),
    ({"text": "IT F"}, [3, 5]),
    ({"text": "checkout"}, []),
    ({"text": "it", "limit": 2}, [1, 2]),
    ({"text": "it", "limit": 2, "newest_first": True}, [6, 5]),
    ({"text": "it is", "stream": "flag-checkout"}, [1, 6]),
    ({"newest_first": True}, [6, 5, 4, 3, 2, 1]),
    ({"newest_first": True, "after": 2, "limit": 3}, [6, 5, 4]),
    ({"newest_first": True, "after": 1, "before": 6, "limit": 3}, [5, 4, 3]),
    ({"since": NOON - 2 * SECOND}, [1, 2, 3]),
    ({"until": NOON - 2 * SECOND}, [4, 5, 6]),
    ({"since": NOON - 3 * SECOND, "until": NOON - 1 * SECOND}, [3, 4]),
    ({"since": NOON + 2 * SECOND, "clock": "recorded_at"}, [3, 4, 5, 6]),
    ({"until": NOON + 2 * SECOND, "clock": "recorded_at"}, [1, 2]),
    ({"since": NOON, "until": NOON, "clock": "recorded_at"}, []),
]


def test_a_search_finds_what_meets_its_condition(history: EventLog) -> None:
    for conditions, positions in ANSWERS:
        assert found(history, **conditions) == positions, conditions


MEETS: dict[tuple[str, Any], Callable[[RecordedEvent[Event]], bool]] = {
    ("stream", "flag-checkout"): lambda event: event.stream == "flag-checkout",
    ("type", "flag.*"): lambda event: event.type.startswith("flag."),
    ("actor", "ci"): lambda event: event.actor.id == "ci",
    ("kind", "token"): lambda event: event.actor.kind == "token",
    ("correlation_id", "r-1"): lambda event: event.correlation_id == "r-1",
    ("since", NOON - 4 * SECOND): lambda event: event.occurred_at >= NOON - 4 * SECOND,
    ("until", NOON): lambda event: event.occurred_at < NOON,
    ("after", 1): lambda event: event.position > 1,
    ("before", 5): lambda event: event.position < 5,
}


def test_conditions_given_together_must_all_hold(history: EventLog) -> None:
    everything = history.read()
    for size, newest_first in product(range(2, len(MEETS) + 1), [False, True]):
        for some in combinations(MEETS, size):
            expected = [e.position for e in everything if all(MEETS[c](e) for c in some)]
            conditions = dict(some) | {"newest_first": newest_first}
            order = -1 if newest_first else 1
            assert found(history, **conditions) == expected[::order], conditions


TEXTS = ["id", "stream", "type", "actor", "correlation_id", "causation_id", "text"]


def test_what_cannot_be_in_the_log_is_not_found_in_it(history: EventLog) -> None:
    names = ["a\0b", "\ud800", "'; DROP TABLE event_log; --", "%", "_", "flag_checkout", "👩‍💻"]
    for condition, name in product(TEXTS, names):
        assert found(history, **{condition: name}) == []
        assert history.read_stream(name) == []


SAID = [
    "INC-7", "inc-7: Größe", "GRÖSSE", "4\u212a", "4k", "ﬁx it", "İt", "100 %", "100_%", '"due"',
    "c:\\dir", "a\nb", "a\tb", "x" * 500, "\u017fure", "o\u0301",
]  # fmt: skip
"""Reasons, and parts of reasons that are looked for in all of them."""


def test_a_text_is_found_as_it_is_told_and_however_it_is_stored(log: EventLog) -> None:
    log.append([fact(n, event=FlagDisabled(flag="f", reason=one)) for n, one in enumerate(SAID)])
    for one in SAID:
        for text in (one, one.upper(), one.swapcase(), one[:2], one[1:], one[-1:] * 200):
            wanted = text.casefold()
            expected = [n for n, said in enumerate(SAID, 1) if wanted in said.casefold()]
            assert found(log, text=text) == expected, text


def test_a_star_matches_no_more_than_what_it_stands_for(log: EventLog) -> None:
    log.append(facts(1, 2))
    assert found(log, type="flag*") == [1, 2]
    assert found(log, type="f*g.enabled") == found(log, type="*.enabled") == []


def test_names_are_compared_byte_by_byte(log: EventLog) -> None:
    log.append([fact(1, "flag-É"), fact(2, "flag-é"), fact(3, "flag-e\u0301")])
    assert found(log, stream="flag-é") == [2]
