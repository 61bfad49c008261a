"""What every log promises to whoever appends and reads, whatever it is kept in."""

import pytest

from events import Actor, Receipt
from events.chain import GENESIS, Head
from events.errors import VersionConflict
from events.log import EventLog
from tests.conftest import Clock
from tests.contracts.conftest import OpenLog
from tests.events.builders import NOON, enabled, fact, facts, uuid


def positions(receipts: list[Receipt]) -> list[int]:
    return [receipt.position for receipt in receipts]


def test_a_new_log_is_empty_and_its_chain_begins_with_zeros(log: EventLog) -> None:
    assert log.head() == Head(0, GENESIS, 0)
    assert log.read() == []
    assert log.verify() == log.head()


def test_positions_are_dense_and_start_at_one(log: EventLog) -> None:
    assert positions(log.append([fact(1)])) == [1]
    assert positions(log.append(facts(2, 4))) == [2, 3, 4]
    assert [event.position for event in log.read()] == [1, 2, 3, 4]


def test_versions_count_within_each_stream(log: EventLog) -> None:
    log.append([fact(1, "flag-a"), fact(2, "flag-b"), fact(3, "flag-a")])
    log.append([fact(4, "flag-b"), fact(5, "flag-a")])
    placed = [(event.stream, event.version) for event in log.read()]
    assert placed == [("flag-a", 1), ("flag-b", 1), ("flag-a", 2), ("flag-b", 2), ("flag-a", 3)]


def test_appending_nothing_answers_nothing_and_leaves_the_log_alone(log: EventLog) -> None:
    assert log.append([], expected={"flag-checkout": 7}) == []
    assert log.head() == Head()


def test_what_is_read_is_what_was_appended(log: EventLog, clock: Clock) -> None:
    actor = Actor(kind="token", id="ci", name="The build")
    log.append([fact(2, occurred_at=NOON, actor=actor, correlation_id="r-1", causation_id=uuid(1))])
    [event] = log.read()
    assert event.event == enabled()
    assert event.data == '{"flag":"checkout","reason":"it is time"}'
    assert (event.environment, event.stream, event.id) == ("production", "flag-checkout", uuid(2))
    assert (event.type, event.schema_version) == ("flag.enabled", 1)
    assert (event.occurred_at, event.recorded_at) == (NOON, clock.now)
    assert (event.actor, event.correlation_id, event.causation_id) == (actor, "r-1", uuid(1))


def test_what_nobody_told_is_kept_as_nothing(log: EventLog) -> None:
    log.append([fact(1, actor=Actor(kind="system", id="cron"))])
    [event] = log.read()
    assert (event.actor.name, event.correlation_id, event.causation_id) == ("", None, None)


def test_a_second_append_of_the_same_id_appends_nothing(log: EventLog) -> None:
    log.append(facts(1, 3))
    assert log.append([fact(2)]) == [Receipt(2, duplicate=True)]
    assert log.head().position == 3


def test_the_first_event_of_an_id_stays_though_the_second_says_something_else(
    log: EventLog,
) -> None:
    log.append([fact(1)])
    log.append([fact(1, "flag-other", event=enabled("for another reason"))])
    [event] = log.read()
    assert (event.stream, event.event) == ("flag-checkout", enabled())


def test_an_id_twice_in_one_append_is_recorded_once(log: EventLog) -> None:
    receipts = log.append([fact(1), fact(2), fact(1)])
    assert receipts == [Receipt(1), Receipt(2), Receipt(1, duplicate=True)]
    assert [event.version for event in log.read()] == [1, 2]


def test_an_append_known_in_part_records_the_rest_without_gaps(log: EventLog) -> None:
    log.append([fact(2), fact(4)])
    receipts = log.append(facts(1, 5))
    assert positions(receipts) == [3, 1, 4, 2, 5]
    assert [receipt.duplicate for receipt in receipts] == [False, True, False, True, False]
    assert [event.version for event in log.read()] == [1, 2, 3, 4, 5]


def test_a_retry_of_more_ids_than_one_question_holds_is_answered_as_the_first_time(
    log: EventLog,
) -> None:
    first = log.append(facts(1, 1203))
    assert positions(log.append(facts(1, 1203))) == positions(first)
    assert log.head().position == 1203


def test_an_expected_version_that_holds_lets_the_append_through(log: EventLog) -> None:
    log.append([fact(1)], expected={"flag-checkout": 0})
    log.append(facts(2, 3), expected={"flag-checkout": 1})
    log.append([fact(4)], expected={"flag-checkout": 3})
    assert log.head().position == 4


@pytest.mark.parametrize("expected", [0, 1, 3])
def test_another_version_than_the_expected_one_is_a_conflict(log: EventLog, expected: int) -> None:
    log.append(facts(1, 2))
    before = log.head()
    with pytest.raises(VersionConflict, match=rf"is at version 2, not {expected}"):
        log.append([fact(3)], expected={"flag-checkout": expected})
    assert log.head() == before


def test_a_conflict_on_one_stream_refuses_the_events_of_all(log: EventLog) -> None:
    log.append([fact(1, "flag-a")])
    with pytest.raises(VersionConflict):
        log.append([fact(2, "flag-b"), fact(3, "flag-a")], expected={"flag-b": 0, "flag-a": 0})
    assert log.read_stream("flag-b") == []


def test_a_stream_that_was_only_read_can_conflict_too(log: EventLog) -> None:
    log.append([fact(1, "flag-a")])
    log.append([fact(2, "flag-b")], expected={"flag-a": 1})
    log.append([fact(3, "flag-a")])
    with pytest.raises(VersionConflict, match="flag-a is at version 2, not 1"):
        log.append([fact(4, "flag-b")], expected={"flag-a": 1})


def test_a_retry_is_answered_though_its_expected_version_is_long_past(log: EventLog) -> None:
    log.append([fact(1)], expected={"flag-checkout": 0})
    log.append([fact(2)])
    assert log.append([fact(1)], expected={"flag-checkout": 0}) == [Receipt(1, duplicate=True)]


def test_a_retry_that_brings_more_is_held_to_its_expected_version(log: EventLog) -> None:
    log.append([fact(1)], expected={"flag-checkout": 0})
    with pytest.raises(VersionConflict):
        log.append([fact(1), fact(2)], expected={"flag-checkout": 0})
    log.append([fact(1), fact(2)], expected={"flag-checkout": 1})
    assert log.head().position == 2


def test_recorded_at_never_decreases_though_the_clock_goes_back(
    log: EventLog, clock: Clock
) -> None:
    start = clock.now
    for number, step in enumerate([0, 5, -1_000_000, 3, 999_998], start=1):
        clock.advance(step)
        log.append([fact(number)])
    assert [event.recorded_at - start for event in log.read()] == [0, 5, 5, 5, 6]
    assert log.head().recorded_at == start + 6


def test_occurred_at_is_kept_as_told_whatever_the_clock_says(log: EventLog, clock: Clock) -> None:
    told = [clock.now + 10**12, 0, -1, NOON]
    log.append([fact(number, occurred_at=moment) for number, moment in enumerate(told)])
    assert [event.occurred_at for event in log.read()] == told


def test_reading_pages_through_the_log_in_order(log: EventLog) -> None:
    log.append(facts(1, 10))
    assert [event.position for event in log.read(limit=3)] == [1, 2, 3]
    assert [event.position for event in log.read(3, 3)] == [4, 5, 6]
    assert [event.position for event in log.read(9, 3)] == [10]
    assert log.read(10) == log.read(11) == []


def test_a_position_before_the_first_is_the_beginning(log: EventLog) -> None:
    log.append(facts(1, 2))
    assert [event.position for event in log.read(-1)] == [1, 2]


def test_a_stream_is_read_from_any_version_in_order(log: EventLog) -> None:
    log.append([fact(1, "flag-a"), fact(2, "flag-b"), fact(3, "flag-a"), fact(4, "flag-a")])
    assert [event.id for event in log.read_stream("flag-a")] == [uuid(1), uuid(3), uuid(4)]
    assert [event.id for event in log.read_stream("flag-a", 2)] == [uuid(4)]
    assert log.read_stream("flag-a", 3) == log.read_stream("flag-c") == []


def test_each_hash_covers_the_one_before_and_the_head_names_the_last(log: EventLog) -> None:
    log.append(facts(1, 3))
    hashes = [event.hash for event in log.read()]
    assert len(set(hashes)) == 3
    assert log.head().hash.hex() == hashes[-1]
    assert log.verify() == log.head()


def test_every_kind_of_log_chains_the_same_events_to_the_same_hash(log: EventLog) -> None:
    log.append(facts(1, 3, correlation_id="r-1"))
    known = "87355e3fefe3ff99d5e4b31fdd66a758193fcf6434020f7ef106e06f2d6c099d"
    assert log.head().hash.hex() == known


def test_environments_are_separate_logs_in_one_database(open_log: OpenLog) -> None:
    production, staging = open_log(), open_log("staging")
    production.append(facts(1, 3))
    assert staging.append([fact(1)], expected={"flag-checkout": 0}) == [Receipt(1)]
    assert [log.head().position for log in (production, staging)] == [3, 1]
    assert [event.environment for event in staging.read()] == ["staging"]
    assert staging.verify() == staging.head() != production.verify()


def test_a_log_opened_again_goes_on_where_it_stood(open_log: OpenLog) -> None:
    open_log().append(facts(1, 2))
    again = open_log()
    assert again.append([fact(2), fact(3)]) == [Receipt(2, duplicate=True), Receipt(3)]
    assert again.verify().position == 3
