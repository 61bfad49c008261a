"""What a log refuses, before it could harm anyone, and what odd things it keeps."""

from typing import Any

import pytest
from msgspec.structs import replace

from events import Actor, Event, NewEvent, Receipt
from events.errors import InvalidEvent
from events.executions import BatchExecuted
from events.flags import Audience, Condition, ExposureChanged
from events.judgements import Judgement, WaveJudged
from events.log import EventLog
from events.timestamps import NEWEST, OLDEST
from tests.events.builders import enabled, fact, facts, started


def nested(depth: int) -> list[Any]:
    lists: list[Any] = []
    for _ in range(depth):
        lists = [lists]
    return lists


class Unlisted(Event, frozen=True):
    TYPE = "flag.unlisted"


WRONG_ENVELOPES: list[dict[str, Any]] = [
    {"stream": ""},
    {"stream": "x" * 256},
    {"stream": "a\0b"},
    {"stream": "a\nb"},
    {"stream": "\ud83d"},
    {"correlation_id": "x" * 256},
    {"correlation_id": "\0"},
    {"causation_id": "x" * 37},
    {"actor": Actor(kind="robot", id="r2")},  # type: ignore[arg-type]  # why: wrong on purpose
    {"actor": Actor(kind="person", id="")},
    {"actor": Actor(kind="person", id="x" * 256)},
    {"actor": Actor(kind="person", id="ann", name="\udcff")},
    {"occurred_at": NEWEST + 1},
    {"occurred_at": OLDEST - 1},
    {"occurred_at": 2**64},
    {"occurred_at": 0.5},
]

WRONG_EVENTS: list[Event] = [
    enabled("a lone \ud83d surrogate"),
    enabled(None),  # type: ignore[arg-type]  # why: wrong on purpose
    Unlisted(),
    started(number=10**5_000),
    started(thing=object()),
    started(deep=nested(5_000)),
    BatchExecuted(flag="", cohort="on", unit="u", outcome="succeeded", duration_us=1),
    BatchExecuted(flag="f", cohort="on", unit="u", outcome="exploded", duration_us=1),  # type: ignore[arg-type]  # why: wrong on purpose
    BatchExecuted(flag="f", cohort="on", unit="u", outcome="failed", duration_us=-1),
    BatchExecuted(
        flag="f", cohort="on", unit="u", outcome="failed", duration_us=1, violations={"v": -1}
    ),
    ExposureChanged(
        flag="f", audience=Audience("a"), before=0, after=float("nan"), reason="not a number"
    ),
    ExposureChanged(flag="f", audience=Audience("a"), before=0, after=100.1, reason="too much"),
]


SCRIPTS = [
    "naïve café",
    "日本語",
    "👩‍💻🏳️‍🌈",
    "پشتیبانِ می‌خواهم",
    "e\u0301 is not \u00e9",
    "\u00a0\u200b\ufeff\ufffe",
    "\U0010ffff",
    "' \" \\ % %s ? :x ; -- ",
]

WRONG_IDS = [
    "",
    "1",
    "00000000-0000-0000-0000-00000000000G",
    "00000000-0000-0000-0000-00000000000A",
    "00000000000000000000000000000001",
    "00000000-0000-0000-0000-000000000001\n",
    " 00000000-0000-0000-0000-000000000001",
    "\u0660" * 8 + "-0000-0000-0000-000000000001",
]


def refused(log: EventLog, *events: NewEvent, **conditions: Any) -> None:
    """Nothing of the append is kept, and the log goes on as if it had not been tried."""
    log.append([fact(1)])
    with pytest.raises(InvalidEvent):
        log.append(events, **conditions)
    assert log.append([fact(1)]) == [Receipt(1, duplicate=True)]
    assert log.verify().position == 1


def test_a_wrong_envelope_is_refused_and_loses_nothing(log: EventLog) -> None:
    for envelope in WRONG_ENVELOPES:
        refused(log, fact(2), fact(3, **envelope), fact(4))


def test_an_event_that_could_not_be_read_back_is_refused(log: EventLog) -> None:
    for event in WRONG_EVENTS:
        refused(log, fact(2), fact(3, event=event), fact(4))


def test_an_id_is_a_uuid_in_its_one_usual_form(log: EventLog) -> None:
    for wrong in WRONG_IDS:
        refused(log, fact(2), replace(fact(3), id=wrong))


def test_a_stream_that_cannot_be_cannot_be_expected(log: EventLog) -> None:
    for stream in ("", "a\0b", "\ud83d", "x" * 256):
        refused(log, fact(2), expected={stream: 0})


def test_any_script_goes_in_and_comes_out_the_same(log: EventLog) -> None:
    for number, text in enumerate(SCRIPTS, start=1):
        actor = Actor(kind="person", id=text, name=text)
        log.append([fact(number, text, event=enabled(text), actor=actor, correlation_id=text)])
        [event] = log.read_stream(text)
        assert event.event == enabled(text)
        assert (event.stream, event.actor, event.correlation_id) == (text, actor, text)
    assert log.verify().position == len(SCRIPTS)


def test_an_event_may_hold_control_characters(log: EventLog) -> None:
    for number, text in enumerate(["\0", "a\0b", "\x1f\x7f\x80", "\r\n\t", "\u2028"]):
        log.append([fact(number, event=enabled(text))])
        assert log.read(number)[0].event == enabled(text)
    assert log.verify().position == 5


def test_an_event_of_eight_megabytes_is_an_event(log: EventLog) -> None:
    huge = started(text="ü" * 4_000_000)
    log.append([fact(1), fact(2, event=huge), fact(3)])
    assert log.read()[1].event == huge
    assert log.verify().position == 3


def test_names_may_be_as_long_as_their_limit(log: EventLog) -> None:
    longest = "😀" * 255
    actor = Actor(kind="person", id=longest, name=longest)
    log.append([fact(1, longest, actor=actor, correlation_id=longest)])
    assert log.read_stream(longest)[0].actor == actor


def test_the_first_and_the_last_moment_are_kept(log: EventLog) -> None:
    log.append([fact(1, occurred_at=OLDEST), fact(2, occurred_at=NEWEST)])
    assert [event.occurred_at for event in log.read()] == [OLDEST, NEWEST]


def test_a_number_of_an_event_is_read_as_its_field_says(log: EventLog) -> None:
    numbers = {"share": 1, "ratio": 0.1, "none": None, "big": 2**63 - 1}
    judgement = Judgement(criterion="c", verdict="PASS", sentence="", numbers=numbers)
    judged = WaveJudged(
        rollout="r", wave=1, as_of=1, judged_at=0, evaluator=1, evidence_digest="",
        verdict="PASS", reason="",
        judgements=(judgement,),
    )  # fmt: skip
    percent = ExposureChanged(
        flag="f",
        audience=Audience("a", (Condition("plan", "in", ("free", 1, 1.5, True)),)),
        before=25,
        after=100 / 3,
        reason="",
    )
    log.append([fact(1, event=judged), fact(2, event=percent)])
    assert [event.event for event in log.read()] == [judged, percent]
    assert type(log.read()[1].event.before) is float  # type: ignore[attr-defined]  # why: looked inside


def test_a_refusal_of_the_whole_leaves_the_chain_as_it_was(log: EventLog) -> None:
    log.append(facts(1, 2))
    before = log.head()
    with pytest.raises(InvalidEvent):
        log.append([*facts(3, 9), fact(10, "")])
    assert log.verify() == before
