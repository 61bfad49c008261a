"""From the moment the flag goes off until clients have left the new code."""

from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from controlplane.commands import (
    Abort,
    Answer,
    ExtendBake,
    FollowRollback,
    Pause,
    Reject,
    Resume,
    Withdraw,
)
from controlplane.flags import EnableFlag
from controlplane.sentences import sentence
from events.codec import encode
from events.flags import FlagDisabled
from events.rollouts import RollbackStalled, RollbackStarted, RolloutRolledBack
from events.timestamps import DAY, HOUR, MINUTE, SECOND
from projections.rollbacks import AfterRollback
from tests.controlplane.rollout_stories import given, rolling_back
from tests.controlplane.samples import GUARD, plan, plan_data
from tests.controlplane.stage import BOB, Rehearsal, types
from tests.projections.recording import START

ID = "checkout-r1"


def reports(on: int = 0, last_on: int = 0, last_off: int = 0, **facts: Any) -> FollowRollback:
    """So many reports of the new code since START, the last ones so long after it."""
    after = AfterRollback(
        START,
        on=on,
        last_on_at=START + last_on if on else 0,
        last_off_at=START + last_off if last_off else 0,
        **facts,
    )
    return FollowRollback(reports=after)


def rolled_back(by: Any, took_us: int = 0) -> RolloutRolledBack:
    return RolloutRolledBack(rollout=ID, flag="checkout", confirmed_by=by, took_us=took_us)


# Confirmed by what clients report


@pytest.mark.parametrize(
    ("command", "after", "confirmed"),
    [
        (reports(), 30 * SECOND - 1, None),
        (reports(), 30 * SECOND, rolled_back("silence")),
        (reports(last_off=SECOND), 5 * SECOND - 1, None),
        (reports(last_off=SECOND), 5 * SECOND, rolled_back("reports")),
        (reports(on=3, last_on=2 * SECOND), 31 * SECOND, None),
        (reports(on=3, last_on=2 * SECOND), 32 * SECOND, rolled_back("silence", 2 * SECOND)),
        (reports(on=3, last_on=2 * SECOND, last_off=SECOND), 20 * SECOND, None),
        (
            reports(on=3, last_on=2 * SECOND, last_off=3 * SECOND),
            7 * SECOND,
            rolled_back("reports", 2 * SECOND),
        ),
        (reports(superseded=True), 1, rolled_back("superseded")),
        (reports(on=1, last_on=SECOND, superseded=True), SECOND, rolled_back("superseded", SECOND)),
    ],
)
def test_a_rollback_is_confirmed_by_reports_of_the_old_path_or_by_silence(
    command: Any, after: int, confirmed: Any
) -> None:
    decision = given(*rolling_back).when(command, after=after)
    decision.then(*([confirmed] if confirmed else []))
    decision.then_asking_again_changes_nothing()


def test_clients_that_do_not_follow_are_told_of_once() -> None:
    stalled = RollbackStalled(
        rollout=ID, flag="checkout", reports=9, last_report_at=START + 31 * SECOND
    )
    late = reports(on=9, last_on=31 * SECOND)
    said = given(*rolling_back).when(late, after=32 * SECOND).then(stalled).afterwards
    more = reports(on=99, last_on=MINUTE)
    said.when(more, after=MINUTE).then_nothing_happens()
    said.when(more, after=90 * SECOND).then(rolled_back("silence", MINUTE))


def test_a_client_whose_clock_is_slow_is_heard_and_found_out() -> None:
    def heard(after: int) -> FollowRollback:
        return FollowRollback(reports=AfterRollback(START, last_heard_at=START + after))

    soon = given(*rolling_back).when(heard(20 * SECOND), after=49 * SECOND)
    soon.then_nothing_happens()
    given(*rolling_back).when(heard(20 * SECOND), after=50 * SECOND).then(rolled_back("silence"))
    (stalled,) = given(*rolling_back).when(heard(61 * SECOND), after=61 * SECOND).events
    assert isinstance(stalled, RollbackStalled)
    assert stalled.last_report_at == START + 61 * SECOND


moments = st.integers(0, 3 * MINUTE)


@for_all(st.integers(0, 3), moments, moments, moments)
def test_it_is_confirmed_when_clients_were_quiet_and_never_while_they_go_on(
    on: int, last_on: int, last_off: int, now: int
) -> None:
    command = reports(on=on, last_on=min(last_on, now), last_off=min(last_off, now))
    quiet = now - (min(last_on, now) if on else 0)
    events = given(*rolling_back).when(command, after=now).events
    assert [type(e) for e in events].count(RolloutRolledBack) == (
        quiet >= 30 * SECOND
        or (quiet >= 5 * SECOND and min(last_off, now) > (min(last_on, now) if on else 0))
    )
    assert any(isinstance(e, RollbackStalled) for e in events) == (
        bool(on) and min(last_on, now) > 30 * SECOND
    )


# With a flag and its executions


def running(criteria: Any = (GUARD,), **changes: Any) -> Rehearsal:
    rehearsal = Rehearsal(plan(list(criteria), **changes))
    rehearsal.starts()
    rehearsal.passes(10 * MINUTE)
    return rehearsal


def test_the_flag_goes_off_at_once_and_clients_are_followed() -> None:
    rehearsal = running()
    rehearsal.aborts(BOB)
    assert (rehearsal.flag.enabled, rehearsal.flag.rollout) == (False, None)
    rehearsal.now += SECOND
    rehearsal.serves(2)
    assert rehearsal.follows() == []
    rehearsal.now += SECOND
    rehearsal.serves(0, off=1)
    rehearsal.now += 5 * SECOND
    (event,) = rehearsal.follows()
    assert (event.confirmed_by, event.took_us) == ("reports", SECOND)
    assert rehearsal.rollout.state == "rolled_back"


def test_a_flag_that_is_on_again_is_not_waited_for() -> None:
    rehearsal = running()
    rehearsal.aborts()
    rehearsal.steers_flag(EnableFlag(percentage=1))
    (event,) = rehearsal.follows()
    assert event.confirmed_by == "superseded"


def test_turned_away_is_on_the_old_path() -> None:
    rehearsal = running()
    rehearsal.aborts()
    rehearsal.now += SECOND
    rehearsal.runs(cohort="on", outcome="rejected")
    rehearsal.now += 5 * SECOND
    assert types(rehearsal.follows()) == ["rolled_back"]


# Time


def impatient(**stage: Any) -> Rehearsal:
    """Wave 1 may wait an hour longer than its hour, for executions that do not come."""
    waves = plan_data([GUARD])["waves"]
    waves[0] |= {"max_wait": "1h", **stage}
    return running(waves=waves)


def test_waiting_for_too_long_calls_people_once_and_never_passes() -> None:
    rehearsal = impatient()
    rehearsal.passes(110 * MINUTE, batches=0)
    assert "wave_escalated" not in types(rehearsal.judges())
    rehearsal.waits(1)
    (escalated,) = [one for one in rehearsal.judges() if "escalated" in one.TYPE]
    assert escalated.reason.startswith("it has waited longer than the 2h its plan allows: ") or (
        escalated.reason.startswith("it has waited longer than the 120m its plan allows: ")
    )
    rehearsal.waits(DAY)
    assert types(rehearsal.judges()) == ["wave_judged"]


def test_waiting_for_too_long_rolls_back_where_the_plan_says_so() -> None:
    rehearsal = impatient(on_timeout="rollback")
    rehearsal.passes(110 * MINUTE + 1, batches=0)
    *_, last = rehearsal.judges()
    assert (last.TYPE, last.trigger) == ("rollout.rollback_started", "timeout")
    assert not rehearsal.flag.enabled


def test_nor_does_a_proposal_to_skip_keep_it_from_being_rolled_back() -> None:
    rehearsal = impatient(on_timeout="rollback")
    rehearsal.skips(BOB)
    proposal = rehearsal.rollout.proposal.id
    rehearsal.does(Withdraw(proposal=proposal, withdrawn_by="bob", reason="no"), BOB)
    rehearsal.passes(110 * MINUTE + 1, batches=0)
    assert types(rehearsal.judges())[-1] == "rollback_started"


def test_what_had_its_evidence_once_calls_people_and_is_not_rolled_back() -> None:
    rehearsal = impatient(on_timeout="rollback")
    rehearsal.passes(50 * MINUTE)
    assert types(rehearsal.judges())[-1] == "promotion_proposed"
    rehearsal.waits(DAY)
    assert types(rehearsal.judges()) == ["wave_judged", "wave_escalated", "proposal_lapsed"]


def test_what_waits_for_people_only_is_not_overdue() -> None:
    rehearsal = impatient(on_timeout="rollback")
    rehearsal.passes(DAY, every_us=10 * MINUTE, batches=2)
    assert types(rehearsal.judges())[-1] == "promotion_proposed"


def test_what_waits_for_the_end_of_a_freeze_only_is_not_rolled_back() -> None:
    rehearsal = impatient(on_timeout="rollback")
    rehearsal.passes(50 * MINUTE)
    rehearsal.judges()
    rehearsal.freezes()
    rehearsal.approves()
    rehearsal.passes(5 * HOUR)
    assert "rollback_started" not in types(rehearsal.judges())


def test_a_pause_is_no_waiting_for_evidence() -> None:
    rehearsal = impatient(on_timeout="rollback")
    rehearsal.does(Pause(reason="why"))
    rehearsal.waits(3 * DAY)
    assert "rollback_started" not in types(rehearsal.judges())
    rehearsal.does(Resume(resumed_by=BOB, reason="over"))
    rehearsal.waits(20 * MINUTE)
    assert "rollback_started" not in types(rehearsal.judges())
    rehearsal.waits(90 * MINUTE + 1)
    assert types(rehearsal.judges())[-1] == "rollback_started"


def test_nor_is_a_rejection_until_somebody_resumes_it() -> None:
    rehearsal = impatient(on_timeout="rollback")
    rehearsal.passes(50 * MINUTE)
    rehearsal.judges()
    rehearsal.does(
        Reject(proposal=rehearsal.rollout.proposal.id, rejected_by="bob", reason="no"), BOB
    )
    rehearsal.waits(3 * DAY)
    assert "rollback_started" not in types(rehearsal.judges())
    rehearsal.does(Resume(resumed_by=BOB, reason="now"), BOB)
    assert "rollback_started" not in types(rehearsal.judges())


def test_people_are_called_again_after_an_extension() -> None:
    rehearsal = impatient()
    rehearsal.waits(2 * HOUR)
    assert "wave_escalated" in types(rehearsal.judges())
    rehearsal.does(ExtendBake(by_us=HOUR, reason="more"))
    rehearsal.waits(2 * HOUR)
    assert "wave_escalated" in types(rehearsal.judges())


# Nothing keeps the flag from going off

LONG = "x" * 2000


def test_a_long_answer_from_outside_keeps_nothing_from_being_rolled_back() -> None:
    guard = {
        "kind": "external",
        "url": "https://ci.example/",
        "on_fail": "rollback",
    }
    rehearsal = running([guard])
    rehearsal.does(Answer(criterion="external", verdict="FAIL", answered_by=BOB, detail=LONG))
    assert types(rehearsal.judges())[-1] == "rollback_started"


def test_whatever_reason_is_given_the_flag_goes_off() -> None:
    rehearsal = running()
    abort = Abort(reason=LONG + LONG, aborted_by="bob", trigger="alert")
    assert types(rehearsal.does(abort)) == ["rollback_started"]


def test_the_reasons_of_a_rollback_can_be_kept() -> None:
    for cls in (RollbackStarted, FlagDisabled):
        facts: dict[str, Any] = {"flag": "checkout", "reason": LONG}
        if cls is RollbackStarted:
            facts |= {"rollout": ID, "trigger": "person"}
        assert encode(cls(**facts))


@pytest.mark.parametrize(
    ("took_us", "told"),
    [(0, "at once"), (4_250, "after 4.25ms"), (4 * SECOND, "after 4s"), (HOUR, "after 60m")],
)
def test_how_long_a_rollback_took_is_told_however_short(took_us: int, told: str) -> None:
    said = sentence(rolled_back("reports", took_us))
    assert said == f"rollback of {ID} confirmed by reports {told}"
