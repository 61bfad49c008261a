"""Going through an incident, a rollout or a time again, event by event."""

import pytest

from controlplane import ControlPlane
from controlplane.errors import FlagNotFound, InvalidInput, RolloutNotFound
from controlplane.incident_errors import IncidentNotFound
from events.timestamps import HOUR, MINUTE, to_iso
from projections.flags import FLAGS
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL, Clock, batch, plan


@pytest.fixture
def hurt(flagged: ControlPlane, clock: Clock) -> ControlPlane:
    """An hour after other things, a rollout; then a violation, an incident, and its end."""
    flagged.flags.create("other", owner="x", actor=ENGINEER)
    flagged.flags.enable("other", percentage=50, actor=ENGINEER)
    clock.advance(HOUR)
    flagged.rollouts.start(plan(), flag=FLAG, actor=ENGINEER)
    clock.advance(5 * MINUTE)
    flagged.executions.record([batch(), batch(flag="other"), batch(violations={"order": 1})])
    flagged.alerts.watch()
    clock.advance(MINUTE)
    flagged.tick()
    for alert in flagged.alerts.open():
        flagged.alerts.resolve(alert.id, actor=ON_CALL, reason="mended")
    flagged.incidents.close("INC-1", actor=ON_CALL, reason="mended")
    clock.advance(HOUR)
    flagged.flags.describe(FLAG, owner="others", actor=ENGINEER)
    return flagged


def test_an_incident_is_replayed_from_shortly_before_to_its_end(hurt: ControlPlane) -> None:
    found = list(hurt.replay("INC-1"))
    names = [frame.event.type for frame in found]
    assert names[0] == "rollout.drafted"
    assert names[-1] == "incident.closed"
    assert names.count("execution.batch_executed") == 2, "those of its flag"
    assert all(frame.world.position == frame.event.position for frame in found)
    (off,) = (frame for frame in found if frame.event.type == "flag.disabled")
    assert {(c.fact, c.before, c.after) for c in off.changes if c.projection == "flags"} == {
        ("enabled", True, False),
        ("percentage of everyone", 50.0, None),
    }
    assert not off.world.get(FLAGS, FLAG).enabled
    assert hurt.as_of(off.event.position - 1).flags.get(FLAG).enabled


def test_a_rollout_is_replayed_from_its_draft_to_its_end(hurt: ControlPlane) -> None:
    found = hurt.replay(f"{FLAG}-r1")
    names = [event.type for event in found.events()]
    assert (names[0], names[-1]) == ("rollout.drafted", "rollout.rolled_back")


def test_a_time_is_replayed_of_one_flag_or_of_all(hurt: ControlPlane, clock: Clock) -> None:
    assert [e.position for e in hurt.replay().events()] == list(range(1, hurt.head().position + 1))
    late = hurt.replay(since=to_iso(clock.now - MINUTE))
    assert [event.type for event in late.events()] == ["flag.described"]
    other = hurt.replay(flag="other", until=4)
    assert [event.type for event in other.events()] == [
        *("flag.created", "flag.enabled", "flag.exposure_changed")
    ]
    part = hurt.replay("INC-1", since=10, until=12)
    assert all(10 < event.position <= 12 for event in part.events())


def test_frames_go_on_from_a_position(hurt: ControlPlane) -> None:
    found = hurt.replay("INC-1")
    whole = [(f.event.position, f.changes) for f in found]
    assert [(f.event.position, f.changes) for f in found.frames(after=whole[4][0])] == whole[5:]


def test_a_picture_is_what_could_be_seen_at_the_moment(hurt: ControlPlane) -> None:
    found = hurt.replay("INC-1")
    scenes = {scene.event.type: scene for scene in found.scenes()}
    raised = scenes["incident.opened"].picture
    assert raised is not None
    assert (raised.enabled, raised.executions, raised.incidents) == (True, 2, ("INC-1",))
    assert [(one.audience, one.percentage) for one in raised.exposures] == [("everyone", 50.0)]
    assert raised.p95_us is not None
    assert [one.id for one in raised.alerts] == [f"{FLAG}/INVARIANT_VIOLATION_DETECTED/1"]
    assert raised.rollout is not None
    assert {one.criterion for one in raised.rollout.criteria} == {"error_rate", "bake_time"}
    ended = scenes["incident.closed"].picture
    assert ended is not None
    assert (ended.enabled, ended.alerts, ended.incidents) == (False, (), ())
    assert [found.scene(one.event) for one in found.scenes()] == list(found.scenes())


def test_a_replay_writes_nothing(hurt: ControlPlane) -> None:
    head = hurt.head()
    list(hurt.replay())
    list(hurt.replay("INC-1").scenes())
    assert hurt.head() == head
    assert not hasattr(hurt.replay().history.log, "append")


def test_what_is_not_there_is_refused(hurt: ControlPlane) -> None:
    with pytest.raises(IncidentNotFound):
        hurt.replay("INC-9")
    with pytest.raises(RolloutNotFound):
        hurt.replay("nonsense-r1")
    with pytest.raises(FlagNotFound):
        hurt.replay(flag="nonsense")
    with pytest.raises(InvalidInput, match="leave the flag out"):
        hurt.replay("INC-1", flag=FLAG)
    with pytest.raises(InvalidInput, match="still to come"):
        hurt.replay(until="2100-01-01T00:00Z")
