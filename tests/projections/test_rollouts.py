import pytest
from hypothesis import given

from events import Event
from events.interventions import BakeExtended
from events.rollouts import PlanRevised, RollbackStalled
from events.timestamps import HOUR
from projections.rollouts import ROLLOUTS, Rollout
from tests.projections.histories import histories
from tests.projections.recording import START, At, Told, at, told
from tests.projections.rollout_events import (
    FLAG,
    ID,
    approved,
    armed,
    baked,
    cancelled,
    completed,
    confirmed,
    delayed,
    drafted,
    entered,
    held,
    judged,
    lapsed,
    promoted,
    proposed,
    rejected,
    released,
    rollback,
    rolled_back,
    soak,
    start_approved,
    start_rejected,
    started,
    submitted,
    withdrawn,
)

revised = PlanRevised(
    rollout=ID, plan={"name": "q"}, plan_hash="other", waves=3, revised_by="carol"
)
extended = BakeExtended(rollout=ID, wave=1, by_us=HOUR, reason="why")
BEFORE: list[Event] = [drafted, submitted, start_approved(), armed]
RUNS: list[Event] = [*BEFORE, started(), entered()]
SOAKS: list[Event] = [*RUNS, entered(2), soak()]


def rollout_after(*history: Told) -> Rollout:
    return ROLLOUTS.fold(ID, told(*history))


@pytest.mark.parametrize(
    ("history", "state", "active"),
    [
        ([], "absent", False),
        ([drafted], "draft", False),
        ([drafted, submitted], "pending_approval", False),
        ([drafted, submitted, start_approved()], "pending_approval", False),
        ([drafted, submitted, start_rejected], "draft", False),
        (BEFORE, "armed", False),
        ([*BEFORE, revised], "draft", False),
        ([*BEFORE, cancelled], "cancelled", False),
        ([*BEFORE, started()], "armed", False),
        (RUNS, "entering", True),
        ([*RUNS, confirmed], "observing", True),
        ([*RUNS, confirmed, baked], "evaluating", True),
        ([*RUNS, confirmed, baked, extended], "observing", True),
        ([*RUNS, extended], "entering", True),
        ([*RUNS, proposed()], "proposed", True),
        ([*RUNS, proposed(), judged("PASS")], "proposed", True),
        ([*RUNS, proposed(), lapsed], "entering", True),
        ([*RUNS, proposed(), approved(), delayed], "promoting", True),
        ([*RUNS, proposed(), rejected, held("rejected")], "holding", True),
        ([*RUNS, proposed(), held("frozen")], "holding", True),
        ([*RUNS, held(), held("frozen"), released()], "holding", True),
        ([*RUNS, confirmed, held(), released()], "observing", True),
        ([*RUNS, proposed(), approved(), promoted, entered(2)], "entering", True),
        (SOAKS, "soaking", True),
        ([*SOAKS, confirmed, baked], "soaking", True),
        ([*SOAKS, proposed()], "proposed", True),
        ([*SOAKS, extended], "soaking", True),
        ([*SOAKS, completed], "completed", False),
        ([*RUNS, rollback], "rolling_back", False),
        ([*RUNS, held(), proposed(), rollback], "rolling_back", False),
        ([*RUNS, rollback, rolled_back], "rolled_back", False),
    ],
)
def test_its_state_follows_from_what_happened(
    history: list[Event], state: str, *, active: bool
) -> None:
    rollout = rollout_after(*history)
    assert (rollout.state, rollout.is_active) == (state, active)
    assert rollout.is_final == (state in ("cancelled", "completed", "rolled_back"))


def test_it_soaks_when_all_waves_are_done_until_it_ends() -> None:
    assert not rollout_after(*RUNS, entered(2)).soaking
    soaking = rollout_after(*SOAKS, proposed())
    assert soaking.soaking
    assert (soaking.wave, soaking.wave_name, soaking.percentage) == (3, "soak", 20)
    assert not rollout_after(*SOAKS, completed).soaking
    assert not rollout_after(*SOAKS, rollback).soaking


def test_it_keeps_the_plan_it_was_drafted_with() -> None:
    rollout = rollout_after(drafted, at(HOUR, started()), at(HOUR, entered()))
    assert (rollout.plan, rollout.plan_hash, rollout.waves) == ({"name": "p"}, "hash", 2)
    assert (rollout.requested_by, rollout.attempt, rollout.flag) == ("alice", 1, FLAG)
    assert rollout.started_at == START + HOUR


def test_a_revision_takes_every_approval_back() -> None:
    rollout = rollout_after(*BEFORE, revised)
    assert (rollout.plan, rollout.plan_hash, rollout.waves) == ({"name": "q"}, "other", 3)
    assert rollout.start_approvals == ()
    assert rollout.requested_by == "alice"


def test_a_rejected_start_has_no_approval_left() -> None:
    rollout = rollout_after(drafted, submitted, start_approved(), start_rejected)
    assert (rollout.start_approvals, rollout.reason) == ((), "not yet")


def test_askers_are_all_who_wrote_or_started_it_once_each() -> None:
    assert rollout_after(drafted).askers == ("alice",)
    rollout = rollout_after(drafted, revised, submitted, started(by="dora"), entered())
    assert rollout.askers == ("alice", "carol", "dora")
    assert rollout_after(drafted, started(by="alice")).askers == ("alice",)


def test_who_approved_the_start_and_why_is_kept() -> None:
    rollout = rollout_after(drafted, submitted, start_approved(), at(HOUR, start_approved("eve")))
    found = [(one.by, one.reason, one.at) for one in rollout.start_approvals]
    assert found == [("bob", "fine", START), ("eve", "fine", START + HOUR)]


def test_a_new_wave_starts_without_verdicts() -> None:
    rollout = rollout_after(*RUNS, judged("FAIL"), at(HOUR, entered(2)))
    assert (rollout.verdict, rollout.judgements, rollout.judged_at) == ("NO_DATA", (), 0)
    assert (rollout.wave, rollout.wave_name, rollout.percentage) == (2, "wave 2", 20)
    assert rollout.wave_entered_at == START + HOUR
    assert rollout.wave_entered_position == len(RUNS) + 2


def test_the_latest_look_is_kept() -> None:
    rollout = rollout_after(*RUNS, judged("FAIL"), judged("PASS", "p95"))
    assert (rollout.verdict, rollout.reason, rollout.judged_at) == ("PASS", "because", START + 5)
    assert [one.criterion for one in rollout.judgements] == ["p95"]


# Proposals


def test_the_proposal_is_the_one_that_waits() -> None:
    assert rollout_after(*RUNS).proposal is None
    rollout = rollout_after(*RUNS, proposed(), rejected, at(HOUR, proposed(2)))
    assert rollout.proposal is not None
    assert rollout.proposal.id == f"{ID}-p2"
    assert rollout.proposal.proposed_at == START + HOUR
    assert [p.state for p in rollout.proposals] == ["rejected", "open"]


def test_it_keeps_the_last_twenty_proposals_and_counts_them_all() -> None:
    rollout = rollout_after(*RUNS, *(proposed(number) for number in range(1, 26)))
    assert [p.id for p in rollout.proposals] == [f"{ID}-p{number}" for number in range(6, 26)]
    assert rollout.proposed == 25


@pytest.mark.parametrize(
    ("decision", "state", "by", "reason", "waits"),
    [
        ([approved()], "approved", "bob", "fine", True),
        ([approved(), delayed], "delayed", "bob", "frozen", True),
        ([approved(), promoted], "promoted", "bob", "fine", False),
        ([rejected], "rejected", "bob", "no", False),
        ([withdrawn], "withdrawn", "bob", "oh", False),
        ([lapsed], "lapsed", "", "expired", False),
    ],
)
def test_a_proposal_remembers_who_decided_and_why(
    decision: list[Event], state: str, by: str, reason: str, *, waits: bool
) -> None:
    rollout = rollout_after(*RUNS, proposed(), *decision)
    (proposal,) = rollout.proposals
    assert (proposal.state, proposal.decided_by, proposal.reason) == (state, by, reason)
    assert (rollout.proposal is not None) == proposal.waits == waits


def test_a_proposal_is_approved_with_the_last_approval_it_needs() -> None:
    told_of = [*RUNS, proposed(approvals=2), approved()]
    waiting = rollout_after(*told_of).proposal
    assert waiting is not None
    assert (waiting.state, waiting.needed, [a.by for a in waiting.approvals]) == (
        "open",
        2,
        ["bob"],
    )
    decided = rollout_after(*told_of, at(HOUR, approved("carol"))).proposal
    assert decided is not None
    assert (decided.state, decided.decided_by, decided.decided_at) == (
        "approved",
        "carol",
        START + HOUR,
    )


# The end


def test_rolled_back_it_serves_nobody_and_knows_why_and_when() -> None:
    rollout = rollout_after(*RUNS, at(HOUR, rollback), at(2 * HOUR, rolled_back))
    assert (rollout.percentage, rollout.reason, rollout.rollback_trigger) == (0, "why", "person")
    assert (rollout.rollback_at, rollout.ended_at) == (START + HOUR, START + 2 * HOUR)
    assert not rollout.stalled


def test_that_clients_did_not_follow_a_rollback_is_kept() -> None:
    stalled = RollbackStalled(rollout=ID, flag=FLAG, reports=3, last_report_at=START)
    assert rollout_after(*RUNS, rollback, stalled, rolled_back).stalled


def test_cancelled_it_knows_why_and_when() -> None:
    rollout = rollout_after(drafted, at(HOUR, cancelled))
    assert (rollout.reason, rollout.ended_at, rollout.started_at) == ("never", START + HOUR, 0)


@given(histories)
def test_in_whatever_order_it_is_told_it_is_active_or_over_and_one_state(history: list[At]) -> None:
    """Streams are folded in order; this is what no order of events can break."""
    own = [one for one in told(*history) if type(one.event) in ROLLOUTS.events]
    rollout = ROLLOUTS.fold(ID, own)
    assert not (rollout.is_active and rollout.is_final)
    assert len(rollout.proposals) <= 20
    assert rollout.soaking <= rollout.is_active
    if not rollout.is_active:
        assert rollout.state == rollout.phase
    elif rollout.holds:
        assert rollout.state == "holding"
    elif rollout.proposal is not None:
        assert rollout.state in ("proposed", "promoting")
    else:
        assert rollout.state == rollout.phase
