from collections.abc import Callable
from typing import Any

import pytest

from controlplane.errors import FlagNotFound, LeaseLost, TooManyConflicts
from controlplane.execution import Context, Fence, Transaction, execute
from events.event import Actor, Event
from events.flags import flag_stream
from events.interventions import HoldKind
from events.judgements import WaveJudged, judgement_stream
from events.log import EventLog
from events.rollouts import rollout_stream
from projections.flags import FLAGS
from projections.rollouts import ROLLOUTS, Rollout
from tests.projections.flag_events import created, enabled, exposed
from tests.projections.recording import new
from tests.projections.rollout_events import (
    ID,
    answered,
    drafted,
    entered,
    held,
    judged,
    started,
)

CHECKOUT, OTHER = flag_stream("checkout"), flag_stream("other")
CONTEXT = Context(actor=Actor.person("alice"), correlation_id="c", causation_id=None)


@pytest.fixture
def run(
    log: EventLog, clock: Callable[[], int], new_id: Callable[[], str]
) -> Callable[[Callable[[Transaction], Any]], Any]:
    return lambda work: execute(log, work, clock=clock, new_id=new_id, context=CONTEXT)


def test_a_command_reads_folds_decides_and_appends(log: EventLog, run: Any, clock: Any) -> None:
    log.append([new(created)])

    def switch_on(transaction: Transaction) -> str:
        flag = transaction.fold(FLAGS, CHECKOUT, "checkout")
        transaction.stage(CHECKOUT, [] if flag.enabled else [enabled, exposed(5)])
        return flag.owner

    assert run(switch_on) == ("team", 3)
    first, second = log.read(1)
    assert [first.event, second.event] == [enabled, exposed(5)]
    assert (first.actor, first.correlation_id, first.occurred_at) == (
        CONTEXT.actor,
        "c",
        clock(),
    )
    assert first.id != second.id


def test_a_command_that_changes_nothing_appends_nothing(log: EventLog, run: Any) -> None:
    log.append([new(created)])
    assert run(lambda transaction: transaction.fold(FLAGS, CHECKOUT, "checkout").owner) == (
        "team",
        0,
    )
    assert log.head().position == 1


def test_a_refusal_appends_nothing(log: EventLog, run: Any) -> None:
    def refuse(transaction: Transaction) -> None:
        transaction.stage(CHECKOUT, [created])
        raise FlagNotFound(flag="checkout")

    with pytest.raises(FlagNotFound):
        run(refuse)
    assert log.head().position == 0


def overtaken(log: EventLog, times: int, stream: str) -> Callable[[Transaction], int]:
    """Work that is overtaken, so many times, by somebody who appends to what it read."""
    attempts = []

    def work(transaction: Transaction) -> int:
        flag = transaction.fold(FLAGS, stream, "checkout")
        transaction.stage(CHECKOUT, [exposed(flag.percentage)])
        attempts.append(flag)
        if len(attempts) <= times:
            log.append([_in(stream)])
        return len(attempts)

    return work


def _in(stream: str) -> Any:
    event = new(created)
    return type(event)(
        stream=stream, event=created, id=event.id, occurred_at=event.occurred_at, actor=event.actor
    )


@pytest.mark.parametrize("stream", [CHECKOUT, OTHER], ids=["written", "only read"])
def test_what_was_decided_on_something_that_changed_is_decided_again(
    log: EventLog, run: Any, stream: str
) -> None:
    assert run(overtaken(log, 2, stream)) == (3, 3)
    assert log.head().position == 3


@pytest.mark.parametrize("stream", [CHECKOUT, OTHER], ids=["written", "only read"])
def test_after_fifty_attempts_it_gives_up(log: EventLog, run: Any, stream: str) -> None:
    with pytest.raises(TooManyConflicts, match="after 50 attempts nothing was done") as refusal:
        run(overtaken(log, 10**9, stream))
    assert refusal.value.status == 503
    assert [event.event for event in log.read()] == [created] * 50


def test_a_stream_that_is_read_twice_must_be_as_it_was_at_first(log: EventLog, run: Any) -> None:
    seen = []

    def work(transaction: Transaction) -> None:
        first = transaction.fold(FLAGS, CHECKOUT, "checkout")
        if not seen:
            log.append([new(created)])
        seen.append((first.exists, transaction.fold(FLAGS, CHECKOUT, "checkout").exists))
        transaction.stage(OTHER, [exposed(5)])

    run(work)
    assert seen == [(False, True), (True, True)]


def test_a_consequence_names_its_cause(log: EventLog, run: Any) -> None:
    def work(transaction: Transaction) -> None:
        cause = transaction.stage(CHECKOUT, [created])
        assert transaction.stage(CHECKOUT, [], cause=cause) == cause
        transaction.stage(CHECKOUT, [enabled], cause=cause, belongs_to="rollout")

    run(work)
    first, second = log.read()
    assert (first.causation_id, second.causation_id) == (None, first.id)
    assert (first.correlation_id, second.correlation_id) == ("c", "rollout")


# A fence


@pytest.mark.parametrize(("version", "lost"), [(1, False), (0, True), (2, True)])
def test_who_goes_by_an_older_version_of_the_fence_does_nothing(
    log: EventLog, clock: Any, new_id: Any, version: int, *, lost: bool
) -> None:
    log.append([new(created)])
    fence = Fence(CHECKOUT, version)

    def work(transaction: Transaction) -> None:
        transaction.stage(OTHER, [exposed(5)])

    def go() -> None:
        execute(log, work, clock=clock, new_id=new_id, context=CONTEXT, fence=fence)

    if lost:
        with pytest.raises(LeaseLost):
            go()
    else:
        go()
    assert log.head().position == (1 if lost else 2)


def test_within_the_fence_a_conflict_is_tried_again(log: EventLog, clock: Any, new_id: Any) -> None:
    work, fence = overtaken(log, 2, CHECKOUT), Fence(OTHER, 0)
    done = execute(log, work, clock=clock, new_id=new_id, context=CONTEXT, fence=fence)
    assert done == (3, 3)


# A stream, with the latest of another one

STATE, NOTES = rollout_stream(ID), judgement_stream(ID)


def notes(log: EventLog, *events: Event) -> None:
    log.append([new(event) for event in events])


def folded(transaction: Transaction) -> Rollout:
    return transaction.fold_with_latest(ROLLOUTS, ID, STATE, NOTES, WaveJudged.TYPE)


def test_of_a_long_series_only_the_latest_of_a_type_is_folded(log: EventLog, run: Any) -> None:
    notes(log, drafted, started(), entered(), judged("FAIL"), judged("PASS"), answered())
    rollout, _ = run(folded)
    assert (rollout.state, rollout.verdict) == ("entering", "PASS")


def test_what_was_found_before_the_present_wave_is_not_about_it(log: EventLog, run: Any) -> None:
    notes(log, drafted, started(), entered(), judged("PASS"), entered(2), answered())
    rollout, _ = run(folded)
    assert (rollout.wave, rollout.verdict, rollout.judged_at) == (2, "NO_DATA", 0)


@pytest.mark.parametrize("found", [[], [answered()]])
def test_where_there_is_none_of_the_type_the_stream_is_folded_alone(
    log: EventLog, run: Any, found: list[Event]
) -> None:
    notes(log, drafted, *found)
    rollout, _ = run(folded)
    assert (rollout.state, rollout.judged_at) == ("draft", 0)


@pytest.mark.parametrize("late", [judged("FAIL"), answered(), entered(2)])
def test_both_streams_must_be_as_they_were_read(log: EventLog, run: Any, late: Event) -> None:
    notes(log, drafted, started(), entered(), judged("PASS"))
    seen = []

    def work(transaction: Transaction) -> str:
        rollout = folded(transaction)
        if not seen:
            notes(log, late)
        seen.append(rollout)
        transaction.stage(OTHER, [exposed(5)])
        return str(rollout.verdict)

    run(work)
    assert len(seen) == 2


# What will be


def test_what_was_decided_can_be_seen_before_it_is_in_the_log(run: Any, clock: Any) -> None:
    def work(transaction: Transaction) -> Rollout:
        rollout = transaction.fold(ROLLOUTS, STATE, ID)
        return transaction.foresee(ROLLOUTS, rollout, [drafted, started(), entered()])

    rollout, position = run(work)
    assert (rollout.state, rollout.started_at, position) == ("entering", clock(), 0)


@pytest.mark.parametrize("hold", ["paused", "rejected"])
def test_what_is_foreseen_says_who_did_it(run: Any, hold: HoldKind) -> None:
    def work(transaction: Transaction) -> Rollout:
        return transaction.foresee(ROLLOUTS, Rollout(ID), [drafted, entered(), held(hold)])

    rollout, _ = run(work)
    assert rollout.holds[0].by == CONTEXT.actor.id
