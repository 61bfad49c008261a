"""Several processes work on one database: each sees the others, none acts twice."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import monotonic, sleep

import pytest

from controlplane import ControlPlane
from controlplane.errors import ControlPlaneError
from events.timestamps import HOUR
from tests.journeys.traffic import AN_HOUR, ENGINEER, FLAG, ON_CALL, Clock, Rolling, Service, types


@pytest.fixture
def planes(url: str, clock: Clock) -> Iterator[tuple[ControlPlane, ControlPlane]]:
    """Two control planes, each with its own engine, snapshot and threads."""
    with ControlPlane(url, clock=clock) as one, ControlPlane(url, clock=clock) as other:
        one.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
        yield one, other


def together(*acts: Callable[[], object]) -> list[object]:
    """What each returned or raised, all begun at one moment."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        start.wait()
        try:
            return act()
        except ControlPlaneError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def seconds_until(condition: Callable[[], bool]) -> float:
    begun = monotonic()
    while not condition():
        assert monotonic() - begun < 10
        sleep(0.005)
    return monotonic() - begun


def test_the_kill_switch_reaches_another_process_within_a_second(
    planes: tuple[ControlPlane, ControlPlane],
) -> None:
    one, other = planes
    one.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    assert other.flags.is_enabled(FLAG, "user-17")
    one.flags.disable(FLAG, actor=ON_CALL, reason="kill switch")
    assert seconds_until(lambda: not other.flags.is_enabled(FLAG, "user-17")) < 1
    one.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    assert seconds_until(lambda: other.flags.is_enabled(FLAG, "user-17")) < 1


def test_both_evaluate_at_once_and_propose_once(
    planes: tuple[ControlPlane, ControlPlane], clock: Clock
) -> None:
    one, other = planes
    rollout = one.rollouts.start(flag=FLAG, actor=ENGINEER).id
    rolling = Rolling(Service(one, clock), rollout)
    for number in range(1, 6):
        clock.advance(48 * HOUR)
        rolling.service.runs(48 * AN_HOUR, over=48 * HOUR)
        answers = together(*[plane.rollouts.evaluate_all for plane in planes * 3])
        assert not [one for one in answers if isinstance(one, ControlPlaneError)]
        open_ones = [proposal.id for _, proposal in other.rollouts.proposals()]
        assert open_ones == [f"{rollout}-p{number}"]
        one.rollouts.reject(open_ones[0], actor=ON_CALL, reason="again")
        one.rollouts.resume(rollout, actor=ON_CALL)
    assert len(types(one, type="rollout.promotion_proposed")) == 5


def test_both_approve_at_once_and_promote_once(
    planes: tuple[ControlPlane, ControlPlane], clock: Clock
) -> None:
    one, other = planes
    rolling = Rolling(Service(one, clock), one.rollouts.start(flag=FLAG, actor=ENGINEER).id)
    proposal = rolling.propose()
    together(
        lambda: one.rollouts.approve(proposal, actor="ann"),
        lambda: other.rollouts.approve(proposal, actor="bob"),
        lambda: one.rollouts.approve(proposal, actor="cid"),
        other.rollouts.evaluate_all,
    )
    assert types(one, type="rollout.wave_promoted") == ["rollout.wave_promoted"]
    assert rolling.now.wave == 2


def test_both_watch_at_once_and_raise_once(
    planes: tuple[ControlPlane, ControlPlane], clock: Clock
) -> None:
    one, other = planes
    one.rollouts.start(flag=FLAG, actor=ENGINEER)
    Service(one, clock).runs(50, failed=30)
    together(*[plane.alerts.watch for plane in planes * 3])
    counts = Counter(types(other))
    assert counts["rollout.rollback_started"] == counts["flag.disabled"] == 1
    assert counts["alert.raised"] == 2  # ERROR_RATE_CRITICAL and ERROR_RATE_WARNING


def test_approve_or_abort_whoever_is_first_leaves_nothing_half_done(
    planes: tuple[ControlPlane, ControlPlane], clock: Clock
) -> None:
    one, other = planes
    for _ in range(8):
        rolling = Rolling(Service(one, clock), one.rollouts.start(flag=FLAG, actor=ENGINEER).id)
        proposal = rolling.propose()
        approved, aborted = together(
            lambda proposal=proposal: one.rollouts.approve(proposal, actor=ON_CALL),
            lambda id_=rolling.id: other.rollouts.abort(id_, actor="ann", reason="stop"),
        )
        # An abort is never refused. An approval may have been first; it did not outlive it.
        assert aborted.state == rolling.now.state == "rolling_back"
        flag = other.flags.get(FLAG)
        assert (flag.enabled, flag.rollout, flag.exposures) == (False, None, ())
        events = types(one, correlation_id=rolling.id)
        assert events.count("rollout.rollback_started") == 1
        assert ("rollout.wave_promoted" in events) == (not isinstance(approved, ControlPlaneError))
    one.verify()


def test_commands_from_both_sides_all_count(
    planes: tuple[ControlPlane, ControlPlane], clock: Clock
) -> None:
    one, other = planes
    work = Service(one, clock), Service(other, clock)
    together(*[lambda side=side: [side.runs(10) for _ in range(10)] for side in work * 2])
    assert one.metrics.total(FLAG).executions == other.metrics.total(FLAG).executions == 400
    assert one.verify() == other.verify()
