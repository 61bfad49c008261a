"""What goes under the machine's name is accounted for: what nothing led to is told."""

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane.history.bundles import opened
from controlplane.history.retaking import retake_story
from controlplane.plane.rollouts import SCHEDULER
from controlplane.taking_off import WATCHER
from events import Actor, NewEvent
from events.alerts import AlertRaised, AlertResolved, alert_stream
from events.flags import EVERYONE, ExposureChanged, FlagDisabled, FlagEnabled, flag_stream
from events.incidents import INCIDENT_STREAM, IncidentJoined, IncidentOpened
from events.promotions import PromotionProposed, WavePromoted
from events.rollouts import (
    RollbackStarted,
    RolloutCompleted,
    RolloutStarted,
    WaveEntered,
    rollout_stream,
)
from events.timestamps import HOUR, MINUTE, to_iso
from tests.journeys.test_retaking import assert_identical, retaken
from tests.journeys.traffic import ENGINEER, FLAG, Rolling, Service, plan, resolve_all
from tests.rehearsal.stories import STORIES

R = f"{FLAG}-r1"
RULE = "ERROR_RATE_CRITICAL"
WHY = f"{RULE}: 49 of 50 failed"
SAME_NAME = Actor.system("evaluation")
OF_A_WAVE = {"max_silence_us": HOUR, "window_us": HOUR, "settle_us": MINUTE}


def forge(plane: ControlPlane, at: int, actor: Actor, *made_up: tuple[str, Any]) -> None:
    """Append it as if the machine had."""
    new_id = plane._core.new_id
    news = [
        NewEvent(stream=stream, event=event, id=new_id(), occurred_at=at, actor=actor)
        for stream, event in made_up
    ]
    plane.log.append(news)


def off() -> tuple[str, Any]:
    return flag_stream(FLAG), FlagDisabled(flag=FLAG, reason=WHY)


def rolled_back(trigger: Any) -> tuple[str, Any]:
    event = RollbackStarted(rollout=R, flag=FLAG, trigger=trigger, reason=WHY)
    return rollout_stream(R), event


def proposed(rolling: Rolling) -> tuple[str, Any]:
    now, as_of = rolling.now, rolling.plane.head().position
    event = PromotionProposed(
        rollout=R,
        proposal=f"{R}-p1",
        kind="promotion",
        wave=1,
        to="beta",
        proposed_by=SCHEDULER.id,
        reason="",
        approvals=1,
        as_of=as_of,
        evaluator=1,
        evidence_digest="0" * 64,
        plan_hash=now.plan_hash,
        exposure_version=1,
        expires_at=rolling.service.clock.now + HOUR,
    )
    return rollout_stream(R), event


FORGERIES: dict[str, tuple[Actor, Callable[[Rolling], tuple[str, Any]]]] = {
    "flag off by a rule": (WATCHER, lambda _: off()),
    "flag off by a look": (SCHEDULER, lambda _: off()),
    "flag on": (
        SCHEDULER,
        lambda _: (flag_stream(FLAG), FlagEnabled(flag=FLAG, reason="wave")),
    ),
    "more exposure": (
        SCHEDULER,
        lambda _: (
            flag_stream(FLAG),
            ExposureChanged(flag=FLAG, audience=EVERYONE, before=0, after=100.0, reason="wave"),
        ),
    ),
    "rollback by a rule": (WATCHER, lambda _: rolled_back("alert")),
    "rollback by a criterion": (SCHEDULER, lambda _: rolled_back("criterion")),
    "rollback by a name alike": (SAME_NAME, lambda _: rolled_back("criterion")),
    "rollback by time": (SCHEDULER, lambda _: rolled_back("timeout")),
    "promotion": (
        SCHEDULER,
        lambda _: (
            rollout_stream(R),
            WavePromoted(rollout=R, proposal=f"{R}-p1", wave=1, to="beta"),
        ),
    ),
    "wave": (
        SCHEDULER,
        lambda _: (
            rollout_stream(R),
            WaveEntered(
                rollout=R,
                flag=FLAG,
                wave=2,
                name="beta",
                audience=EVERYONE,
                percentage=50.0,
                **OF_A_WAVE,
            ),
        ),
    ),
    "end": (
        SCHEDULER,
        lambda _: (rollout_stream(R), RolloutCompleted(rollout=R, flag=FLAG)),
    ),
    "proposal": (SCHEDULER, proposed),
    "start": (
        SCHEDULER,
        lambda _: (rollout_stream(R), RolloutStarted(rollout=R, flag=FLAG, started_by="x")),
    ),
    "incident": (
        WATCHER,
        lambda _: (
            INCIDENT_STREAM,
            IncidentOpened(
                incident="INC-1",
                flag=FLAG,
                severity="critical",
                reason="x",
                alert=f"{FLAG}/{RULE}/1",
            ),
        ),
    ),
    "another alert of an incident": (
        WATCHER,
        lambda _: (
            INCIDENT_STREAM,
            IncidentJoined(
                incident="INC-1", flag=FLAG, severity="critical", alert=f"{FLAG}/{RULE}/1"
            ),
        ),
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_what_nothing_led_to_is_told(rolling: Rolling, name: str) -> None:
    plane, clock = rolling.plane, rolling.service.clock
    rolling.hold(1, step=1)
    assert_identical(plane)
    clock.advance(MINUTE)
    actor, make = FORGERIES[name]
    stream, event = make(rolling)
    forge(plane, clock.now, actor, (stream, event))
    (found,) = retaken(plane).differences
    assert found.position == plane.head().position
    assert found.recorded.startswith(event.TYPE)
    assert found.recomputed == "nothing"


def test_what_comes_of_a_forged_promotion_is_told_with_it(rolling: Rolling) -> None:
    """Both go together: the end follows from a promotion, which nobody approved."""
    plane, clock = rolling.plane, rolling.service.clock
    rolling.hold(1, step=1)
    clock.advance(MINUTE)
    promoted = WavePromoted(rollout=R, proposal=f"{R}-p1", wave=1, to="completed")
    completed = RolloutCompleted(rollout=R, flag=FLAG)
    forge(
        plane, clock.now, SCHEDULER, (rollout_stream(R), promoted), (rollout_stream(R), completed)
    )
    (found,) = retaken(plane).differences
    assert found.recorded.startswith("rollout.wave_promoted")


def test_an_alert_that_tells_of_no_look_is_counted_as_untold(served: Service) -> None:
    facts: dict[str, Any] = {"rule": RULE, "flag": FLAG, "severity": "critical"}
    raised = AlertRaised(
        alert=f"{FLAG}/{RULE}/1",
        value=0.9,
        threshold=0.2,
        unit="ratio",
        sample=50,
        summary="x",
        **facts,
    )
    resolved = AlertResolved(alert=f"{FLAG}/{RULE}/1", reason="fine", **facts)
    for event in (raised, resolved):
        forge(served.plane, served.clock.now, WATCHER, (alert_stream(FLAG, RULE), event))
        served.clock.advance(MINUTE)
    assert retaken(served.plane).untold == 2


def broken(service: Service) -> None:
    service.clock.advance(MINUTE)
    service.runs(3, violations={"order": 1})
    service.plane.alerts.watch()


def test_a_flag_that_is_on_again_while_its_alert_is_open_is_taken_off_for_good_reason(
    served: Service,
) -> None:
    plane = served.plane
    broken(served)
    resolve_all(plane)
    plane.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    broken(served)
    forge(
        plane,
        served.clock.now,
        Actor(kind="person", id="ada", name="ada"),
        (flag_stream(FLAG), FlagEnabled(flag=FLAG, reason="again")),
    )
    broken(served)
    assert [one.type for one in plane.events()].count("flag.disabled") == 3
    assert [one.type for one in plane.events()].count("alert.raised") == 2
    assert assert_identical(plane).rollbacks == 3


def test_a_rollout_that_starts_by_itself_is_accounted_for(service: Service) -> None:
    plane, clock = service.plane, service.clock
    draft = plane.rollouts.draft(plan(), flag=FLAG, actor=ENGINEER)
    plane.rollouts.submit(draft.id, actor=ENGINEER, start_at=to_iso(clock.now + HOUR))
    clock.advance(2 * HOUR)
    plane.tick()
    assert plane.rollouts.get(draft.id).is_active
    assert_identical(plane)


def test_a_proposal_that_takes_the_place_of_an_expired_one_is_accounted_for(
    rolling: Rolling,
) -> None:
    rolling.propose()
    rolling.service.clock.advance(24 * HOUR)
    rolling.service.runs(10)
    for _ in range(2):
        rolling.plane.tick()
    assert rolling.now.proposal is not None
    assert rolling.now.proposal.id == f"{R}-p2"
    assert_identical(rolling.plane)


@pytest.mark.parametrize("story", STORIES)
def test_whatever_the_machine_did_is_accounted_for(
    rolling: Rolling, story: Callable[[Rolling], None]
) -> None:
    story(rolling)
    assert_identical(rolling.plane)


def test_of_a_file_without_its_alerts_what_they_led_to_is_told(served: Service) -> None:
    broken(served)
    manifest, *lines = served.plane.incidents.export("INC-1")
    kept = [line for line in lines if b'"alert.raised"' not in line]
    assert len(kept) < len(lines)
    mended = json.loads(manifest) | {
        "events": len(kept),
        "digest": sha256(b"".join(kept)).hexdigest(),
    }
    story = opened([json.dumps(mended).encode() + b"\n", *kept])
    told = {one.recorded.partition(" ")[0] for one in retake_story(story).differences}
    assert told == {"incident.opened", "flag.disabled"}
