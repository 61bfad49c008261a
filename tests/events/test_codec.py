"""Events become canonical JSON and come back as they were."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import Event, RecordedEvent
from events.chain import Row
from events.codec import decode, encode, recorded
from events.errors import InvalidEvent, UnknownEventType
from events.executions import BatchExecuted
from events.flags import EVERYONE, ExposureChanged, FlagEnabled
from events.judgements import Judgement, WaveJudged
from events.memory_log import MemoryLog
from events.upcasts import UPCASTS
from tests.events.builders import enabled, fact
from tests.events.strategies import any_event


def back(event: Event, text: str) -> Event:
    return decode(event.TYPE, event.SCHEMA_VERSION, text)


def batch(**fields: Any) -> BatchExecuted:
    return BatchExecuted(
        flag="f", cohort="on", unit="u", outcome="succeeded", **{"duration_us": 1, **fields}
    )


@given(any_event())
def test_every_event_comes_back_as_it_was(event: Event) -> None:
    assert back(event, encode(event)) == event


@given(any_event())
def test_an_event_that_was_read_is_written_as_the_same_text(event: Event) -> None:
    text = encode(event)
    assert encode(back(event, text)) == text


@given(any_event())
def test_keys_are_sorted_at_every_depth(event: Event) -> None:
    def check(pairs: list[tuple[str, Any]]) -> None:
        keys = [key for key, _ in pairs]
        assert keys == sorted(keys, key=str.encode)

    json.loads(encode(event), object_pairs_hook=check)


@given(st.dictionaries(st.text(min_size=1, max_size=9), st.integers(0, 9)), st.randoms())
def test_the_order_in_which_a_dictionary_was_filled_does_not_show(
    violations: dict[str, int], chance: Any
) -> None:
    shuffled = list(violations.items())
    chance.shuffle(shuffled)
    assert encode(batch(violations=dict(shuffled))) == encode(batch(violations=violations))


@given(st.integers(0, 100))
def test_a_percentage_is_one_text_however_it_was_written(percentage: int) -> None:
    def exposed(after: float) -> ExposureChanged:
        return ExposureChanged(flag="f", audience=EVERYONE, before=0, after=after, reason="")

    assert encode(exposed(percentage)) == encode(exposed(float(percentage)))


def test_text_is_compact_and_holds_letters_as_they_are() -> None:
    assert encode(enabled("ça va 👍")) == '{"flag":"checkout","reason":"ça va 👍"}'


def test_a_number_that_is_not_finite_is_kept_as_none() -> None:
    numbers = {"rate": float("nan"), "bound": float("inf")}
    judgement = Judgement(criterion="c", verdict="NO_DATA", sentence="", numbers=numbers)
    assert '"numbers":{"bound":null,"rate":null}' in encode(judged(judgement))


def judged(judgement: Judgement) -> Event:
    return WaveJudged(
        rollout="r",
        wave=1,
        as_of=1,
        judged_at=0,
        evaluator=1,
        evidence_digest="",
        verdict="NO_DATA",
        reason="",
        judgements=(judgement,),
    )


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "",
        '{"flag":"f"}',
        '{"flag":"f","reason":"r","more":1}',
        '{"flag":1,"reason":""}',
    ],
)
def test_text_that_is_not_the_event_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        decode("flag.enabled", 1, text)


def test_a_name_of_no_catalog_cannot_be_written() -> None:
    class Unlisted(Event, frozen=True):
        TYPE = "flag.unlisted"

    with pytest.raises(InvalidEvent, match=r"flag\.unlisted is not in the catalog"):
        encode(Unlisted())


@pytest.mark.parametrize(("name", "version"), [("flag.enabled", 2), ("flag.exploded", 1)])
def test_an_event_of_a_later_release_is_unknown(name: str, version: int) -> None:
    with pytest.raises(UnknownEventType, match=rf"{name} in schema version {version}.*Upgrade"):
        decode(name, version, "{}")


OLD: dict[tuple[str, int], Callable[[dict[str, Any]], tuple[str, int, dict[str, Any]]]] = {
    ("flag.turned_on", 1): lambda data: ("flag.turned_on", 2, {**data, "reason": "unknown"}),
    ("flag.turned_on", 2): lambda data: (
        "flag.enabled",
        1,
        {"flag": data["name"], "reason": data["reason"]},
    ),
}


def test_an_old_event_is_led_step_by_step_to_what_it_is_called_today() -> None:
    today = FlagEnabled(flag="checkout", reason="unknown")
    assert decode("flag.turned_on", 1, '{"name":"checkout"}', OLD) == today
    assert decode("flag.turned_on", 2, '{"name":"checkout","reason":"unknown"}', OLD) == today


def test_an_upcast_that_leads_to_nothing_known_is_refused() -> None:
    with pytest.raises(UnknownEventType):
        decode("flag.turned_on", 1, "{}", {("flag.turned_on", 1): lambda _: ("flag.lost", 1, {})})


def test_an_upcast_must_give_what_todays_class_accepts() -> None:
    with pytest.raises(ValueError, match="flag"):
        decode("a", 1, "{}", {("a", 1): lambda _: ("flag.enabled", 1, {"reason": "r"})})


def test_an_upcast_changes_what_is_read_and_never_what_is_stored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for step, upcast in OLD.items():
        monkeypatch.setitem(UPCASTS, step, upcast)
    row = stored("flag.turned_on", '{"name":"checkout"}')
    event: RecordedEvent[Event] = recorded(row)
    assert event.event == FlagEnabled(flag="checkout", reason="unknown")
    assert (event.type, event.schema_version) == ("flag.turned_on", 1)
    assert event.data == '{"name":"checkout"}'


def stored(name: str, data: str) -> Row:
    log = MemoryLog("production", lambda: 0)
    log.append([fact(1)])
    row = list(log._rows[0])
    row[5], row[14] = name, data
    return tuple(row)  # type: ignore[return-value]  # why: a list forgets its columns
