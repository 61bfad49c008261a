"""Rollouts over HTTP: by tokens of several people, through the waves and back."""

from typing import Any

import pytest

from controlplane import ControlPlane
from events.timestamps import HOUR, MINUTE
from tests.http.callers import QUICK, as_, client
from tests.journeys.traffic import ENGINEER, FLAG, batch

ROLLOUTS = "/api/v1/rollouts"
ONE = f"{ROLLOUTS}/{FLAG}-r1"
APPROVED = QUICK | {"start": {"needed": 1}}
AGAIN = APPROVED | {"version": "2"}


@pytest.fixture
def flagged(scraped: ControlPlane) -> ControlPlane:
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    return scraped


def test_a_plan_of_ones_own_is_no_way_to_raise_alone(flagged: ControlPlane) -> None:
    operator, at_once = as_(flagged, "ana"), QUICK | {"waves": QUICK["waves"][1:]}  # type: ignore[index]  # why: a list
    for path in ("", "/drafts"):
        refused = operator.post(ROLLOUTS + path, json={"flag": FLAG, "plan": at_once})
        assert (refused.status_code, refused.json()["title"]) == (403, "Plan not permitted")
    assert not flagged.flags.get(FLAG).enabled
    asked = operator.post(f"{ROLLOUTS}/drafts", json={"flag": FLAG, "plan": APPROVED})
    assert asked.status_code == 201
    assert operator.post(ROLLOUTS, json={"flag": FLAG}).status_code == 201


def traffic(plane: ControlPlane, clock: Any) -> None:
    for _ in range(6):
        clock.advance(10 * MINUTE)
        plane.executions.record([batch() for _ in range(40)])
        plane.tick()


def test_one_starts_it_another_one_approves(flagged: ControlPlane, clock: Any) -> None:
    ana = as_(flagged, "ana", "approver")
    started = ana.post(ROLLOUTS, json={"flag": FLAG, "plan": QUICK})
    assert (started.status_code, started.json()["state"]) == (201, "entering")
    traffic(flagged, clock)
    (waiting,) = ana.get("/api/v1/proposals").json()["items"]
    assert waiting["rollout"] == f"{FLAG}-r1"
    approve = f"/api/v1/proposals/{waiting['id']}/approve"
    for twin in (ana, as_(flagged, "Ana", "approver")):
        refused = twin.post(approve)
        assert (refused.status_code, refused.json()["title"]) == (403, "Same person")
    assert as_(flagged, "ben", "operator").post(approve).status_code == 403
    promoted = as_(flagged, "ben", "approver").post(approve, json={"reason": "all green"})
    assert (promoted.status_code, promoted.json()["wave_name"]) == (200, "all")
    assert flagged.flags.get(FLAG).percentage == 100
    assert as_(flagged, "cleo", "approver").post(approve).status_code == 409
    told = ana.get(f"{ONE}/verify").json()
    assert (told["identical"], told["proposals"]) == (True, 1)
    accepted = flagged.events(type="access.command_accepted", newest_first=True)[0]
    assert (accepted.actor.id, accepted.event.command) == ("ben", "approve_proposal")  # type: ignore[attr-defined]  # why: of that type


def test_a_draft_goes_its_way_to_the_start(flagged: ControlPlane) -> None:
    ana, ben = as_(flagged, "ana"), as_(flagged, "ben", "approver")
    drafted = ana.post(f"{ROLLOUTS}/drafts", json={"flag": FLAG, "plan": APPROVED})
    assert (drafted.status_code, drafted.json()["state"]) == (201, "draft")
    assert ana.put(f"{ONE}/plan", json={"plan": AGAIN}).status_code == 403
    revised = ben.put(f"{ONE}/plan", json={"plan": AGAIN})
    assert revised.json()["askers"] == ["ana", "ben"]
    assert ana.post(f"{ONE}/start").status_code == 409
    assert ana.post(f"{ONE}/submit").json()["state"] == "pending_approval"
    assert ben.post(f"{ONE}/approve-start").status_code == 403
    cleo = as_(flagged, "cleo", "approver")
    hashed = ana.post("/api/v1/plans/check", json=AGAIN).json()["plan_hash"]
    agreed = cleo.post(f"{ONE}/approve-start", json={"plan_hash": hashed})
    assert agreed.json()["state"] == "armed"
    assert ana.post(f"{ONE}/start").json()["state"] == "entering"
    assert ana.get(f"{ONE}/plan").json()["name"] == "quick"


def test_people_steer_one_that_runs(flagged: ControlPlane) -> None:
    ana, ben = as_(flagged, "ana", "approver"), as_(flagged, "ben", "approver")
    ana.post(ROLLOUTS, json={"flag": FLAG, "plan": QUICK})
    paused = ana.post(f"{ONE}/pause", json={"reason": "odd output"})
    assert [hold["kind"] for hold in paused.json()["holds"]] == ["paused"]
    assert ana.post(f"{ONE}/resume").json()["holds"] == []
    extended = ana.post(f"{ONE}/extend", json={"by": "1h", "reason": "to be sure"})
    assert extended.json()["extended_us"] == HOUR
    asked = ana.post(
        f"{ONE}/overrides", json={"criterion": "error_rate", "reason": "known", "lasts": "2h"}
    )
    (override,) = asked.json()["overrides"]
    agree = f"/api/v1/overrides/{override['id']}/approve"
    assert ana.post(agree).status_code == 403
    assert ben.post(agree).json()["overrides"][0]["approved_by"] == "ben"
    assert ana.get(f"{ONE}/status").json()["overridden"] == ["error_rate"]
    gone = ana.post(f"/api/v1/overrides/{override['id']}/withdraw", json={"reason": "mended"})
    assert gone.json()["overrides"] == []
    signed = ana.post(f"{ONE}/sign-offs", json={"item": "nothing"})
    assert (signed.status_code, signed.json()["title"]) == (404, "Item not found")
    skipped = ana.post(f"{ONE}/skip", json={"reason": "no traffic at night"})
    assert skipped.json()["proposals"][-1]["kind"] == "skip"
    over = ana.post(f"{ONE}/abort", json={"reason": "wrong results"})
    assert over.json()["state"] == "rolling_back"
    assert flagged.flags.get(FLAG).enabled is False


def test_it_tells_where_it_stands_and_stood(flagged: ControlPlane, clock: Any) -> None:
    asking = as_(flagged, "viewer", "viewer")
    as_(flagged, "ana", "approver").post(ROLLOUTS, json={"flag": FLAG, "plan": QUICK})
    position = flagged.head().position
    traffic(flagged, clock)
    now = asking.get(f"{ONE}/status").json()
    assert now["assessment"]["verdict"] == "PASS"
    then = asking.get(f"{ONE}/explain", params={"at": str(position)}).json()
    assert then["position"] == position
    assert "nobody of everyone has reported" in then["sentence"]
    assert then["history"][0]["type"] == "rollout.drafted"
    for at, status in (("0", 422), ("9" * 30, 422), ("yesterday", 422), ("2100-01-01T00:00Z", 422)):
        assert asking.get(f"{ONE}/explain", params={"at": at}).status_code == status
    listed = asking.get(ROLLOUTS).json()["items"]
    assert [one["id"] for one in listed] == [f"{FLAG}-r1"]
    etag = asking.get(ONE).headers["ETag"]
    late = as_(flagged, "ana", "approver").post(
        f"{ONE}/pause", json={"reason": "x"}, headers={"If-Match": '"1"'}
    )
    assert (late.status_code, etag) != (200, '"1"')


def test_one_that_is_over_is_tried_again(flagged: ControlPlane) -> None:
    ana = as_(flagged, "ana", "approver")
    ana.post(ROLLOUTS, json={"flag": FLAG, "plan": QUICK})
    assert ana.post(f"{ONE}/retry").status_code == 409
    ana.post(f"{ONE}/abort")
    again = ana.post(f"{ONE}/retry")
    assert (again.status_code, again.json()["retry_of"]) == (201, f"{FLAG}-r1")


def test_plans_are_shown_and_checked(flagged: ControlPlane) -> None:
    asking = as_(flagged, "viewer", "viewer")
    four = asking.get("/api/v1/plans/four-waves").json()
    assert [wave["percentage"] for wave in four["waves"]] == [10, 25, 50, 100]
    assert asking.get("/api/v1/plans/schema").json()["title"] == "Plan"
    assert asking.post("/api/v1/plans/check", json=four).json()["name"] == "four-waves"
    wrong = asking.post("/api/v1/plans/check", json={"name": "x", "waves": []})
    assert wrong.status_code == 422
    assert flagged.rollouts.all() == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/nowhere-r1", None, 404),
        ("GET", "/nowhere-r1/status", None, 404),
        ("GET", "/%00/status", None, 404),
        ("POST", "/nowhere-r1/pause", {"reason": "x"}, 404),
        ("POST", "/nowhere-r1/abort", None, 404),
        ("POST", "/nowhere-r1/evaluate", None, 404),
        ("POST", "", {"flag": "nowhere"}, 404),
        ("POST", "", {"flag": FLAG, "plan": {"name": "x"}}, 422),
        ("POST", "", {"flag": FLAG, "plan": APPROVED}, 422),
        ("POST", f"/{FLAG}-r1/pause", {}, 422),
    ],
)
def test_what_is_wrong_is_a_problem_that_says_so(
    flagged: ControlPlane, method: str, path: str, body: Any, status: int
) -> None:
    asking = client(flagged, dev=True)
    answer = asking.request(method, ROLLOUTS + path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["proposals/x-r1-p1/approve", "overrides/x-r1-o1/approve"])
def test_what_nobody_proposed_cannot_be_approved(flagged: ControlPlane, path: str) -> None:
    assert client(flagged, dev=True).post(f"/api/v1/{path}").status_code == 404
