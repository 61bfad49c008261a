from typing import Any

import pytest

from controlplane.errors import (
    ProposalClosed,
    ProposalNotFound,
    ProposalOutdated,
    RolloutEnded,
    RolloutInCharge,
    RolloutNotFound,
    SamePerson,
)
from controlplane.rollouts import HEARTBEAT_US, Abort
from events import EVERYONE, Event
from events.rollouts import (
    ProposalApproved,
    ProposalLapsed,
    ProposalRejected,
    RolloutCompleted,
    RolloutRolledBack,
    RolloutStarted,
    SoakStarted,
    Trigger,
    WaveEntered,
    WaveJudged,
    WavePromoted,
)
from events.timestamps import DAY, MINUTE
from tests.controlplane.rollout_stories import (
    ACTIVE,
    ENDED,
    EXPOSURE,
    ID,
    PLAN,
    abort,
    approve,
    begun,
    failing,
    given,
    held,
    look,
    passing,
    promotion_proposed,
    proposal,
    proposed,
    reject,
    rolled_back,
    soaking,
    start,
    story,
    waiting,
)
from tests.projections.recording import START

COMMANDS = [waiting, passing, failing, approve(), reject(), abort]


def judged(command: Any, wave: int = 1, after: int = 0) -> Event:
    return WaveJudged(
        rollout=ID,
        wave=wave,
        as_of=7,
        judged_at=START + after,
        verdict=command.assessment.verdict,
        reason="because",
        judgements=command.assessment.judgements,
    )


def lapsed(reason: str) -> Event:
    return ProposalLapsed(rollout=ID, proposal=proposal(), reason=reason)


def back(reason: str, trigger: Trigger = "criterion") -> Event:
    return RolloutRolledBack(rollout=ID, flag="checkout", trigger=trigger, reason=reason)


# Starting


def test_it_starts_with_its_plan_and_its_first_wave() -> None:
    beta = PLAN.waves[0].audience.to_audience()
    given().when(start).then(
        RolloutStarted(
            rollout=ID,
            flag="checkout",
            attempt=1,
            plan=PLAN.to_json(),
            plan_hash=PLAN.digest(),
            waves=2,
            requested_by="alice",
        ),
        WaveEntered(
            rollout=ID, flag="checkout", wave=1, name="wave 1", audience=beta, percentage=10
        ),
    )


@pytest.mark.parametrize("history", ACTIVE.values(), ids=ACTIVE)
def test_what_runs_is_not_started_again(history: Any) -> None:
    given(*history).when(start).then_it_is_refused(RolloutInCharge)


@pytest.mark.parametrize("history", ENDED.values(), ids=ENDED)
def test_what_has_ended_is_not_started_again(history: Any) -> None:
    given(*history).when(start).then_it_is_refused(RolloutEnded)


@pytest.mark.parametrize("command", COMMANDS)
def test_what_was_never_started_cannot_be_commanded(command: Any) -> None:
    given().when(command).then_it_is_refused(RolloutNotFound, ID)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(("state", "history"), ENDED.items(), ids=ENDED)
def test_what_has_ended_stays_so(state: str, history: Any, command: Any) -> None:
    decision = given(*history).when(command)
    if command is abort and history is rolled_back:
        decision.then_nothing_happens()
    else:
        decision.then_it_is_refused(RolloutEnded, f"is {state}")


# Looking


def test_the_first_look_is_recorded() -> None:
    given(*begun).when(waiting).then(judged(waiting)).then_asking_again_changes_nothing()


@pytest.mark.parametrize(
    ("news", "other"),
    [
        ("the verdict", look("NO_DATA")),
        ("a tenth of the evidence", look("INCONCLUSIVE", progress=0.61)),
    ],
)
def test_a_look_is_recorded_when_it_brings_news(news: str, other: Any) -> None:
    given(*begun, *story(start, waiting)[len(begun) :]).when(other).then(judged(other))
    assert news


def test_a_look_without_news_is_recorded_once_an_hour() -> None:
    looked = given(*story(start, waiting))
    more = look("INCONCLUSIVE", progress=0.59)
    looked.when(more, after=HEARTBEAT_US - 1).then_nothing_happens()
    looked.when(more, after=HEARTBEAT_US).then(judged(more, after=HEARTBEAT_US))


def test_a_pass_is_proposed_once() -> None:
    given(*begun).when(passing).then(
        judged(passing), promotion_proposed()
    ).then_asking_again_changes_nothing()


def test_what_is_proposed_is_what_follows() -> None:
    for history, wave, to in [
        (begun, 1, "wave 2"),
        (story(start, passing, approve()), 2, "soak"),
        (soaking, 3, "completed"),
    ]:
        *_, event = given(*history).when(passing).events
        assert event == promotion_proposed(wave, to, number=wave)


@pytest.mark.parametrize("verdict", ["INCONCLUSIVE", "NO_DATA", "ERROR", "FAIL"])
def test_a_proposal_lapses_when_its_wave_no_longer_passes(verdict: Any) -> None:
    command = look(verdict)
    given(*proposed).when(command).then(
        judged(command), lapsed("its evidence lapsed: because")
    ).then_asking_again_changes_nothing()


def test_a_proposal_lapses_when_the_exposure_is_changed() -> None:
    given(*proposed).when(look("PASS", "promote", progress=1, exposure=4)).then(
        lapsed("the flag's exposure was changed since")
    )


def test_a_proposal_expires_after_a_day() -> None:
    *_, last = given(*proposed).when(passing, after=DAY - 1).events
    assert isinstance(last, WaveJudged)
    *_, last = given(*proposed).when(passing, after=DAY).events
    assert last == lapsed("it expired")


def test_after_a_lapse_the_next_pass_is_proposed_anew() -> None:
    *_, last = given(*story(start, passing, waiting)).when(passing).events
    assert last == promotion_proposed(number=2)


# Failing


@pytest.mark.parametrize(("state", "history"), ACTIVE.items(), ids=ACTIVE)
def test_a_failed_guardrail_rolls_back_from_every_state(state: str, history: Any) -> None:
    lapse = [lapsed("because")] if state == "proposed" else []
    wave = 3 if state == "soaking" else 1
    given(*history).when(failing).then(judged(failing, wave), *lapse, back("because"))


def test_a_failure_that_holds_ends_nothing_and_stands() -> None:
    given(*begun).when(held).then(judged(held))
    assert given(*story(start, held, waiting)).state.failed == ("error_rate",)


# Aborting


@pytest.mark.parametrize(("state", "history"), ACTIVE.items(), ids=ACTIVE)
@pytest.mark.parametrize("trigger", ["person", "alert"])
def test_aborting_is_allowed_from_every_state(state: str, history: Any, trigger: Trigger) -> None:
    lapse = [lapsed("the rollout was rolled back")] if state == "proposed" else []
    given(*history).when(Abort(reason="why", trigger=trigger)).then(
        *lapse, back("why", trigger)
    ).then_asking_again_changes_nothing()


# Deciding


def test_an_approval_promotes_to_the_next_wave() -> None:
    given(*proposed).when(approve()).then(
        ProposalApproved(rollout=ID, proposal=proposal(), approver="bob", reason="fine"),
        WavePromoted(rollout=ID, proposal=proposal(), wave=1, to="wave 2"),
        WaveEntered(
            rollout=ID, flag="checkout", wave=2, name="wave 2", audience=EVERYONE, percentage=50
        ),
    )


def test_after_the_last_wave_comes_the_soak_and_after_the_soak_the_end() -> None:
    in_wave_2 = story(start, passing, approve(), passing)
    *_, last = given(*in_wave_2).when(approve(2)).events
    assert last == SoakStarted(rollout=ID, flag="checkout")
    *_, last = given(*soaking).when(passing).afterwards.when(approve(3)).events
    assert last == RolloutCompleted(rollout=ID, flag="checkout")


def test_who_asked_for_the_rollout_cannot_approve() -> None:
    given(*proposed).when(approve(by="alice")).then_it_is_refused(SamePerson, "alice")


@pytest.mark.parametrize(
    ("command", "after", "reason"),
    [
        (approve(), DAY, "it expired"),
        (approve(exposure=EXPOSURE + 1), MINUTE, "exposure was changed"),
    ],
)
def test_a_proposal_that_no_longer_holds_cannot_be_approved(
    command: Any, after: int, reason: str
) -> None:
    given(*proposed).when(command, after=after).then_it_is_refused(ProposalOutdated, reason)


@pytest.mark.parametrize("command", [approve(), reject()])
@pytest.mark.parametrize(
    ("history", "why"),
    [
        (story(start, passing, waiting), r"is lapsed \(its evidence lapsed: because\)"),
        (story(start, passing, reject()), r"is rejected \(no\)"),
        (story(start, passing, approve()), r"is approved \(fine\)"),
        (story(start, passing, waiting, passing), "is lapsed"),
    ],
    ids=["lapsed", "rejected", "approved", "superseded"],
)
def test_a_proposal_is_decided_once(history: Any, why: str, command: Any) -> None:
    given(*history).when(command).then_it_is_refused(ProposalClosed, why)


@pytest.mark.parametrize("command", [approve(2), reject(2)])
def test_a_proposal_that_was_never_made_is_not_found(command: Any) -> None:
    given(*proposed).when(command).then_it_is_refused(ProposalNotFound, proposal(2))


def test_rejected_the_wave_goes_on() -> None:
    decision = given(*proposed).when(reject())
    decision.then(ProposalRejected(rollout=ID, proposal=proposal(), rejected_by="bob", reason="no"))
    assert decision.afterwards.state.state == "observing"


def test_who_asked_may_reject() -> None:
    command = reject()
    assert given(*proposed).when(command).refusal is None
