"""Everything as it stood at any moment: as was known then, or as it was."""

from datetime import UTC, datetime
from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane.errors import AlertNotFound, FlagNotFound, InvalidInput, RolloutNotFound
from events.log import ReadOnly
from events.timestamps import HOUR, MINUTE, SECOND, to_datetime, to_iso
from projections.catalog import PROJECTIONS
from projections.changes import Change
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL, Clock, batch, plan

R = f"{FLAG}-r1"


def facts(changes: tuple[Change, ...], projection: str) -> dict[str, tuple[Any, Any]]:
    """Of one read model, by fact: before and after."""
    return {one.fact: (one.before, one.after) for one in changes if one.projection == projection}


@pytest.fixture
def noon(clock: Clock) -> int:
    """When the first thing happens."""
    return clock.now


@pytest.fixture
def exposed(flagged: ControlPlane, clock: Clock, noon: int) -> ControlPlane:
    """A flag made at noon, at 10 % from 1 pm, at 25 % from 2 pm, off from 3 pm."""
    assert clock.now == noon
    for percentage in (10, 25):
        clock.advance(HOUR)
        flagged.flags.enable(FLAG, percentage=percentage, actor=ENGINEER)
    clock.advance(HOUR)
    flagged.flags.disable(FLAG, actor=ON_CALL)
    return flagged


def test_what_a_user_would_have_got_at_any_moment_and_why(exposed: ControlPlane, noon: int) -> None:
    said = [
        exposed.as_of(to_iso(noon + half * HOUR // 2)).flags.explain(FLAG, "user-3").sentence
        for half in range(7)
    ]
    assert (
        said
        == [
            *["the flag is disabled"] * 2,
            *["bucket 15485 >= 10000 (10 % of everyone)"] * 2,
            *["bucket 15485 < 25000 (25 % of everyone)"] * 2,
            "the flag is disabled",
        ][:8]
    )


@pytest.mark.parametrize("form", [to_iso, to_datetime])
def test_a_moment_is_a_datetime_or_iso_8601(exposed: ControlPlane, noon: int, form: Any) -> None:
    past = exposed.as_of(form(noon + HOUR))
    assert (past.moment, past.flags.get(FLAG).percentage) == (noon + HOUR, 10)
    with pytest.raises(InvalidInput, match="no time zone"):
        exposed.as_of(datetime(2026, 1, 1))  # noqa: DTZ001  why: the point


def test_a_position_is_the_moment_at_which_it_was_recorded(
    exposed: ControlPlane, noon: int
) -> None:
    past = exposed.as_of(2)
    assert (past.position, past.moment) == (2, noon + HOUR)
    assert past.flags.get(FLAG).enabled
    assert past.flags.get(FLAG).percentage == 0, "the exposure is the third event"


def test_before_the_first_event_there_was_nothing(exposed: ControlPlane, noon: int) -> None:
    for at in (0, to_iso(noon - SECOND)):
        past = exposed.as_of(at)
        assert past.position == 0
        assert past.flags.all() == past.rollouts.all() == past.alerts.all() == []
        assert past.metrics.totals() == {}
        assert past.flags.explain(FLAG, "user-3").reason == "FLAG_NOT_FOUND"
        with pytest.raises(FlagNotFound):
            past.flags.get(FLAG)
        with pytest.raises(RolloutNotFound):
            past.rollouts.get(R)
        with pytest.raises(AlertNotFound):
            past.alerts.get(f"{FLAG}/ERROR_RATE_CRITICAL/1")


def test_what_is_still_to_come_is_refused(exposed: ControlPlane, clock: Clock) -> None:
    head = exposed.head().position
    for at in (head + 1, -1, to_iso(clock.now + 1), True):
        with pytest.raises(InvalidInput, match=r"still to come|has positions 1 to"):
            exposed.as_of(at)
    with pytest.raises(InvalidInput, match="'then' or 'now', not 'later'"):
        exposed.as_of(head, known="later")  # type: ignore[arg-type]  # why: no such clock
    assert exposed.as_of(head).flags.get(FLAG) == exposed.flags.get(FLAG)


def test_asking_writes_nothing_into_the_log(exposed: ControlPlane) -> None:
    before = exposed.head()
    past = exposed.as_of(before.position)
    for ask in (past.flags.all, past.rollouts.all, past.alerts.all, past.metrics.totals):
        ask()
    exposed.diff(0, before.position)
    assert exposed.head() == before
    assert isinstance(exposed._core.history.log, ReadOnly)


def test_a_rollout_is_judged_as_of_then_by_what_was_known_then(
    flagged: ControlPlane, clock: Clock
) -> None:
    flagged.rollouts.start(plan(), flag=FLAG, actor=ENGINEER)
    clock.advance(10 * MINUTE)
    flagged.executions.record([batch() for _ in range(100)])
    flagged.tick()
    clock.advance(MINUTE)
    then, at = flagged.rollouts.status(R), to_iso(clock.now)
    clock.advance(MINUTE)
    flagged.executions.record([batch(failed=True) for _ in range(100)])
    flagged.tick()
    past = flagged.as_of(at)
    assert past.rollouts.status(R) == then
    assert past.rollouts.get(R) == then.rollout
    assert past.rollouts.all() == [then.rollout]
    assert past.rollouts.explain(R) == flagged.rollouts.explain(R, at=at)
    assert past.metrics.totals()[FLAG, "on"].failed == 0
    assert past.alerts.open() == []
    assert [alert.rule for alert in flagged.as_of(flagged.head().position).alerts.open()] == [
        alert.rule for alert in flagged.alerts.open()
    ]


@pytest.fixture
def late(flagged: ControlPlane, clock: Clock, noon: int) -> ControlPlane:
    """Ten executions at 12:10, and fifty that failed from 12:05 on and were told at 12:30."""
    flagged.flags.enable(FLAG, percentage=50, actor=ENGINEER)
    clock.advance(10 * MINUTE)
    flagged.executions.record([batch() for _ in range(10)])
    clock.advance(20 * MINUTE)
    flagged.executions.record(
        [
            batch(failed=True, occurred_at=noon + 5 * MINUTE + number * 10 * SECOND)
            for number in range(50)
        ]
    )
    flagged.flags.disable(FLAG, actor=ON_CALL, reason="half of them fail")
    return flagged


def test_what_came_late_was_not_known_then_and_yet_it_was(late: ControlPlane, noon: int) -> None:
    at = to_iso(noon + 11 * MINUTE)
    known, was = late.as_of(at), late.as_of(at, known="now")
    assert (known.known, was.known) == ("then", "now")
    assert known.metrics.total(FLAG).failed == 0
    assert was.metrics.total(FLAG).failed == 37, "those that had happened by 12:11, and no others"
    assert was.metrics.total(FLAG).succeeded == 10
    assert known.position == was.position


def test_minutes_are_those_in_which_it_happened(late: ControlPlane, noon: int) -> None:
    at, since = to_iso(noon + 11 * MINUTE), noon
    told = {
        known: {
            (minute - noon) // MINUTE: tally.failed
            for minute, tally in late.as_of(at, known=known).metrics.minutes(
                FLAG, "on", since, noon + HOUR
            )
        }
        for known in ("then", "now")
    }
    base = -(noon % MINUTE) // MINUTE  # Noon need not be the first moment of a minute.
    assert sum(told["then"].values()) == 0
    assert sum(told["now"].values()) == 37
    assert min(told["now"]) >= 5 + base


def test_what_people_and_rules_decide_was_so_when_it_was_recorded(
    late: ControlPlane, noon: int
) -> None:
    at = to_iso(noon + 11 * MINUTE)
    for known in ("then", "now"):
        assert late.as_of(at, known=known).flags.get(FLAG).percentage == 50  # type: ignore[arg-type]  # why: one of the two
    assert not late.as_of(late.head().position, known="now").flags.get(FLAG).enabled


def test_at_the_last_moment_nothing_is_late(late: ControlPlane, clock: Clock) -> None:
    now = datetime.fromtimestamp(clock.now / SECOND, UTC)
    for known in ("then", "now"):
        past = late.as_of(now, known=known)  # type: ignore[arg-type]  # why: one of the two
        assert past.metrics.totals() == late.metrics.totals()


def test_a_wave_is_judged_as_it_was_with_what_came_late(
    flagged: ControlPlane, clock: Clock, noon: int
) -> None:
    flagged.rollouts.start(plan(hold="10m"), flag=FLAG, actor=ENGINEER)
    clock.advance(20 * MINUTE)
    flagged.executions.record(
        [batch(occurred_at=noon + number * SECOND) for number in range(1, 1200)]
    )
    at = to_iso(noon + 15 * MINUTE)
    then = flagged.as_of(at).rollouts.status(R)
    was = flagged.as_of(at, known="now").rollouts.status(R)
    assert then.evidence.executions == 0
    assert was.evidence.executions == 900
    assert was.assessment is not None
    assert was.assessment.verdict == "PASS"
    assert was.evidence.lasted_us(was.now) == 15 * MINUTE


def test_what_changed_between_two_moments(exposed: ControlPlane, noon: int) -> None:
    found = exposed.diff(to_iso(noon), to_iso(noon + 2 * HOUR))
    assert (found.before.moment, found.after.moment) == (noon, noon + 2 * HOUR)
    assert facts(found.changes, "flags") == {
        "enabled": (False, True),
        "percentage of everyone": (None, 25.0),
    }
    assert {one.key for one in found.changes} == {FLAG}
    back = exposed.diff(to_iso(noon + 2 * HOUR), to_iso(noon))
    assert facts(back.changes, "flags") == {
        "enabled": (True, False),
        "percentage of everyone": (25.0, None),
    }
    assert exposed.diff(4, 4).changes == ()


def test_what_changed_in_rollouts_alerts_freezes_and_totals(
    flagged: ControlPlane, clock: Clock
) -> None:
    before = flagged.head().position
    flagged.rollouts.start(plan(), flag=FLAG, actor=ENGINEER)
    clock.advance(MINUTE)
    flagged.executions.record([batch(failed=True, violations={"order": 1}) for _ in range(30)])
    flagged.freezes.declare(reason="an audit", actor=ENGINEER)
    flagged.tick()
    changes = flagged.diff(before, flagged.head().position).changes
    assert facts(changes, "rollouts")["state"][0] is None
    assert facts(changes, "rollouts")["state"][1] == flagged.rollouts.get(R).state
    assert facts(changes, "totals") == {
        "failed": (None, 30),
        "violations": (None, 30),
    }
    assert facts(changes, "alerts")["open"] == (None, True)
    assert facts(changes, "freezes") == {"freeze-1": (None, "an audit")}


def test_one_who_knows_more_now_compares_moments_as_they_were(
    late: ControlPlane, noon: int
) -> None:
    moments = to_iso(noon + 6 * MINUTE), to_iso(noon + 7 * MINUTE)
    assert late.diff(*moments).changes == ()
    assert facts(late.diff(*moments, known="now").changes, "totals") == {"failed": (7, 13)}


def test_a_read_model_that_is_built_anew_has_its_snapshots_taken_anew(
    flagged: ControlPlane,
) -> None:
    flagged.executions.record([batch() for _ in range(2100)])
    snapshots, totals = flagged._core.history.snapshots, PROJECTIONS["totals"]
    assert flagged.projections.take_snapshots() == 2000
    flagged.projections.rebuild("totals")
    assert snapshots.mark(totals, 2101) == 0
    assert snapshots.mark(PROJECTIONS["flags"], 2101) == 2000
    assert flagged.as_of(2050).metrics.total(FLAG).executions == 2049
    assert snapshots.mark(totals, 2101) == 2000
    flagged.projections.prune()
    assert snapshots.mark(totals, 2101) == 2000
