"""Every decision that was recorded is taken again from the events, and comes out the same."""

from typing import Any

import pytest
from msgspec.structs import replace

from controlplane import ControlPlane
from controlplane.history.bundles import opened
from controlplane.history.retaking import Retaken, retake, retake_story
from events import Actor, NewEvent
from events.judgements import WaveJudged, judgement_stream
from events.timestamps import HOUR, MINUTE, SECOND
from projections.replay import History
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL, Rolling, Service, resolve_all
from tests.rehearsal.stories import broken_release

WATCHER = Actor.system("alert-rules")


def retaken(plane: ControlPlane, flag: str = FLAG) -> Retaken:
    history: History = plane._core.history
    return retake(history, flag, 0, plane.head().position)


def assert_identical(plane: ControlPlane) -> Retaken:
    found = retaken(plane)
    assert [*found.differences] == [], "\n".join(map(str, found.differences))
    assert found.identical
    assert found.untold == 0
    return found


@pytest.fixture
def troubled(rolling: Rolling) -> Rolling:
    """Wave 1 passes and is approved; wave 2 breaks: alerts, a rollback, an incident, its end."""
    broken_release(rolling)
    return rolling


def test_alerts_rollbacks_and_judgements_come_out_the_same(troubled: Rolling) -> None:
    assert troubled.now.state == "rolled_back"
    found = assert_identical(troubled.plane)
    assert found.judgements >= 4
    assert found.alerts >= 3
    assert found.rollbacks >= 2
    assert found.incidents >= 2


def test_a_rollout_through_all_its_waves_comes_out_the_same(rolling: Rolling) -> None:
    rolling.advance_to(5)
    assert assert_identical(rolling.plane).judgements > 5


def test_a_criterion_that_fails_comes_out_the_same(rolling: Rolling) -> None:
    rolling.service.runs(200, failed=36)
    rolling.plane.rollouts.evaluate_all()
    rolling.service.clock.advance(40 * SECOND)
    rolling.plane.tick()
    found = assert_identical(rolling.plane)
    assert found.rollbacks == 2, "it was rolled back, and confirmed"


def test_clients_that_do_not_follow_come_out_the_same(rolling: Rolling) -> None:
    clock, plane = rolling.service.clock, rolling.plane
    plane.rollouts.abort(rolling.id, actor=ON_CALL, reason="wrong results")
    for _ in range(4):
        clock.advance(20 * SECOND)
        rolling.service.runs(3)
        plane.tick()
    clock.advance(2 * MINUTE)
    plane.tick()
    found = assert_identical(plane)
    assert {"rollout.rollback_stalled", "rollout.rolled_back"} <= {
        event.type for event in plane.events()
    }
    assert found.incidents == 1


def test_a_flag_without_a_rollout_comes_out_the_same(served: Service) -> None:
    served.clock.advance(MINUTE)
    served.runs(3, violations={"order": 1})
    served.plane.alerts.watch()
    found = assert_identical(served.plane)
    assert (found.alerts, found.rollbacks, found.incidents) == (1, 1, 1)


def test_in_a_file_elsewhere_they_come_out_the_same(troubled: Rolling) -> None:
    plane = troubled.plane
    story = opened(plane.incidents.export("INC-1"))
    there, here = retake_story(story), retaken(plane)
    assert there == here
    live = plane.replay("INC-1")
    assert list(story.events()) == list(live.events())
    for one, other in zip(story.scenes(), live.scenes(), strict=True):
        assert one.event == other.event
        assert one.picture == other.picture
        without = [[c for c in scene.changes if c.projection != "totals"] for scene in (one, other)]
        assert without[0] == without[1], "totals count from where the file begins"


def test_a_file_holds_no_more_than_its_story_needs(troubled: Rolling) -> None:
    plane = troubled.plane
    plane.flags.create("other", owner="x", actor=ENGINEER)
    troubled.service.clock.advance(HOUR)
    head = plane.head().position
    plane.flags.describe(FLAG, owner="others", actor=ENGINEER)
    story = opened(plane.incidents.export("INC-1"))
    events = story.history.log.read(0, 10**6)
    assert {event.position for event in events} <= set(range(1, head + 1))
    assert not [event for event in events if "other" in event.stream]
    assert story.history.log.head().position == story.end


def forged(plane: ControlPlane, stream: str, event: Any, at: int) -> None:
    """Somebody who can append what they like does so."""
    new = NewEvent(
        stream=stream, event=event, id=plane._core.new_id(), occurred_at=at, actor=WATCHER
    )
    plane.log.append([new])


def test_an_alert_that_no_rule_found_is_told(served: Service) -> None:
    plane = served.plane
    served.runs(3, violations={"order": 1})
    plane.alerts.watch()
    (raised,) = (e for e in plane.events(type="alert.raised") if e.event.severity == "critical")
    resolve_all(plane)
    plane.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    served.clock.advance(MINUTE)
    made_up = replace(
        raised.event,
        alert=raised.event.alert[:-1] + "2",
        judged_at=served.clock.now,
        as_of=plane.head().position,
    )
    position = plane.head().position + 1
    forged(plane, raised.stream, made_up, served.clock.now)
    found = retaken(plane)
    assert {one.position for one in found.differences} == {position}
    assert "nothing" in {one.recomputed for one in found.differences}


def test_a_judgement_that_was_prettified_is_told(rolling: Rolling) -> None:
    plane = rolling.plane
    rolling.hold(6)
    judged = plane.events(type="rollout.wave_judged", newest_first=True)[0]
    assert isinstance(judged.event, WaveJudged)
    pretty = replace(
        judged.event,
        verdict="PASS",
        as_of=plane.head().position,
        judged_at=rolling.service.clock.now,
    )
    forged(plane, judgement_stream(rolling.id), pretty, rolling.service.clock.now)
    found = retaken(plane)
    assert not found.identical
    assert {one.what for one in found.differences} == {"judgements"}


def test_what_does_not_tell_what_it_was_made_of_is_counted(rolling: Rolling) -> None:
    plane = rolling.plane
    rolling.service.runs(20, failed=15)
    plane.tick()
    raised = plane.events(type="alert.raised")[0]
    forged(plane, raised.stream, replace(raised.event, as_of=0), rolling.service.clock.now)
    found = retaken(plane)
    assert found.untold == 1


def test_what_people_decide_is_not_decided_again(served: Service) -> None:
    plane = served.plane
    served.runs(1, violations={"order": 1})
    plane.alerts.watch()
    before = retaken(plane)
    resolve_all(plane)
    plane.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    assert retaken(plane) == before
