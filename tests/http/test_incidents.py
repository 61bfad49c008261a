"""Incidents over HTTP: seen by who reads, dealt with by who operates, gone through again."""

from pathlib import Path

import pytest

from controlplane import ControlPlane
from controlplane.history.bundles import open_file, opened
from controlplane.incident_views import incident_view, report_view
from controlplane.replaying_views import scene_view
from tests.http.callers import as_json, client, holding
from tests.journeys.traffic import ENGINEER, FLAG, batch

INCIDENTS = "/api/v1/incidents"
ONE = f"{INCIDENTS}/INC-1"


@pytest.fixture
def hurt(scraped: ControlPlane) -> ControlPlane:
    """A flag that went off for a violated invariant; another one, with an incident by hand."""
    for name in (FLAG, "checkout"):
        scraped.flags.create(name, owner="patch-team", actor=ENGINEER)
    scraped.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    scraped.executions.record([batch(violations={"order": 1}), batch("off")])
    scraped.alerts.watch()
    scraped.incidents.declare("checkout", actor="cleo", reason="odd")
    return scraped


def test_they_are_listed_shown_and_reported(hurt: ControlPlane) -> None:
    asking = holding(hurt, "viewer")
    listed = asking.get(INCIDENTS).json()
    assert [one["id"] for one in listed["items"]] == ["INC-1", "INC-2"]
    assert listed["items"][0] == as_json(incident_view(hurt.incidents.get("INC-1")))
    assert asking.get(ONE).json() == listed["items"][0]
    shown = {
        query: [one["id"] for one in asking.get(f"{INCIDENTS}?{query}").json()["items"]]
        for query in ("open=true", "open=false", "limit=1", f"after={hurt.head().position - 1}")
    }
    assert list(shown.values()) == [["INC-1", "INC-2"], [], ["INC-1"], []]
    report = asking.get(f"{ONE}/report").json()
    assert report == as_json(report_view(hurt.incidents.report("INC-1")))
    assert {one["name"]: one["met"] for one in report["measures"]}["mitigate"] is True


def test_an_operator_writes_to_one_and_closes_it(hurt: ControlPlane) -> None:
    viewer, operator = holding(hurt, "viewer"), holding(hurt, "operator")
    for path, body in (("notes", {"note": "x"}), ("close", {"reason": "x"})):
        assert viewer.post(f"{ONE}/{path}", json=body).status_code == 403
    noted = operator.post(f"{ONE}/notes", json={"note": "only inserts"})
    assert (noted.status_code, noted.json()["notes"][0]["by"]) == (200, "ben")
    early = operator.post(f"{ONE}/close", json={"reason": "mended"})
    assert (early.status_code, early.json()["title"]) == (409, "Incident not over")
    for alert in hurt.alerts.open():
        hurt.alerts.resolve(alert.id, actor="dora", reason="fixed")
    closed = operator.post(f"{ONE}/close", json={"reason": "mended"})
    assert (closed.status_code, closed.json()["state"]) == (200, "closed")
    assert operator.post(f"{ONE}/close", json={"reason": "again"}).status_code == 409


def test_an_operator_opens_one_by_hand(hurt: ControlPlane) -> None:
    operator = holding(hurt, "operator")
    said = {"flag": FLAG, "reason": "customers call", "severity": "warning"}
    assert operator.post(INCIDENTS, json=said).status_code == 409, "INC-1 is open on it"
    hurt.flags.create("search", owner="x", actor=ENGINEER)
    made = operator.post(INCIDENTS, json=said | {"flag": "search"})
    assert (made.status_code, made.json()["id"]) == (201, "INC-3")
    assert operator.post(INCIDENTS, json=said | {"flag": "nonsense"}).status_code == 404
    for wrong in ({"reason": ""}, {"severity": "grave"}, {"more": 1}, {"flag": ""}):
        assert operator.post(INCIDENTS, json=said | wrong).status_code == 422


def test_frames_come_a_page_at_a_time(hurt: ControlPlane) -> None:
    asking = holding(hurt, "viewer")
    whole = [as_json(scene_view(scene)) for scene in hurt.replay("INC-1").scenes()]
    assert asking.get(f"{ONE}/frames").json() == {"items": whole, "next": None}
    items, after = [], 0
    while after is not None:
        page = asking.get(f"{ONE}/frames?limit=2&after={after}").json()
        assert len(page["items"]) <= 2
        items += page["items"]
        after = page["next"]
    assert items == whole
    assert whole[-1]["picture"]["enabled"] is False


def test_a_story_is_taken_along_in_one_file(hurt: ControlPlane, tmp_path: Path) -> None:
    answer = holding(hurt, "viewer").get(f"{ONE}/export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="INC-1.jsonl"'
    (tmp_path / "inc1.jsonl").write_bytes(answer.content)
    story = opened(answer.content.splitlines(keepends=True))
    assert list(story.events()) == list(hurt.replay("INC-1").events())
    for path in (tmp_path / "inc1.jsonl", str(tmp_path / "inc1.jsonl")):
        assert list(open_file(path).events()) == list(story.events())


def test_as_of_a_moment_they_are_as_they_were(hurt: ControlPlane) -> None:
    asking, at = holding(hurt, "viewer"), hurt.incidents.get("INC-1").opened_position
    past = asking.get(f"/api/v1/past/incidents?at={at}")
    assert [one["id"] for one in past.json()["items"]] == ["INC-1"]
    assert past.headers["As-Of"] == str(at)
    assert asking.get(f"/api/v1/past/incidents?at={at}&open=false").json()["items"] == []
    one = asking.get(f"/api/v1/past/incidents/INC-1?at={at}").json()
    assert (one["mitigated_at"], one["state"]) == (None, "open")
    assert asking.get(f"/api/v1/past/incidents/INC-1?at={at - 1}").status_code == 404


def test_a_token_for_other_flags_is_told_of_none(hurt: ControlPlane) -> None:
    asking = holding(hurt, "operator", scopes=("flag:checkout",))
    assert [one["id"] for one in asking.get(INCIDENTS).json()["items"]] == ["INC-2"]
    head = hurt.head().position
    past = asking.get(f"/api/v1/past/incidents?at={head}").json()
    assert [one["id"] for one in past["items"]] == ["INC-2"]
    for path in ("", "/report", "/frames", "/export"):
        assert asking.get(f"{ONE}{path}").status_code == 404
        assert asking.get(f"{INCIDENTS}/INC-2{path}").status_code == 200
    assert asking.get(f"/api/v1/past/incidents/INC-1?at={head}").status_code == 404
    assert asking.post(f"{ONE}/notes", json={"note": "x"}).status_code == 404
    assert asking.post(f"{ONE}/close", json={"reason": "x"}).status_code == 404
    said = {"flag": FLAG, "reason": "x"}
    assert asking.post(INCIDENTS, json=said).status_code == 404
    assert hurt.incidents.get("INC-1").notes == ()


@pytest.mark.parametrize("id_", ["INC-9", "nonsense", "INC-", "inc-1", "%00", "INC-1%2F.."])
def test_what_is_not_there_is_not_found(hurt: ControlPlane, id_: str) -> None:
    asking = client(hurt, dev=True)
    for path in ("", "/report", "/frames", "/export"):
        assert asking.get(f"{INCIDENTS}/{id_}{path}").status_code == 404
