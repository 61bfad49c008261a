"""Candidates for the lease: history says who looked when, and nobody looks out of turn."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from controlplane import ControlPlane
from controlplane.execution import Transaction
from controlplane.plane.core import context
from controlplane.plane.scheduling import Candidate
from events.scheduler import SCHEDULER_STREAM, LeaseTaken
from events.timestamps import MINUTE, SECOND
from tests.conftest import Clock
from tests.events.builders import fact
from tests.journeys.traffic import ENGINEER, FLAG, Service
from tests.plane.candidates import TTL, act, candidate, expire, taken


@pytest.fixture
def pair(plane: ControlPlane) -> tuple[Candidate, Candidate]:
    return candidate(plane, "a"), candidate(plane, "b")


def test_a_change_of_hands_is_recorded_and_a_renewal_is_not(
    plane: ControlPlane, pair: tuple[Candidate, Candidate]
) -> None:
    one, other = pair
    assert one.renew()
    assert [one.renew(), other.renew(), one.renew()] == [False, False, False]
    one.resign()
    assert other.renew()
    assert not one.renew()
    other.resign()
    assert one.renew()
    assert taken(plane) == [("a", 1), ("b", 2), ("a", 3)]
    events = plane.events(stream=SCHEDULER_STREAM)
    assert [one.version for one in events] == [1, 2, 3]
    assert events[0].event == LeaseTaken(holder="a", token=1, ttl_us=TTL, evaluates_every_us=MINUTE)
    assert events[0].actor.kind == "scheduler"


def test_the_schedule_tells_who_looks_and_when_next(
    plane: ControlPlane, pair: tuple[Candidate, Candidate], clock: Clock
) -> None:
    assert plane.schedule() is None
    one, _ = pair
    one.renew()
    begun = clock.now
    schedule = plane.schedule()
    assert schedule is not None
    assert (schedule.holder, schedule.token, schedule.taken_at) == ("a", 1, begun)
    assert schedule.evaluates_every_us == MINUTE
    assert schedule.next_look_at(begun) == begun + MINUTE
    assert schedule.next_look_at(begun + 59 * SECOND) == begun + MINUTE
    assert schedule.next_look_at(begun + 150 * SECOND) == begun + 3 * MINUTE
    one.resign()
    assert plane.schedule() is None


def test_only_who_has_the_lease_looks(
    plane: ControlPlane, pair: tuple[Candidate, Candidate]
) -> None:
    one, other = pair
    one.renew()
    other.renew()
    assert one.look(lambda: act(plane, "a"))
    assert not other.look(lambda: pytest.fail("it is not its turn"))
    assert [event.actor.id for event in plane.events(stream="acts")] == ["a"]


def test_who_was_overtaken_in_the_middle_of_a_look_changes_nothing(
    plane: ControlPlane, pair: tuple[Candidate, Candidate]
) -> None:
    one, other = pair
    one.renew()
    tries: list[str] = []

    def overtaken() -> None:
        tries.append("tried")
        expire(plane)
        assert other.renew()

    assert not one.look(lambda: act(plane, "a", overtaken))
    assert tries == ["tried"]  # It does not decide anew, fifty times over.
    assert one.fence is None
    assert plane.events(stream="acts") == []
    assert other.look(lambda: act(plane, "b"))
    assert not one.renew()
    assert taken(plane) == [("a", 1), ("b", 2)]


def test_what_a_look_appended_before_it_was_overtaken_stays(
    plane: ControlPlane, pair: tuple[Candidate, Candidate]
) -> None:
    one, other = pair
    one.renew()

    def job() -> None:
        act(plane, "a")
        expire(plane)
        other.renew()
        act(plane, "a")

    assert not one.look(job)
    assert [event.actor.id for event in plane.events(stream="acts")] == ["a"]


def test_other_conflicts_are_decided_anew_as_ever(
    plane: ControlPlane, pair: tuple[Candidate, Candidate]
) -> None:
    one, _ = pair
    one.renew()
    tries: list[int] = []

    def work(transaction: Transaction) -> None:
        transaction.guard("acts", len(plane.log.read_stream("acts")))
        if not tries:
            plane.log.append([fact(10**6, "acts")])
        tries.append(1)
        transaction.stage("acts", [fact(1, "acts").event])

    assert one.look(lambda: plane._core.run(work, context("a")))
    assert len(tries) == len(plane.events(stream="acts")) == 2


def test_the_watch_of_who_was_overtaken_ends_quietly(
    plane: ControlPlane,
    pair: tuple[Candidate, Candidate],
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    one, other = pair
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    plane.flags.enable(FLAG, percentage=50, actor=ENGINEER)
    Service(plane, clock).runs(40, failed=30)
    one.renew()
    expire(plane)
    other.renew()
    before = plane.head().position
    assert not one.look(plane.alerts.watch)
    assert (plane.head().position, caplog.messages) == (before, [])
    assert other.look(plane.alerts.watch)
    assert not plane.flags.get(FLAG).enabled


def test_what_people_do_is_held_to_no_fence(
    plane: ControlPlane, pair: tuple[Candidate, Candidate]
) -> None:
    one, other = pair
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    plane.flags.enable(FLAG, percentage=50, actor=ENGINEER)
    one.renew()

    def job() -> None:
        expire(plane)
        other.renew()
        with ThreadPoolExecutor(1) as person:
            person.submit(plane.flags.disable, FLAG, actor=ENGINEER, reason="stop").result()

    one.look(job)
    assert not plane.flags.get(FLAG).enabled
    act(plane, ENGINEER)
    assert plane.events(stream="acts")[0].actor.id == ENGINEER


@pytest.mark.usefixtures("restless_threads")
def test_of_many_candidates_one_has_it(plane: ControlPlane) -> None:
    crowd = [candidate(plane, f"h{number}") for number in range(8)]
    start = Barrier(len(crowd))

    def ask(one: Candidate) -> bool:
        start.wait()
        return one.renew()

    with ThreadPoolExecutor(len(crowd)) as pool:
        for token in range(1, 6):
            answers = list(pool.map(ask, crowd))
            (index,) = [number for number, answer in enumerate(answers) if answer]
            assert taken(plane)[-1] == (f"h{index}", token)
            assert [one.fence is not None for one in crowd] == answers
            crowd[index].resign()
    assert len(taken(plane)) == 5
