"""However requests are cut short, answers lost and threads paused: one acts, and in its turn."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from typing import Literal, get_args, get_type_hints
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane import ControlPlane
from controlplane.lease import Held, Lease
from controlplane.plane.scheduling import Candidate
from events.errors import LogUnavailable, OutcomeUnknown
from events.event import NewEvent, Receipt
from events.timestamps import HOUR, SECOND
from tests.conftest import Clock
from tests.plane.candidates import ACTS, TTL, act, candidate, expire, out_of_turn, taken


@dataclass
class Interrupted:
    """A lease where something happens between an answer and its being acted on."""

    lease: Lease
    then: Callable[[], object] = lambda: None

    def acquire(self, holder: str, ttl_us: int, token: int) -> Held | None:
        held = self.lease.acquire(holder, ttl_us, token)
        self.then()
        return held

    def release(self, holder: str) -> None:
        self.lease.release(holder)

    def current(self) -> Held | None:
        return self.lease.current()


def interrupted(plane: ControlPlane, name: str) -> tuple[Candidate, Interrupted]:
    one = candidate(plane, name)
    lease = Interrupted(one._lease)
    one._lease = lease
    return one, lease


def fail(error: type[LogUnavailable] = LogUnavailable) -> None:
    raise error(cause="unplugged")


def test_who_dies_between_lease_and_log_leaves_no_gap(plane: ControlPlane) -> None:
    one, lease = interrupted(plane, "a")
    lease.then = fail
    with pytest.raises(LogUnavailable):
        one.renew()
    assert (one.fence, plane.schedule(), taken(plane)) == (None, None, [])
    expire(plane)
    assert candidate(plane, "b").renew()
    assert taken(plane) == [("b", 1)]


def test_a_lost_answer_is_asked_for_again(plane: ControlPlane) -> None:
    one, lease = interrupted(plane, "a")
    lease.then = fail
    with pytest.raises(LogUnavailable):
        one.renew()
    lease.then = lambda: None
    assert one.renew()
    assert taken(plane) == [("a", 1)]
    assert one.look(lambda: act(plane, "a"))


@contextmanager
def answers_lost(plane: ControlPlane) -> Iterator[None]:
    """What is appended is kept, and nobody learns of it."""
    append = plane.log.append

    def lost(events: Sequence[NewEvent], **expected: object) -> list[Receipt]:
        append(events, **expected)  # type: ignore[arg-type]  # why: cases by name
        raise OutcomeUnknown(cause="unplugged")

    with patch.object(plane.log, "append", lost):
        yield


def test_what_was_written_though_the_answer_was_lost_is_not_written_again(
    plane: ControlPlane,
) -> None:
    one = candidate(plane, "a")
    with answers_lost(plane), pytest.raises(OutcomeUnknown):
        one.renew()
    assert one.fence is None
    assert one.renew()
    assert taken(plane) == [("a", 1)]
    assert one.look(lambda: act(plane, "a"))


def test_who_wakes_up_after_another_took_over_writes_nothing(plane: ControlPlane) -> None:
    one, lease = interrupted(plane, "a")
    other = candidate(plane, "b")

    def paused() -> None:
        expire(plane)
        assert other.renew()

    lease.then = paused
    assert not one.renew()
    assert one.fence is None
    assert taken(plane) == [("b", 1)]
    schedule = plane.schedule()
    assert schedule is not None
    assert schedule.holder == "b"


def test_who_wakes_up_between_the_lease_and_the_log_of_another_delays_it_by_one_renewal(
    plane: ControlPlane, clock: Clock
) -> None:
    one, first = interrupted(plane, "a")
    other, second = interrupted(plane, "b")
    late: list[bool] = []

    def other_takes_the_row() -> None:
        expire(plane)
        second.then = lambda: None if late else late.append(one._write(1))
        assert not other.renew()

    first.then = other_takes_the_row
    clock.advance(SECOND)
    assert not one.renew()
    # The late one has the last word in the log, but knows that its time is over.
    assert (late, taken(plane)) == ([True], [("a", 1)])
    assert (other.fence, plane.schedule()) == (None, None)
    assert other.renew()
    assert taken(plane) == [("a", 1), ("b", 2)]
    assert other.look(lambda: act(plane, "b"))
    assert out_of_turn(plane) == []


def test_where_the_database_is_away_the_lease_is_held_until_it_expires(
    plane: ControlPlane, clock: Clock
) -> None:
    one, lease = interrupted(plane, "a")
    one.renew()
    lease.then = fail
    for _ in range(3):
        clock.advance(TTL // 4)
        with pytest.raises(LogUnavailable):
            one.renew()
        assert one.fence is not None
    clock.advance(TTL // 4)
    assert one.fence is None
    assert not one.look(pytest.fail)


def test_a_lease_counts_from_when_it_was_asked_for(plane: ControlPlane, clock: Clock) -> None:
    one, lease = interrupted(plane, "a")
    lease.then = lambda: clock.advance(TTL)
    one.renew()
    assert one.fence is None


def test_who_overslept_but_was_not_overtaken_goes_on_under_its_token(
    plane: ControlPlane, clock: Clock
) -> None:
    one = candidate(plane, "a")
    one.renew()
    clock.advance(HOUR)
    assert one.fence is None
    assert one.renew()  # And so looks at once.
    assert taken(plane) == [("a", 1)]


def test_a_token_that_somebody_else_used_up_is_not_adopted(plane: ControlPlane) -> None:
    one, first = interrupted(plane, "a")
    other, second = interrupted(plane, "b")

    def other_dies_before_it_writes() -> None:
        expire(plane)
        second.then = fail
        with pytest.raises(LogUnavailable):
            other.renew()

    first.then = other_dies_before_it_writes
    one.renew()
    second.then = lambda: None
    assert [other.renew(), other.renew()] == [False, True]
    assert taken(plane) == [("a", 1), ("b", 2)]


def test_a_lease_that_is_older_than_the_log_is_asked_for_anew(plane: ControlPlane) -> None:
    """After a restore of some tables and not of others."""
    one, other = candidate(plane, "a"), candidate(plane, "b")
    for each in (one, other, one):
        each.renew()
        each.resign()
    plane._lease.acquire("b", TTL, 2)
    assert [other.renew(), other.renew()] == [False, True]
    assert taken(plane) == [("a", 1), ("b", 2), ("a", 3), ("b", 4)]


@dataclass(frozen=True)
class Step:
    """What one candidate does, and what others do while it is paused in the middle."""

    kind: Literal["renews", "renews, unanswered", "acts", "resigns"]
    who: int
    after_us: int
    meanwhile: tuple["Step", ...] = ()


KINDS = st.sampled_from(get_args(get_type_hints(Step)["kind"]))
PAUSES = st.sampled_from([0, SECOND, TTL - 1, TTL, HOUR])


def steps(meanwhile: st.SearchStrategy[tuple[Step, ...]]) -> st.SearchStrategy[tuple[Step, ...]]:
    step = st.builds(Step, KINDS, st.integers(0, 2), PAUSES, meanwhile)
    return st.lists(step, max_size=4).map(tuple)


STORIES = st.lists(steps(steps(steps(st.just(())))), max_size=6).map(chain.from_iterable)


class Crowd:
    """Three candidates, in whatever order their steps meet."""

    def __init__(self, plane: ControlPlane, clock: Clock) -> None:
        self.plane, self.clock = plane, clock
        self.members = [interrupted(plane, name) for name in "abc"]
        self._paused: set[int] = set()

    def take(self, step: Step) -> None:
        self.clock.advance(step.after_us)
        if step.who in self._paused:
            return
        self._paused.add(step.who)
        one, lease = self.members[step.who]
        if step.kind == "acts":
            one.look(lambda: act(self.plane, one.holder, lambda: self._go_on(step)))
        elif step.kind == "resigns":
            one.resign()
        else:
            lease.then = lambda: self._go_on(step)
            with suppress(LogUnavailable):
                one.renew()
        self._paused.discard(step.who)

    def _go_on(self, step: Step) -> None:
        for other in step.meanwhile:
            self.take(other)
        if step.kind == "renews, unanswered":
            fail()


@given(STORIES)
@settings(max_examples=150)
def test_nobody_ever_acts_out_of_turn(story: Iterable[Step]) -> None:
    clock = Clock()
    with ControlPlane("memory://", clock=clock) as plane:
        crowd = Crowd(plane, clock)
        for step in story:
            crowd.take(step)
        assert out_of_turn(plane) == []
        assert [token for _, token in taken(plane)] == list(range(1, len(taken(plane)) + 1))
        clock.advance(HOUR)
        one, lease = crowd.members[0]
        lease.then = lambda: None
        assert one.renew() or one.renew()
        assert one.look(lambda: act(plane, one.holder))
        assert plane.events(stream=ACTS, newest_first=True)[0].actor.id == one.holder
