"""A rollout with all that auditors ask about: who came by which token, and who was refused."""

from dataclasses import dataclass

from starlette.testclient import TestClient

from controlplane import ControlPlane
from events.timestamps import HOUR, MINUTE
from tests.http.callers import client
from tests.journeys.traffic import FLAG, Clock, batch

ROLLOUT = f"{FLAG}-r1"
RATE = {"kind": "rate_below", "bound": 0.05}
PLAN = {
    "name": "two-waves",
    "start": {"needed": 1},
    "before_start": [{"name": "runbook", "area": "team", "role": "on-call"}],
    "waves": [
        {"name": "half", "percentage": 50, "hold": "1h", "criteria": [RATE]},
        {"name": "all", "percentage": 100, "hold": "1h", "criteria": [RATE]},
    ],
}


@dataclass
class Audited:
    """Ana asks, Ben agrees over HTTP by a token of his; both are people."""

    plane: ControlPlane
    clock: Clock
    ben: TestClient
    token: str

    def serves(self, count: int = 200, *, failed: int = 0) -> None:
        batches = [batch(failed=n < failed) for n in range(count)]
        assert self.plane.executions.record(batches).accepted == count

    def hours(self, count: int) -> None:
        for _ in range(count * 4):
            self.clock.advance(15 * MINUTE)
            self.serves(60)
            self.plane.tick()


def audited(plane: ControlPlane, clock: Clock) -> Audited:
    """Everything is set up; nothing is asked for yet."""
    plane.flags.create(FLAG, owner="patch-team", actor="ana")
    issued = plane.access.issue(owner="ben", roles=("approver",), actor="ana", name="laptop")
    return Audited(plane, clock, client(plane, token=issued.text), issued.token.id)


def drafted(story: Audited) -> None:
    plane, ben = story.plane, story.ben
    plane.rollouts.draft(PLAN, flag=FLAG, actor="ana")
    plane.rollouts.submit(ROLLOUT, actor="ana")
    answer = ben.post(f"/api/v1/rollouts/{ROLLOUT}/approve-start", json={"reason": "reviewed"})
    assert answer.status_code == 200, answer.text
    plane.rollouts.sign_off(ROLLOUT, "runbook", role="on-call", note="rehearsed", actor="cleo")


def promoted(story: Audited) -> None:
    """Wave 1 is over; Ben agreed to its promotion, and could not agree to what nobody proposed."""
    plane, ben = story.plane, story.ben
    plane.rollouts.start(rollout=ROLLOUT, actor="ana")
    story.hours(2)
    refused = ben.post(f"/api/v1/proposals/{ROLLOUT}-p9/approve", json={})
    assert refused.status_code == 404, refused.text
    answer = ben.post(f"/api/v1/proposals/{ROLLOUT}-p1/approve", json={"reason": "all green"})
    assert answer.status_code == 200, answer.text


def rolled_back(story: Audited) -> None:
    """Wave 2 fails: the flag goes off, and clients are seen to follow."""
    plane, clock = story.plane, story.clock
    plane.rollouts.pause(ROLLOUT, reason="odd output", actor="cleo")
    plane.rollouts.resume(ROLLOUT, reason="as it should be", actor="cleo")
    plane.freezes.declare(reason="INC-7", actor="cleo")
    clock.advance(HOUR // 4)
    story.serves(300, failed=150)
    plane.tick()
    clock.advance(MINUTE)
    plane.executions.record([batch("off") for _ in range(20)])
    plane.tick()
