"""What leaves as a CloudEvent is one: https://github.com/cloudevents/spec, version 1.0.2."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from events import Actor, Event, RecordedEvent
from events.catalog import CATALOG
from events.cloudevents import to_cloudevent
from events.memory_log import MemoryLog
from events.timestamps import NEWEST, OLDEST, parse
from tests.events.builders import NOON, enabled, fact, uuid

INT32 = range(-(2**31), 2**31)


@pytest.fixture
def event() -> RecordedEvent[Event]:
    return recorded(
        actor=Actor(kind="person", id="ann", name="Ann Müller 👩‍💻"),
        correlation_id="r-1",
        causation_id=uuid(7),
    )


def recorded(**envelope: Any) -> RecordedEvent[Event]:
    log = MemoryLog("production", lambda: NOON + 1)
    log.append([fact(1, **envelope)])
    return log.read()[0]


def test_the_mandatory_attributes_are_there(event: RecordedEvent[Event]) -> None:
    exported = to_cloudevent(event)
    assert exported["specversion"] == "1.0"
    assert exported["id"] == uuid(1)
    assert exported["type"] == "flag.enabled"
    assert exported["source"] == "/environments/production"
    assert urlsplit(exported["source"]).path == exported["source"]


def test_names_are_lower_case_letters_and_digits(event: RecordedEvent[Event]) -> None:
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in to_cloudevent(event))


def test_values_are_of_the_types_that_attributes_may_have(event: RecordedEvent[Event]) -> None:
    attributes = {name: value for name, value in to_cloudevent(event).items() if name != "data"}
    for value in attributes.values():
        assert (isinstance(value, int) and value in INT32) or (isinstance(value, str) and value)


def test_what_nobody_told_is_left_out() -> None:
    exported = to_cloudevent(recorded(actor=Actor(kind="system", id="cron")))
    assert None not in exported.values()
    assert {"actorname", "correlationid", "causationid"}.isdisjoint(exported)


def test_nothing_of_the_envelope_is_lost(event: RecordedEvent[Event]) -> None:
    exported = to_cloudevent(event)
    assert exported["subject"] == event.stream
    assert (int(exported["sequence"]), exported["streamversion"]) == (1, 1)
    assert exported["schemaversion"] == 1
    assert (parse(exported["time"]), parse(exported["recordedtime"])) == (NOON, NOON + 1)
    assert exported["actorkind"] == "person"
    assert (exported["actorid"], exported["actorname"]) == ("ann", "Ann Müller 👩‍💻")
    assert (exported["correlationid"], exported["causationid"]) == ("r-1", uuid(7))
    assert exported["hash"] == event.hash
    assert exported["datacontenttype"] == "application/json"
    assert exported["data"] == {"flag": "checkout", "reason": "it is time"}


def test_sequences_sort_as_text_like_positions_as_numbers() -> None:
    log = MemoryLog("production", lambda: 0)
    log.append([fact(number) for number in range(1, 12)])
    sequences = [to_cloudevent(event)["sequence"] for event in log.read()]
    assert sequences == sorted(sequences)


@pytest.mark.parametrize("moment", [OLDEST, 0, NEWEST])
def test_any_moment_that_can_be_recorded_can_be_exported(moment: int) -> None:
    time = to_cloudevent(recorded(occurred_at=moment, event=enabled()))["time"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", time)
    assert datetime.fromisoformat(time).tzinfo is not None


def test_stored_names_are_types_that_need_no_escaping() -> None:
    assert all(re.fullmatch(r"[a-z]+\.[a-z_]+", name) for name in CATALOG)
