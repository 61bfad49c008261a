"""Tokens and reviews, on every store."""

from uuid import UUID

import pytest

from controlplane import ControlPlane
from controlplane.access_errors import (
    NotAuthenticated,
    ReviewNotFound,
    SameReviewer,
    SilenceNotPermitted,
    TokenNotFound,
)
from controlplane.errors import (
    CriticalAlertOpen,
    InvalidInput,
    NotAPerson,
    RolloutInCharge,
    SamePerson,
)
from controlplane.plans import FOUR_WAVES
from controlplane.rules.overriding import GLASS_BROKEN
from events.access import GlassBroken
from events.alerts import AlertRaised, alert_stream
from events.event import Actor, NewEvent
from events.flags import ExposureChanged
from events.timestamps import DAY, HOUR, SECOND
from tests.conftest import Clock
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL


def test_a_token_acts_for_its_owner_within_its_roles(plane: ControlPlane) -> None:
    issued = plane.access.issue(owner="ben", roles=["viewer", "ingestor"], actor=ENGINEER)
    caller = plane.access.authenticate(issued.text)
    assert caller.actor == Actor(kind="token", id="ben", name="ben")
    assert (caller.token, caller.roles) == (issued.token.id, ("viewer", "ingestor"))
    assert caller.permissions == {"read", "evaluate", "record"}


def test_the_text_of_a_token_is_kept_nowhere(plane: ControlPlane) -> None:
    issued = plane.access.issue(owner="ben", roles="admin", actor=ENGINEER)
    kept = "".join(event.data + event.stream for event in plane.events())
    assert issued.text not in kept
    assert issued.text.split("_")[-2] not in kept
    assert issued.text not in repr(plane.access.tokens())


def test_a_token_opens_nothing_once_it_is_revoked(plane: ControlPlane) -> None:
    issued = plane.access.issue(owner="ben", roles="admin", actor=ENGINEER)
    plane.access.authenticate(issued.text)
    plane.access.revoke(issued.token.id, actor=ENGINEER, reason="lost")
    with pytest.raises(NotAuthenticated, match="was revoked"):
        plane.access.authenticate(issued.text)
    before = plane.head()
    plane.access.revoke(issued.token.id, actor=ENGINEER)
    assert plane.head() == before


def test_a_token_opens_nothing_from_the_moment_it_expires(
    plane: ControlPlane, clock: Clock
) -> None:
    issued = plane.access.issue(owner="ben", roles="admin", actor=ENGINEER, expires_in="1h")
    clock.advance(HOUR - 1)
    plane.access.authenticate(issued.text)
    clock.advance(1)
    with pytest.raises(NotAuthenticated, match="has expired"):
        plane.access.authenticate(issued.text)


def test_a_token_of_nobody_or_of_another_environment_is_not_known(plane: ControlPlane) -> None:
    with ControlPlane("memory://", environment="staging") as other:
        foreign = other.access.issue(owner="ben", roles="admin", actor=ENGINEER).text
    for text, because in ((foreign, "not known"), ("rcp_x", "no token"), ("", "no token")):
        with pytest.raises(NotAuthenticated, match=because):
            plane.access.authenticate(text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"owner": " "},
        {"roles": ()},
        {"roles": "root"},
        {"scopes": ("flags.explode",)},
        {"expires_in": "0s"},
        {"expires_in": "20000d"},
        {"expires_in": "soon"},
    ],
)
def test_a_token_that_makes_no_sense_is_not_issued(
    plane: ControlPlane, wrong: dict[str, object]
) -> None:
    given = {"owner": "ben", "roles": "viewer", "actor": ENGINEER} | wrong
    with pytest.raises(InvalidInput):
        plane.access.issue(**given)  # type: ignore[arg-type]  # why: what a caller may get wrong


def test_who_is_not_there_cannot_be_revoked_or_reviewed(plane: ControlPlane) -> None:
    with pytest.raises(TokenNotFound):
        plane.access.revoke("x", actor=ENGINEER)
    with pytest.raises(ReviewNotFound):
        plane.access.close_review("review-1", actor=ENGINEER, note="x")


def test_the_first_token_is_made_where_no_admin_has_one(plane: ControlPlane, clock: Clock) -> None:
    plane.access.issue(owner="ben", roles="approver", actor=ENGINEER)
    first = plane.access.first_token()
    assert first is not None
    assert plane.access.authenticate(first.text).may("tokens.manage")
    assert plane.access.first_token() is None
    clock.advance(DAY)
    assert plane.access.first_token() is not None


# -- breaking the glass ---------------------------------------------------------------------------


@pytest.fixture
def rolling(plane: ControlPlane) -> ControlPlane:
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    plane.rollouts.start(FOUR_WAVES, flag=FLAG, actor=ENGINEER)
    return plane


def test_breaking_the_glass_raises_past_the_rollout_and_says_so(rolling: ControlPlane) -> None:
    with pytest.raises(RolloutInCharge):
        rolling.flags.enable(FLAG, percentage=100, actor=ON_CALL)
    flag = rolling.flags.break_glass(FLAG, 100, actor=ON_CALL, reason="the old path is down")
    assert (flag.percentage, flag.rollout) == (100, f"{FLAG}-r1")
    (review,) = rolling.access.reviews()
    assert (review.id, review.opened_by, review.after) == ("review-1", ON_CALL, 100)
    (alert,) = [one for one in rolling.alerts.open() if one.rule == GLASS_BROKEN.name]
    assert "the old path is down" in alert.summary
    broken, moved = (
        next(e for e in rolling.events() if isinstance(e.event, kind))
        for kind in (GlassBroken, ExposureChanged)
    )
    assert [e.event for e in rolling.events(type="flag.exposure_changed")][-1].forced  # type: ignore[attr-defined]  # why: of that type
    assert broken.correlation_id == f"{FLAG}-r1" != moved.id


def test_a_forced_raise_is_no_grant(rolling: ControlPlane) -> None:
    rolling.flags.break_glass(FLAG, 100, actor=ON_CALL, reason="the old path is down")
    rolling.flags.set_percentage(FLAG, 5, actor=ON_CALL)
    with pytest.raises(RolloutInCharge):
        rolling.flags.set_percentage(FLAG, 100, actor=ON_CALL)


def test_the_glass_is_broken_past_a_critical_alert_too(rolling: ControlPlane) -> None:
    rolling.executions.record(
        [
            {"flag": FLAG, "cohort": "on", "unit": f"u{n}", "outcome": "failed", "duration_us": 1}
            for n in range(200)
        ]
    )
    rolling.alerts.watch()
    with pytest.raises(CriticalAlertOpen):
        rolling.flags.enable(FLAG, percentage=50, actor=ON_CALL)
    assert rolling.flags.break_glass(FLAG, 50, actor=ON_CALL, reason="roll forward").enabled


def test_nobody_reviews_their_own_deed(rolling: ControlPlane) -> None:
    rolling.flags.break_glass(FLAG, 100, actor=ON_CALL, reason="the old path is down")
    with pytest.raises(SameReviewer):
        rolling.access.close_review("review-1", actor=ON_CALL.upper(), note="fine")
    with pytest.raises(InvalidInput, match="needs a reason"):
        rolling.access.close_review("review-1", actor=ENGINEER, note=" ")
    closed = rolling.access.close_review("review-1", actor=ENGINEER, note="it was down")
    assert (closed.closed_by, closed.note) == (ENGINEER, "it was down")
    assert not [one for one in rolling.alerts.open() if one.rule == GLASS_BROKEN.name]


def test_who_broke_the_glass_does_not_silence_its_alert(rolling: ControlPlane) -> None:
    rolling.flags.break_glass(FLAG, 100, actor=ON_CALL, reason="the old path is down")
    (alert,) = [one for one in rolling.alerts.open() if one.rule == GLASS_BROKEN.name]
    with pytest.raises(SameReviewer):
        rolling.alerts.resolve(alert.id, actor=ON_CALL.upper(), reason="fine")
    assert not rolling.alerts.resolve(alert.id, actor="cleo", reason="seen").open


def test_the_alert_stays_until_the_last_review_is_closed(rolling: ControlPlane) -> None:
    for percentage in (50, 100):
        rolling.flags.break_glass(FLAG, percentage, actor=ON_CALL, reason="it is down")
    rolling.access.close_review("review-2", actor=ENGINEER, note="seen")
    assert [one.rule for one in rolling.alerts.open()] == [GLASS_BROKEN.name]
    rolling.access.close_review("review-1", actor=ENGINEER, note="seen")
    assert not rolling.alerts.open()


def test_no_glass_is_broken_without_need_or_by_a_machine(rolling: ControlPlane) -> None:
    for percentage, reason in ((100, " "), (0, "to lower it")):
        with pytest.raises(InvalidInput):
            rolling.flags.break_glass(FLAG, percentage, actor=ON_CALL, reason=reason)
    with pytest.raises(NotAPerson):
        rolling.flags.break_glass(FLAG, 100, actor=Actor.system("cron"), reason="x")
    assert not rolling.access.reviews()


def test_looks_leave_the_alert_to_people(rolling: ControlPlane, clock: Clock) -> None:
    rolling.flags.break_glass(FLAG, 100, actor=ON_CALL, reason="the old path is down")
    for _ in range(3):
        clock.advance(60 * SECOND)
        rolling.tick()
    assert GLASS_BROKEN.name in [one.rule for one in rolling.alerts.open()]


def test_who_asked_for_a_rollout_does_not_silence_what_holds_it_up(plane: ControlPlane) -> None:
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    plane.rollouts.start(FOUR_WAVES, flag=FLAG, actor=ENGINEER)
    raised = AlertRaised(
        alert=f"{FLAG}/MEMORY_LEAK_DETECTED/1",
        rule="MEMORY_LEAK_DETECTED",
        flag=FLAG,
        severity="critical",
        value=1.0,
        threshold=1.0,
        unit="bytes",
        sample=1,
        summary="it leaks",
    )
    new = NewEvent(
        stream=alert_stream(FLAG, raised.rule),
        event=raised,
        id=str(UUID(int=1 << 100)),
        occurred_at=plane.clock(),
        actor=Actor.system("alert-rules"),
    )
    plane.log.append([new])
    (alert,) = plane.alerts.open()
    with pytest.raises(SamePerson):
        plane.alerts.resolve(alert.id, actor=ENGINEER.upper(), reason="it is nothing")
    with pytest.raises(SilenceNotPermitted):
        plane.alerts.resolve(alert.id, actor=ON_CALL, reason="x", may_silence_critical=False)
    assert not plane.alerts.resolve(alert.id, actor=ON_CALL, reason="it is nothing").open
