import pytest

from events import EVERYONE, Event
from events.rollouts import (
    Judgement,
    PromotionProposed,
    ProposalApproved,
    ProposalLapsed,
    ProposalRejected,
    RolloutCompleted,
    RolloutRolledBack,
    RolloutStarted,
    SoakStarted,
    Verdict,
    WaveEntered,
    WaveJudged,
    WavePromoted,
)
from events.timestamps import HOUR
from projections.rollouts import ROLLOUTS, Rollout
from tests.projections.recording import START, Told, at, told

ID = "checkout-r1"

started = RolloutStarted(
    rollout=ID,
    flag="checkout",
    attempt=1,
    plan={"name": "p"},
    plan_hash="hash",
    waves=2,
    requested_by="alice",
)
soak = SoakStarted(rollout=ID, flag="checkout", max_silence_us=HOUR)
completed = RolloutCompleted(rollout=ID, flag="checkout")
rolled_back = RolloutRolledBack(rollout=ID, flag="checkout", trigger="person", reason="why")


def entered(wave: int = 1) -> Event:
    return WaveEntered(
        rollout=ID,
        flag="checkout",
        wave=wave,
        name=f"wave {wave}",
        audience=EVERYONE,
        percentage=10 * wave,
        max_silence_us=HOUR,
    )


def judged(verdict: Verdict, criterion: str = "error_rate") -> Event:
    judgement = Judgement(criterion=criterion, verdict=verdict, sentence="9 of 300")
    return WaveJudged(
        rollout=ID,
        wave=1,
        as_of=7,
        judged_at=START + 5,
        verdict=verdict,
        reason="because",
        judgements=(judgement,),
    )


def proposed(number: int = 1) -> Event:
    return PromotionProposed(
        rollout=ID,
        proposal=f"{ID}-p{number}",
        wave=1,
        to="wave 2",
        as_of=7,
        evidence_digest="digest",
        plan_hash="hash",
        exposure_version=3,
        expires_at=START + HOUR,
    )


approved = ProposalApproved(rollout=ID, proposal=f"{ID}-p1", approver="bob", reason="fine")
rejected = ProposalRejected(rollout=ID, proposal=f"{ID}-p1", rejected_by="bob", reason="no")
lapsed = ProposalLapsed(rollout=ID, proposal=f"{ID}-p1", reason="expired")
promoted = WavePromoted(rollout=ID, proposal=f"{ID}-p1", wave=1, to="wave 2")


def rollout_after(*history: Told) -> Rollout:
    return ROLLOUTS.fold(ID, told(*history))


@pytest.mark.parametrize(
    ("history", "state", "active"),
    [
        ([], "absent", False),
        ([started, entered()], "observing", True),
        ([started, entered(), proposed()], "proposed", True),
        ([started, entered(), proposed(), judged("PASS")], "proposed", True),
        ([started, entered(), proposed(), rejected], "observing", True),
        ([started, entered(), proposed(), lapsed], "observing", True),
        ([started, entered(), proposed(), approved, promoted, entered(2)], "observing", True),
        ([started, entered(2), soak], "soaking", True),
        ([started, entered(2), soak, proposed()], "proposed", True),
        ([started, entered(2), soak, proposed(), rejected], "soaking", True),
        ([started, entered(2), soak, completed], "completed", False),
        ([started, entered(), rolled_back], "rolled_back", False),
    ],
)
def test_its_state_follows_from_what_happened(
    history: list[Event], state: str, *, active: bool
) -> None:
    rollout = rollout_after(*history)
    assert (rollout.state, rollout.is_active) == (state, active)


def test_it_soaks_when_all_waves_are_done_until_it_ends() -> None:
    assert not rollout_after(started, entered(2)).soaking
    soaking = rollout_after(started, entered(2), soak, proposed())
    assert soaking.soaking
    assert (soaking.wave, soaking.wave_name, soaking.percentage) == (3, "soak", 20)
    assert not rollout_after(started, entered(2), soak, completed).soaking


def test_it_keeps_the_plan_it_was_started_with() -> None:
    rollout = rollout_after(at(HOUR, started), entered())
    assert (rollout.plan, rollout.plan_hash, rollout.waves) == ({"name": "p"}, "hash", 2)
    assert (rollout.requested_by, rollout.attempt) == ("alice", 1)
    assert rollout.started_at == START + HOUR


def test_a_new_wave_starts_without_verdicts() -> None:
    rollout = rollout_after(started, entered(), judged("FAIL"), at(HOUR, entered(2)))
    assert (rollout.verdict, rollout.judgements, rollout.judged_at) == ("NO_DATA", (), 0)
    assert rollout.failed == ()
    assert (rollout.wave, rollout.wave_name, rollout.percentage) == (2, "wave 2", 20)
    assert (rollout.wave_entered_at, rollout.wave_entered_position) == (START + HOUR, 4)


def test_a_failure_stands_though_later_looks_pass() -> None:
    history = [started, entered(), judged("FAIL"), judged("FAIL", "p95"), judged("PASS")]
    rollout = rollout_after(*history)
    assert rollout.failed == ("error_rate", "p95")
    assert (rollout.verdict, rollout.judged_at) == ("PASS", START + 5)


def test_the_proposal_is_the_one_that_waits() -> None:
    assert rollout_after(started, entered()).proposal is None
    rollout = rollout_after(started, entered(), proposed(), rejected, at(HOUR, proposed(2)))
    assert rollout.proposal is not None
    assert rollout.proposal.id == f"{ID}-p2"
    assert rollout.proposal.proposed_at == START + HOUR
    assert [p.state for p in rollout.proposals] == ["rejected", "open"]


def test_it_keeps_the_last_twenty_proposals_and_counts_them_all() -> None:
    rollout = rollout_after(started, entered(), *(proposed(number) for number in range(1, 26)))
    assert [p.id for p in rollout.proposals] == [f"{ID}-p{number}" for number in range(6, 26)]
    assert rollout.proposed == 25


@pytest.mark.parametrize(
    ("decision", "state", "by", "reason"),
    [
        (approved, "approved", "bob", "fine"),
        (rejected, "rejected", "bob", "no"),
        (lapsed, "lapsed", "", "expired"),
    ],
)
def test_a_proposal_remembers_who_decided_and_why(
    decision: Event, state: str, by: str, reason: str
) -> None:
    rollout = rollout_after(started, entered(), proposed(), decision)
    (proposal,) = rollout.proposals
    assert (proposal.state, proposal.decided_by, proposal.reason) == (state, by, reason)
    assert rollout.proposal is None


def test_rolled_back_it_serves_nobody_and_knows_why_and_when() -> None:
    rollout = rollout_after(started, entered(), at(HOUR, rolled_back))
    assert (rollout.percentage, rollout.reason, rollout.ended_at) == (0, "why", START + HOUR)
