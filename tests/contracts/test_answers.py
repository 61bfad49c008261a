"""Any question to any log: the answer is what a walk through all of it finds."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from events import Actor, Event, RecordedEvent, sql_paths
from events.database import Database
from events.errors import ChainBroken
from events.flags import FlagDisabled, FlagEnabled
from events.log import Count, Dimension, EventLog, Query
from events.rollouts import RolloutCompleted
from events.sql_log import SqlLog
from events.timestamps import DAY, HOUR, MINUTE, SECOND, Timestamp, to_iso
from tests.conftest import Clock
from tests.contracts.conftest import OpenLog
from tests.contracts.test_tampering import tamper
from tests.events.builders import NOON, fact, facts, uuid

LENGTH = 160
STREAMS = ["flag-a", "flag-b", "rollout-r"]
ACTORS = [
    Actor.person("ann"), Actor.person("ben"), Actor(kind="token", id="ann", name="laptop"),
    Actor.system("alert-rules"),
]  # fmt: skip
BELONGS = [None, None, "r-1", "r-2"]
EVENTS: list[Event] = [
    FlagEnabled(flag="a", reason="it is time"),
    FlagEnabled(flag="a", reason='INC-7: "Größe"\n'),
    FlagDisabled(flag="a", reason="inc-8"),
    RolloutCompleted(rollout="r", flag="a"),
]
OFFSETS = [0, 0, 0, -SECOND, -5 * MINUTE, 5 * MINUTE, -5 * MINUTE - 1, -DAY, 3 * HOUR]
"""From when an event is recorded to when it happened; the last three make strays."""
MOMENTS = [NOON + n * HOUR for n in range(-30, 30, 2)] + [NOON + n * MINUTE for n in range(60)]

Recorded = RecordedEvent[Event]


@pytest.fixture
def past(log: EventLog, clock: Clock) -> EventLog:
    """All kinds of events, some at one moment, some hours apart, told early and late."""
    chance = seeded(7)
    clock.now = NOON
    for number in range(LENGTH):
        clock.advance(chance.choice([0, 0, SECOND, MINUTE, 20 * MINUTE]))
        new = fact(
            number,
            chance.choice(STREAMS),
            event=chance.choice(EVENTS),
            actor=chance.choice(ACTORS),
            correlation_id=chance.choice(BELONGS),
            causation_id=uuid(chance.randrange(number)) if number % 3 else None,
            occurred_at=clock.now + chance.choice(OFFSETS),
        )
        log.append([new])
    return log


CONDITIONS: dict[str, tuple[list[Any], Callable[[Recorded, Any], bool]]] = {
    "id": (
        [uuid(3), uuid(999), (uuid(150), uuid(4), uuid(9), uuid(9))],
        lambda event, value: event.id in several(value),
    ),
    "stream": ([*STREAMS, "none"], lambda event, value: event.stream == value),
    "type": (
        ["flag.enabled", "flag.*", ("rollout.*", "flag.disabled"), ("none", "flag.e*"), "*"],
        lambda event, value: any(
            event.type == one or (one[-1] == "*" and event.type.startswith(one[:-1]))
            for one in several(value)
        ),
    ),
    "actor": (["ann", "ben", "alert-rules", "eve"], lambda event, value: event.actor.id == value),
    "kind": (["person", "token", "system", "scheduler"], lambda e, value: e.actor.kind == value),
    "correlation_id": (["r-1", "r-2", "r-9"], lambda event, value: event.correlation_id == value),
    "causation_id": (
        [uuid(0), uuid(2), (uuid(5), uuid(0), uuid(7)), ()],
        lambda event, value: event.causation_id in several(value),
    ),
    "text": (
        ["inc-", "größe", "time", "flag"],
        lambda event, value: value.casefold() in reason(event),
    ),
    "after": ([0, 1, 80, LENGTH - 1, LENGTH, 9999], lambda event, value: event.position > value),
    "before": ([0, 1, 2, 80, LENGTH + 1, 9999], lambda event, value: event.position < value),
}


def several(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def seeded(number: int) -> random.Random:
    return random.Random(number)  # noqa: S311  why: the same in every run


def reason(event: Recorded) -> str:
    return folded(str(getattr(event.event, "reason", "")))


def folded(text: str) -> str:
    return text.casefold()


def at(event: Recorded, clock: str) -> Timestamp:
    return event.occurred_at if clock == "occurred_at" else event.recorded_at


def a_query(chance: random.Random) -> dict[str, Any]:
    names = chance.sample(sorted(CONDITIONS), chance.choice([0, 1, 1, 2, 2, 3]))
    asked: dict[str, Any] = {name: chance.choice(CONDITIONS[name][0]) for name in names}
    for name in ("since", "until"):
        if chance.random() < 0.6:
            asked[name] = chance.choice(MOMENTS)
    return asked | {"clock": chance.choice(["occurred_at", "recorded_at"])}


def answers(event: Recorded, asked: dict[str, Any]) -> bool:
    moment = at(event, asked["clock"])
    return (
        all(holds(event, asked[name]) for name, (_, holds) in CONDITIONS.items() if name in asked)
        and moment >= asked.get("since", moment)
        and (moment < asked["until"] if "until" in asked else True)
    )


QUERIES = [a_query(seeded(seed)) for seed in range(500)]


@pytest.fixture(params=["as it is", "all is many"])
def _many(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done where events and actors are too many to be counted, done with a few."""
    if request.param == "all is many":
        monkeypatch.setattr(sql_paths, "_FEW", (1, 3))
        monkeypatch.setattr(sql_paths, "_MANY_ACTORS", 1)


@pytest.mark.usefixtures("_many")
def test_a_search_finds_what_a_walk_through_all_finds(past: EventLog) -> None:
    everything, chance = past.read(), seeded(1)
    for asked in QUERIES:
        expected = [event.position for event in everything if answers(event, asked)]
        limit, newest_first = chance.choice([1, 3, 1000, 2**63 - 1]), chance.random() < 0.5
        query = Query(**asked, limit=limit, newest_first=newest_first)
        found = [event.position for event in past.search(query)]
        assert found == expected[:: -1 if newest_first else 1][:limit], query


DIMENSIONS: list[tuple[Dimension, ...]] = [
    (), ("actor",), ("kind", "actor"), ("type",), ("day",), ("day", "type"), ("stream", "kind"),
    ("hour",), ("type", "hour"),
]  # fmt: skip


@pytest.mark.usefixtures("_many")
def test_what_is_counted_is_what_is_found(past: EventLog) -> None:
    everything, chance = past.read(), seeded(2)
    for asked in QUERIES:
        by = chance.choice(DIMENSIONS)
        counted = past.count(Query(**asked, limit=1), by)
        found = [event for event in everything if answers(event, asked)]
        tally = Counter(tuple(value(event, one, asked) for one in by) for event in found)
        expected = [Count(values, count) for values, count in sorted(tally.items())]
        assert counted == (expected if by else [Count((), len(found))]), asked


def value(event: Recorded, dimension: Dimension, asked: dict[str, Any]) -> str:
    return {
        "actor": event.actor.id,
        "kind": event.actor.kind,
        "type": event.type,
        "stream": event.stream,
        "day": to_iso(at(event, asked["clock"]))[:10],
        "hour": to_iso(at(event, asked["clock"]))[:13] + ":00Z",
    }[dimension]


def test_days_before_the_epoch_are_counted_as_days(log: EventLog) -> None:
    log.append([fact(1, occurred_at=-1), fact(2, occurred_at=0), fact(3, occurred_at=-DAY - 1)])
    found = log.count(Query(), ["day"])
    assert [one.values[0] for one in found] == ["1969-12-30", "1969-12-31", "1970-01-01"]
    hours = [one.values[0] for one in log.count(Query(), ["hour"])]
    assert hours == ["1969-12-30T23:00Z", "1969-12-31T23:00Z", "1970-01-01T00:00Z"]


def test_an_empty_log_answers_nothing(log: EventLog) -> None:
    for asked in QUERIES[:100]:
        assert log.search(Query(**asked)) == log.count(Query(**asked), ["type"]) == []
        assert log.count(Query(**asked)) == [Count((), 0)]


def test_a_text_is_found_though_its_letters_are_escaped(open_log: OpenLog, url: str) -> None:
    log, database = open_log(), Database(url)
    log.append([fact(1), fact(2, event=EVENTS[2])])
    escaped = '{"flag":"a","reason":"see \\u0069N\\u0043-\\u0037"}'
    tamper(database, f"UPDATE event_log SET data = '{escaped}' WHERE position = 1")  # noqa: S608  why: our own words
    assert [event.position for event in log.search(Query(text="inc-7"))] == [1]
    assert [event.position for event in log.search(Query(text="INC-"))] == [1, 2]
    database.close()


def test_other_environments_are_other_logs(open_log: OpenLog) -> None:
    production, staging = open_log("production"), open_log("staging")
    production.append(facts(1, 5))
    staging.append([fact(1, "flag-other", actor=ACTORS[3])])
    for asked in [{"kind": "person"}, {"type": "flag.*"}, {"since": 0}, {"text": "time"}]:
        assert len(staging.search(Query(**asked))) == (0 if "kind" in asked else 1)
        assert len(production.search(Query(**asked))) == 5


def test_a_time_is_not_looked_for_where_an_event_is_missing(
    open_log: OpenLog, url: str, clock: Clock
) -> None:
    log, database = open_log(), Database(url)
    for number in range(1, 8):
        clock.advance(MINUTE)
        log.append([fact(number)])
    tamper(database, "DELETE FROM event_log WHERE position = 4")
    with pytest.raises(ChainBroken, match="at position 4: it is not there"):
        log.search(Query(since=clock.now, clock="recorded_at"))
    assert isinstance(log, SqlLog)
    database.close()
