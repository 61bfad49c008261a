from collections.abc import Callable
from typing import Any

import pytest

from controlplane.errors import FlagNotFound, TooManyConflicts
from controlplane.execution import Context, Transaction, execute
from events.event import Actor
from events.flags import flag_stream
from events.log import EventLog
from projections.flags import FLAGS
from tests.projections.flag_events import created, enabled, exposed
from tests.projections.recording import new

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
