"""Looking at a wave, and ending a rollout."""

from typing import Any

import pytest

from controlplane.commands import (
    Abort,
    Judge,
)
from controlplane.errors import (
    RolloutEnded,
)
from controlplane.evaluation import HEARTBEAT_US
from events import Event
from events.promotions import ProposalLapsed
from events.rollouts import (
    BakeCompleted,
    ExposureConfirmed,
    RollbackStarted,
    RolloutCancelled,
    Trigger,
)
from events.timestamps import DAY
from tests.controlplane.rollout_stories import (
    ACTIVE,
    BEFORE,
    ENDED,
    ID,
    abort,
    approve,
    begun,
    draft,
    failing,
    frozen,
    given,
    holding,
    judged,
    look,
    passing,
    promotion_proposed,
    proposal,
    proposed,
    soaking,
    start,
    story,
    waiting,
)


def back(reason: str, trigger: Trigger = "criterion") -> Event:
    return RollbackStarted(rollout=ID, flag="checkout", trigger=trigger, reason=reason)


def lapsed(reason: str) -> Event:
    return ProposalLapsed(rollout=ID, proposal=proposal(), reason=reason)


WAITS = {"proposed", "promoting", "skipped"}
"""States in which a proposal waits."""


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
    given(*story(draft, start, waiting)).when(other).then(judged(other))
    assert news


@pytest.mark.parametrize(
    ("first", "more"),
    [
        ("9 of 300 = 3.0%; 59m of 60m to go", "11 of 1,310 = 0.8%; 58.5m of 60m to go"),
        (
            "no execution for 16m: the evidence is stale",
            "no execution for 3.2h: the evidence is stale",
        ),
        ("answered PASS 59s ago", "answered PASS 1m ago"),
    ],
)
def test_the_same_reason_with_other_numbers_is_no_news(first: str, more: str) -> None:
    looked = given(*story(draft, start, look("INCONCLUSIVE", reason=first)))
    looked.when(look("INCONCLUSIVE", reason=more)).then_nothing_happens()


def test_a_look_without_news_is_recorded_once_an_hour() -> None:
    looked = given(*story(draft, start, waiting))
    more = look("INCONCLUSIVE", progress=0.59)
    looked.when(more, after=HEARTBEAT_US - 1).then_nothing_happens()
    looked.when(more, after=HEARTBEAT_US).then(judged(more, after=HEARTBEAT_US))


def test_reports_of_clients_confirm_a_wave_and_time_completes_its_bake() -> None:
    confirmed = ExposureConfirmed(rollout=ID, wave=1)
    baked = BakeCompleted(rollout=ID, wave=1)
    reported, both = (
        look("INCONCLUSIVE", confirmed=True),
        look("INCONCLUSIVE", confirmed=True, baked=True),
    )
    looked = given(*story(draft, start, waiting))
    looked.when(reported).then(confirmed).then_asking_again_changes_nothing()
    looked.when(both).then(confirmed, baked).then_asking_again_changes_nothing()
    looked.when(look("INCONCLUSIVE", baked=True)).then_nothing_happens()


def test_a_soak_is_neither_confirmed_nor_baked() -> None:
    found = look("INCONCLUSIVE", confirmed=True, baked=True)
    given(*soaking).when(found).then(judged(found, wave=3))


@pytest.mark.parametrize("wrong", [{"misserved": "it serves 5 %"}, {"astray": "9 of 10 units"}])
@pytest.mark.parametrize("hold", ["exposure", "split", None])
def test_what_is_not_served_as_planned_is_neither_confirmed_nor_baked(
    wrong: dict[str, str], hold: Any
) -> None:
    action = "hold" if hold else "wait"
    found = look("INCONCLUSIVE", action, hold=hold, confirmed=True, baked=True, **wrong)
    assert not {ExposureConfirmed, BakeCompleted} & {
        type(event) for event in given(*begun).when(found).events
    }


# Proposing


def test_a_pass_is_proposed_once() -> None:
    given(*begun).when(passing).then(
        judged(passing), promotion_proposed()
    ).then_asking_again_changes_nothing()


def test_what_is_proposed_is_what_follows() -> None:
    for history, wave, to in [
        (begun, 1, "wave 2"),
        (story(draft, start, passing, approve()), 2, "soak"),
        (soaking, 3, "completed"),
    ]:
        *_, event = given(*history).when(passing).events
        assert event == promotion_proposed(wave, to, number=wave)


@pytest.mark.parametrize("verdict", ["INCONCLUSIVE", "NO_DATA", "ERROR"])
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
    assert given(*proposed).when(passing, after=DAY - 1).events == [judged(passing, after=DAY - 1)]
    *_, last = given(*proposed).when(passing, after=DAY).events
    assert last == lapsed("it expired")


def test_after_a_lapse_the_next_pass_is_proposed_anew() -> None:
    *_, last = given(*story(draft, start, passing, waiting)).when(passing).events
    assert last == promotion_proposed(number=2)


# Failing


@pytest.mark.parametrize(("state", "history"), ACTIVE.items(), ids=ACTIVE)
def test_a_failed_guardrail_rolls_back_from_every_state(state: str, history: Any) -> None:
    lapse = [lapsed("the rollout was rolled back")] if state in WAITS else []
    wave = 3 if state == "soaking" else 1
    given(*history).when(failing).then(judged(failing, wave), *lapse, back("because"))


@pytest.mark.parametrize("late", [passing, waiting, frozen, failing])
def test_a_failure_that_holds_ends_nothing_and_its_hold_is_never_released(late: Judge) -> None:
    failed = given(*story(draft, start, holding))
    assert failed.state.holds[0].kind == "criterion"
    after = failed.when(late).afterwards.state
    assert after.interventions.held("criterion") is not None


# Ending


@pytest.mark.parametrize(("state", "history"), ACTIVE.items(), ids=ACTIVE)
@pytest.mark.parametrize("trigger", ["person", "alert"])
def test_rolling_back_is_allowed_from_every_state(
    state: str, history: Any, trigger: Trigger
) -> None:
    lapse = [lapsed("the rollout was rolled back")] if state in WAITS else []
    given(*history).when(Abort(reason="why", aborted_by="bob", trigger=trigger)).then(
        *lapse, back("why", trigger)
    ).then_asking_again_changes_nothing()


@pytest.mark.parametrize("history", BEFORE.values(), ids=BEFORE)
def test_what_has_not_started_is_cancelled(history: Any) -> None:
    cancelled = RolloutCancelled(rollout=ID, cancelled_by="alice", reason="why")
    given(*history).when(abort).then(cancelled).then_asking_again_changes_nothing()


def test_what_is_complete_is_not_rolled_back() -> None:
    given(*ENDED["completed"]).when(abort).then_it_is_refused(RolloutEnded, "is completed")
