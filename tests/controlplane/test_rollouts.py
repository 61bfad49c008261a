from typing import Any

import pytest

from controlplane.errors import (
    RolloutEnded,
    RolloutInCharge,
    RolloutNotFound,
)
from controlplane.rollouts import HEARTBEAT_US, Abort
from events import Event
from events.rollouts import (
    ProposalLapsed,
    RolloutRolledBack,
    RolloutStarted,
    Trigger,
    WaveEntered,
    WaveJudged,
)
from events.timestamps import DAY
from tests.controlplane.rollout_stories import (
    ACTIVE,
    ENDED,
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
        reason=command.assessment.reason,
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
            rollout=ID,
            flag="checkout",
            wave=1,
            name="wave 1",
            audience=beta,
            percentage=10,
            max_silence_us=PLAN.max_silence,
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
        ("the reason", look("INCONCLUSIVE", reason="the flag serves 0 % of beta")),
    ],
)
def test_a_look_is_recorded_when_it_brings_news(news: str, other: Any) -> None:
    given(*begun, *story(start, waiting)[len(begun) :]).when(other).then(judged(other))
    assert news


def test_the_same_reason_with_other_numbers_is_no_news() -> None:
    first, more = (
        look("INCONCLUSIVE", reason=f"error_rate: {numbers}; bake_time: 59m of 60m to go")
        for numbers in ("9 of 300 = 3.0%", "11 of 1,310 = 0.8%")
    )
    given(*story(start, first)).when(more).then_nothing_happens()


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
