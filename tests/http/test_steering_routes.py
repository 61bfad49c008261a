"""What people do to a rollout, over HTTP: signatures, answers, refusals; sent twice or too late."""

from typing import Any

import pytest

from controlplane import ControlPlane
from events.timestamps import MINUTE
from tests.http.callers import QUICK, as_, client
from tests.journeys.traffic import ENGINEER, FLAG, batch

ROLLOUTS, PROPOSALS = "/api/v1/rollouts", "/api/v1/proposals"
ONE = f"{ROLLOUTS}/{FLAG}-r1"
VOUCHED: dict[str, Any] = {
    "name": "vouched",
    "before_start": [{"name": "runbook", "area": "team", "role": "on-call"}],
    "waves": [
        {
            "name": "all",
            "percentage": 100,
            "hold": "30m",
            "criteria": [
                {"kind": "manual", "name": "output read"},
                {"kind": "external", "name": "load_test", "url": "https://example.com/"},
            ],
        }
    ],
}


@pytest.fixture
def flagged(plane: ControlPlane) -> ControlPlane:
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    return plane


def until_proposed(plane: ControlPlane, clock: Any) -> str:
    """Ana's rollout, up to where its first wave waits for approval."""
    plane.rollouts.start(QUICK, flag=FLAG, actor="ana")
    for _ in range(6):
        clock.advance(10 * MINUTE)
        plane.executions.record([batch() for _ in range(40)])
        plane.tick()
    ((_, proposal),) = plane.rollouts.proposals()
    return f"{PROPOSALS}/{proposal.id}"


def test_a_checklist_is_signed_and_unsigned(flagged: ControlPlane) -> None:
    ana, ben = as_(flagged, "ana", "approver"), as_(flagged, "ben")
    ana.post(f"{ROLLOUTS}/drafts", json={"flag": FLAG, "plan": VOUCHED})

    def done() -> list[Any]:
        items = ana.get(f"{ONE}/checklist").json()["items"]
        return [(one["item"], one["before"], one["done"], one["signed_by"]) for one in items]

    assert done() == [("runbook", "start", False, [])]
    early = ana.post(f"{ONE}/start")
    assert (early.status_code, early.json()["title"]) == (409, "Not signed off")
    signature = {"item": "runbook", "role": "on-call", "note": "rehearsed on Monday"}
    signed = ben.post(f"{ONE}/sign-offs", json=signature)
    assert signed.json()["sign_offs"][0]["by"] == "ben"
    assert done() == [("runbook", "start", True, ["ben"])]
    taken = {"item": "runbook", "reason": "another runbook"}
    assert ben.post(f"{ONE}/sign-offs/withdraw", json=taken).json()["sign_offs"] == []
    assert done() == [("runbook", "start", False, [])]
    ben.post(f"{ONE}/sign-offs", json=signature)
    assert ana.post(f"{ONE}/start").json()["state"] == "entering"


def test_people_and_programs_answer_for_the_present_wave(flagged: ControlPlane) -> None:
    ana = as_(flagged, "ana", "approver")
    ana.post(f"{ROLLOUTS}/drafts", json={"flag": FLAG, "plan": VOUCHED})
    ana.post(f"{ONE}/sign-offs", json={"item": "runbook", "role": "on-call"})
    ana.post(f"{ONE}/start")
    as_(flagged, "ben").post(f"{ONE}/sign-offs", json={"item": "output read"})
    answer = {"criterion": "load_test", "verdict": "PASS", "detail": "p99 was 212ms"}
    assert as_(flagged, "load-tests").post(f"{ONE}/answers", json=answer).status_code == 200
    judged = ana.get(f"{ONE}/status").json()["assessment"]["judgements"]
    found = {one["criterion"]: (one["verdict"], one["sentence"]) for one in judged}
    assert found["output read"][0] == found["load_test"][0] == "PASS"
    assert "p99 was 212ms" in found["load_test"][1]
    for wrong, status in (
        ({"criterion": "nothing", "verdict": "PASS"}, 422),
        ({"criterion": "load_test", "verdict": "NO_DATA"}, 422),
        ({"criterion": "load_test", "verdict": "PASS", "passed": True}, 422),
    ):
        assert ana.post(f"{ONE}/answers", json=wrong).status_code == status


def test_a_start_is_sent_back_and_asked_for_again(flagged: ControlPlane) -> None:
    ana, ben = as_(flagged, "ana"), as_(flagged, "ben", "approver")
    body = {"flag": FLAG, "plan": QUICK | {"start": {"needed": 1}}}
    ana.post(f"{ROLLOUTS}/drafts", json=body)
    assert ben.post(f"{ONE}/approve-start").status_code == 409
    late = ana.post(f"{ONE}/submit", json={"start_at": "2026-01-01T09:00:00+01:00"})
    assert late.status_code == 422, "that is over"
    at = {"start_at": "2126-01-01T09:00:00+01:00"}
    assert ana.post(f"{ONE}/submit", json=at).json()["start_at"] == "2126-01-01T08:00:00.000000Z"
    assert ben.post(f"{ONE}/reject-start").status_code == 422, "it takes a reason"
    assert ana.post(f"{ONE}/reject-start", json={"reason": "x"}).status_code == 403
    back = ben.post(f"{ONE}/reject-start", json={"reason": "not on a Friday"}).json()
    assert (back["state"], back["reason"]) == ("draft", "not on a Friday")
    ana.post(f"{ONE}/submit")
    of_another = ben.post(f"{ONE}/approve-start", json={"plan_hash": "0" * 64})
    assert of_another.status_code == 409, "he read another plan"
    assert ben.post(f"{ONE}/approve-start").json()["state"] == "armed"


@pytest.mark.parametrize(
    ("verb", "may", "may_not"), [("reject", "approver", "operator"), ("withdraw", "operator", "")]
)
def test_a_proposal_is_turned_down_or_taken_back_and_the_wave_held(
    flagged: ControlPlane, clock: Any, verb: str, may: Any, may_not: Any
) -> None:
    proposal = until_proposed(flagged, clock)
    ben, because = as_(flagged, "ben", may), {"reason": "the numbers look odd"}
    assert ben.post(f"{proposal}/{verb}").status_code == 422, "it takes a reason"
    if may_not:
        assert as_(flagged, "cleo", may_not).post(f"{proposal}/{verb}", json=because).is_error
    held = ben.post(f"{proposal}/{verb}", json=because)
    assert (held.status_code, held.json()["state"]) == (200, "holding"), held.text
    assert held.json()["holds"][0]["reason"] == because["reason"]
    assert ben.get(PROPOSALS).json() == {"items": [], "next": None}
    closed = ben.post(f"{proposal}/{verb}", json=because)
    assert (closed.status_code, closed.json()["title"]) == (409, "Proposal closed")
    assert as_(flagged, "ben", "operator").post(f"{ONE}/resume").json()["holds"] == []


@pytest.mark.parametrize("path", ["", "/drafts"])
def test_sent_again_under_its_key_it_begins_once(flagged: ControlPlane, path: str) -> None:
    ana, key = as_(flagged, "ana", "approver"), {"Idempotency-Key": "deploy-4711"}
    body = {"flag": FLAG, "plan": QUICK}
    first = ana.post(ROLLOUTS + path, json=body, headers=key)
    again = ana.post(ROLLOUTS + path, json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert [one.id for one in flagged.rollouts.all()] == [f"{FLAG}-r1"]
    ana.post(f"{ONE}/abort")
    tried = [ana.post(f"{ONE}/retry", headers={"Idempotency-Key": "again"}) for _ in "12"]
    assert [one.json()["id"] for one in tried] == [f"{FLAG}-r2"] * 2
    assert len(flagged.rollouts.all()) == 2


def test_what_was_read_is_approved_or_nothing_is(flagged: ControlPlane, clock: Any) -> None:
    proposal = until_proposed(flagged, clock)
    ben = as_(flagged, "ben", "approver", "operator")
    read = ben.get(ONE).headers["ETag"]
    flagged.rollouts.extend_bake(f"{FLAG}-r1", "1m", reason="to be sure", actor="cleo")
    late = ben.post(f"{proposal}/approve", headers={"If-Match": read})
    assert (late.status_code, late.json()["title"]) == (412, "Precondition failed")
    assert flagged.flags.get(FLAG).percentage == 50
    fresh = {"If-Match": ben.get(ONE).headers["ETag"], "Idempotency-Key": "pause-1"}
    because = {"reason": "look first"}
    assert ben.post(f"{ONE}/pause", json=because, headers=fresh).is_success
    # It is at another version by now, by this very command.
    again = ben.post(f"{ONE}/pause", json=because, headers=fresh)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")


def test_what_is_paused_is_not_skipped_either(flagged: ControlPlane) -> None:
    ana, because = as_(flagged, "ana", "approver"), {"reason": "no traffic at night"}
    ana.post(ROLLOUTS, json={"flag": FLAG, "plan": QUICK})
    ana.post(f"{ONE}/pause", json={"reason": "odd output"})
    refused = ana.post(f"{ONE}/skip", json=because)
    assert (refused.status_code, refused.json()["title"]) == (409, "Wrong state")
    assert refused.json()["detail"].endswith("it is held up: the rollout is paused by ana.")
    ana.post(f"{ONE}/resume")
    assert ana.post(f"{ONE}/skip", json=because).json()["state"] == "proposed"


def test_rollouts_are_paged_and_what_changes_meanwhile_comes_again(plane: ControlPlane) -> None:
    for n in range(5):
        plane.flags.create(f"f{n}", owner="o", actor=ENGINEER)
        plane.rollouts.start(QUICK, flag=f"f{n}", actor=ENGINEER)
    asking, seen, after = client(plane, dev=True), [], 0
    for turn in range(9):
        answer = asking.get(ROLLOUTS, params={"after": after, "limit": 2}).json()
        seen += [one["id"] for one in answer["items"]]
        if turn == 0:
            plane.rollouts.pause("f0-r1", reason="odd", actor=ENGINEER)
        if answer["next"] is None:
            break
        after = answer["next"]
    assert seen == ["f0-r1", "f1-r1", "f2-r1", "f3-r1", "f4-r1", "f0-r1"]


def test_a_token_for_some_flags_sees_and_steers_only_their_rollouts(plane: ControlPlane) -> None:
    for name in ("batch-1", "checkout"):
        plane.flags.create(name, owner="o", actor=ENGINEER)
        plane.rollouts.start(QUICK, flag=name, actor=ENGINEER)
        plane.rollouts.skip(f"{name}-r1", reason="no traffic", actor=ENGINEER)
    issued = plane.access.issue(
        owner="ben", roles=("operator", "approver"), scopes=("flag:batch-*",), actor=ENGINEER
    )
    ben, because = client(plane, token=issued.text), {"reason": "x"}
    assert [one["id"] for one in ben.get(ROLLOUTS).json()["items"]] == ["batch-1-r1"]
    assert [one["id"] for one in ben.get(PROPOSALS).json()["items"]] == ["batch-1-r1-p1"]
    assert ben.get(f"{ROLLOUTS}/checkout-r1").status_code == 404
    assert ben.post(f"{PROPOSALS}/checkout-r1-p1/approve").status_code == 404
    assert ben.post(f"{ROLLOUTS}/checkout-r1/abort").status_code == 404
    assert ben.post(f"{ROLLOUTS}/drafts", json={"flag": "checkout"}).status_code == 404
    assert ben.post(f"{ROLLOUTS}/batch-1-r1/pause", json=because).status_code == 200
