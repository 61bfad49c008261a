"""Going on without the evidence: by the word of people, and never past a failure."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from controlplane.commands import Pause, Reject, Resume, SignOff, WithdrawSignOff
from controlplane.errors import (
    ControlPlaneError,
    CriticalAlertOpen,
    InvalidInput,
    ProposalOutdated,
    ProposalWaits,
    SamePerson,
    WaveFailed,
)
from controlplane.flags import ChangeExposure
from events.timestamps import DAY, HOUR, MINUTE
from tests.controlplane.rollout_stories import ITEM, PLAN, draft, given, proposed, skip, story
from tests.controlplane.samples import GUARD, HOLDING_GUARD, plan
from tests.controlplane.stage import ALICE, BOB, CAROL, DORA, Rehearsal, types


def running(criteria: Any = (GUARD,), **changes: Any) -> Rehearsal:
    """In wave 1, too early for anything to pass."""
    rehearsal = Rehearsal(plan(list(criteria), **changes))
    rehearsal.starts()
    rehearsal.passes(10 * MINUTE)
    return rehearsal


def test_a_wave_is_skipped_by_the_word_of_another() -> None:
    rehearsal = running()
    (proposal,) = rehearsal.skips(BOB)
    assert (proposal.kind, proposal.proposed_by, proposal.reason) == ("skip", "bob", "we must")
    assert types(rehearsal.judges()) == ["wave_judged", "exposure_confirmed"]
    assert types(rehearsal.approves(CAROL))[-2:] == ["wave_promoted", "wave_entered"]


def test_who_proposes_to_skip_does_not_approve_it() -> None:
    rehearsal = running()
    rehearsal.skips(BOB)
    for by in (BOB, ALICE):
        with pytest.raises(SamePerson):
            rehearsal.approves(by)


def test_to_skip_takes_as_many_approvals_as_to_promote() -> None:
    rehearsal = running(promotion={"needed": 2})
    rehearsal.skips(BOB)
    assert "wave_entered" not in types(rehearsal.approves(CAROL))
    assert "wave_entered" in types(rehearsal.approves(DORA))


def test_there_is_one_proposal_at_a_time() -> None:
    given(*proposed).when(skip()).then_it_is_refused(ProposalWaits, "approve, reject or withdraw")
    rehearsal = running()
    rehearsal.skips()
    with pytest.raises(ProposalWaits):
        rehearsal.skips(CAROL)
    rehearsal.passes(HOUR)
    assert "promotion_proposed" not in types(rehearsal.judges())


@pytest.mark.parametrize("reason", ["", " \n"])
def test_who_skips_says_why(reason: str) -> None:
    begun = given(*story(draft)).when(skip(reason=reason))
    assert begun.refusal is not None
    rehearsal = running()
    with pytest.raises(InvalidInput, match="to skip a wave needs a reason"):
        rehearsal.does(skip(reason=reason))


def test_the_soak_is_not_skipped() -> None:
    rehearsal = running()
    for _ in range(2):
        rehearsal.skips()
        rehearsal.approves(CAROL)
    with pytest.raises(InvalidInput, match="the soak is not skipped"):
        rehearsal.skips()


# A failure is not skipped


def test_a_failure_is_not_skipped() -> None:
    rehearsal = running([HOLDING_GUARD])
    rehearsal.serves(60, failed=60)
    with pytest.raises(WaveFailed, match="a failure stands for the attempt"):
        rehearsal.skips()
    rehearsal.judges()
    rehearsal.passes(DAY, every_us=HOUR, batches=200)
    with pytest.raises(WaveFailed):
        rehearsal.skips()


def test_what_fails_after_it_was_proposed_is_not_skipped() -> None:
    rehearsal = running([HOLDING_GUARD])
    rehearsal.skips()
    rehearsal.serves(60, failed=60)
    with pytest.raises(ProposalOutdated):
        rehearsal.approves(CAROL)
    assert types(rehearsal.judges())[-1] == "proposal_lapsed"


# What holds a wave holds it against a skip


def test_a_skip_that_expired_or_whose_exposure_changed_is_not_approved() -> None:
    rehearsal = running()
    rehearsal.skips()
    audience = rehearsal.plan.waves[0].audience.to_audience()
    rehearsal.steers_flag(ChangeExposure(percentage=5, audience=audience))
    with pytest.raises(ProposalOutdated, match="exposure was changed"):
        rehearsal.approves(CAROL)
    rehearsal.waits(DAY)
    with pytest.raises(ProposalOutdated, match="it expired"):
        rehearsal.approves(CAROL)


def paused(rehearsal: Rehearsal) -> None:
    rehearsal.does(Pause(reason="why"))


def rejected(rehearsal: Rehearsal) -> None:
    rehearsal.skips()
    id_ = rehearsal.rollout.proposal.id
    rehearsal.does(Reject(proposal=id_, rejected_by="carol", reason="no"), CAROL)


def misserved(rehearsal: Rehearsal) -> None:
    audience = rehearsal.plan.waves[0].audience.to_audience()
    rehearsal.steers_flag(ChangeExposure(percentage=5, audience=audience))
    rehearsal.judges()


HOLDS = [paused, rejected, misserved]


@pytest.mark.parametrize("holds", HOLDS)
def test_what_is_held_is_not_skipped(holds: Callable[[Rehearsal], None]) -> None:
    rehearsal = running()
    holds(rehearsal)
    with suppress(ControlPlaneError):  # Refused at once, it would be as well.
        rehearsal.skips(BOB)
    with pytest.raises(ControlPlaneError):
        rehearsal.approves(DORA)
    assert rehearsal.rollout.wave == 1


@pytest.mark.parametrize("holds", HOLDS)
def test_what_is_held_is_not_proposed_to_be_skipped(holds: Callable[[Rehearsal], None]) -> None:
    rehearsal = running()
    holds(rehearsal)
    with pytest.raises(ControlPlaneError):
        rehearsal.skips(BOB)


def test_a_skip_lapses_with_the_hold_of_a_person() -> None:
    rehearsal = running()
    rehearsal.skips()
    assert types(rehearsal.does(Pause(reason="why"))) == ["proposal_lapsed", "held"]
    rehearsal.does(Resume(resumed_by=BOB, reason="over"))
    assert rehearsal.rollout.proposal is None


# A skip that waits for the end of a freeze


def delayed(**changes: Any) -> Rehearsal:
    """Approved while a freeze is on."""
    rehearsal = running(**changes)
    rehearsal.skips(BOB)
    rehearsal.freezes()
    assert types(rehearsal.approves(CAROL))[-1] == "promotion_delayed"
    return rehearsal


def test_a_skip_waits_for_the_end_of_a_freeze() -> None:
    rehearsal = delayed()
    assert "wave_entered" not in types(rehearsal.judges())
    rehearsal.thaws()
    assert types(rehearsal.judges())[-1] == "wave_entered"


def test_a_skip_that_waited_is_not_promoted_when_its_checklist_was_taken_back() -> None:
    waves = PLAN.to_json()["waves"]
    waves[1]["requires"] = [ITEM]
    rehearsal = running(waves=waves)
    rehearsal.does(SignOff(item="code", role="", signed_by=DORA), DORA)
    rehearsal.skips(BOB)
    rehearsal.freezes()
    rehearsal.approves(CAROL)
    rehearsal.does(WithdrawSignOff(item="code", signed_by="dora", reason="wrong"), DORA)
    rehearsal.thaws()
    assert "wave_entered" not in types(rehearsal.judges())


def test_a_skip_that_waited_is_not_promoted_while_a_critical_alert_is_open() -> None:
    rehearsal = delayed()
    rehearsal.raises("critical")
    rehearsal.thaws()
    with suppress(CriticalAlertOpen):
        assert "wave_entered" not in types(rehearsal.judges())
