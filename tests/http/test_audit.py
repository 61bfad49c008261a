"""History over HTTP: who did what, when, on whose approval, and why."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from controlplane import ControlPlane
from controlplane.audit_views import (
    COLUMNS,
    count_view,
    deed_view,
    happening_view,
    told_view,
    why_view,
)
from controlplane.plane import lineages
from events.cloudevents import to_cloudevent
from events.timestamps import to_iso
from tests.conftest import Clock
from tests.events.builders import fact, facts, uuid
from tests.http.callers import as_json, client, holding
from tests.http.test_disclosure import SECRET, registered
from tests.journeys.traffic import FLAG
from tests.plane.audited import ROLLOUT, Audited, audited, drafted, promoted, rolled_back

AUDIT = "/api/v1/audit"
EVENTS, COUNTS, WHY, DENIED = (f"{AUDIT}/{one}" for one in ("events", "counts", "why", "denied"))
CHANGES = f"{AUDIT}/flags/{FLAG}/changes"
TIMELINE = f"{AUDIT}/rollouts/{ROLLOUT}/timeline"
AGREED = f"{AUDIT}/rollouts/{ROLLOUT}/approvals"


@pytest.fixture(scope="module")
def story() -> Iterator[Audited]:
    """A rollout from its draft to the end of its rollback; it is only asked about."""
    clock = Clock()
    with ControlPlane("memory://", clock=clock) as plane:
        told = audited(plane, clock)
        for part in (drafted, promoted, rolled_back):
            part(told)
        yield told


@pytest.fixture(scope="module")
def asking(story: Audited) -> TestClient:
    return holding(story.plane, "viewer")


def pages(asking: TestClient, path: str, way: str = "after", **query: Any) -> Iterator[list[Any]]:
    """The things on every page."""
    while True:
        answer = asking.get(path, params=query)
        assert answer.status_code == 200, answer.text
        yield answer.json()["items"]
        if answer.json()["next"] is None:
            return
        query[way] = answer.json()["next"]


@pytest.mark.parametrize(
    "query",
    [
        {"slice": "flags", "kind": "person"},
        {"slice": "rollouts", "type": ["rollout.held", "rollout.wave_*"], "limit": 1000},
        {"type": ["flag.created", "freeze.*"]},
        {"actor": "ben", "correlation_id": ROLLOUT},
        {"text": "ODD"},
        {"text": "odd", "slice": "flags"},
        {"stream": f"flag-{FLAG}", "after": 3, "before": 9999},
        {"slice": "access", "newest_first": True, "limit": 3},
    ],
)
def test_every_condition_is_one_of_the_log(
    story: Audited, asking: TestClient, query: dict[str, Any]
) -> None:
    items = asking.get(EVENTS, params=query).json()["items"]
    assert items == [told_view(event) for event in story.plane.audit.events(**query)]


def test_either_clock_may_be_asked_by(story: Audited, asking: TestClient) -> None:
    now = story.clock.now
    for clock in ("occurred", "recorded"):
        for bounds in ({"since": to_iso(now)}, {"until": to_iso(now)}):
            query: Any = {"clock": clock, "slice": "alerts"} | bounds
            items = asking.get(EVENTS, params=query).json()["items"]
            assert items == [told_view(event) for event in story.plane.audit.events(**query)]


def test_every_list_is_had_page_by_page(story: Audited, asking: TestClient) -> None:
    audit = story.plane.audit
    whole = {
        EVENTS: ({"slice": "rollouts"}, [told_view(e) for e in audit.events(slice="rollouts")]),
        DENIED: ({}, [told_view(e) for e in audit.denied()]),
        CHANGES: ({}, [deed_view(d) for d in audit.who_changed(FLAG)]),
        AGREED: ({}, [deed_view(d) for d in audit.approvals(ROLLOUT)]),
        f"{AUDIT}/approvals": ({}, [deed_view(d) for d in audit.approvals()]),
        TIMELINE: ({}, [happening_view(h) for h in audit.timeline(ROLLOUT)]),
    }
    for path, (query, expected) in whole.items():
        assert expected, path
        for limit in (2, 1000):
            seen = [one for page in pages(asking, path, limit=limit, **query) for one in page]
            assert seen == expected, path
        if path != TIMELINE:
            backwards = pages(asking, path, "before", newest_first=True, limit=2, **query)
            assert [one for page in backwards for one in page] == expected[::-1], path


def test_a_change_is_told_with_its_command_and_who_agreed(
    story: Audited, asking: TestClient
) -> None:
    (change,) = asking.get(CHANGES, params={"actor": "ben"}).json()["items"]
    assert (change["type"], change["what"]) == (
        "flag.exposure_changed",
        f"{FLAG}: 50 % → 100 % of everyone: all",
    )
    assert (change["asked_by"], change["agreed_by"]) == (["ana"], ["ben"])
    assert change["command"]["command"] == "approve_proposal"
    assert change["command"]["token"] == story.token


def test_looks_that_found_the_same_are_one_line(asking: TestClient) -> None:
    lines = asking.get(TIMELINE, params={"limit": 1000}).json()["items"]
    repeats = [position for line in lines for position in line["repeats"]]
    assert repeats
    assert not set(repeats) & {line["position"] for line in lines}


def test_why_goes_from_the_command_to_all_that_it_led_to(
    story: Audited, asking: TestClient
) -> None:
    (changed,) = story.plane.events(type="flag.exposure_changed", actor="ben")
    answer = asking.get(f"{WHY}/{changed.position}").json()
    assert answer == as_json(why_view(story.plane.audit.why(changed.position)))
    *_, command, approved, promoted, entered = answer["causes"]
    assert command["type"] == "access.command_accepted"
    below = asking.get(f"{WHY}/{command['position']}").json()["effects"][-1]
    for one in (approved, promoted, entered):
        assert below["position"] == one["position"]
        (below,) = below["effects"]
    assert below["position"] == changed.position


def test_why_ends_somewhere_however_long_the_chain(
    scraped: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lineages, "_MOST_EFFECTS", 150)
    steps = lineages._MOST_STEPS
    chain = [fact(n, causation_id=uuid(n - 1) if n > 1 else None) for n in range(1, steps + 3)]
    scraped.log.append(chain)
    asking = client(scraped, dev=True)
    for position, depth, more in ((1, steps, True), (2, steps, False), (3, steps - 1, False)):
        answer = asking.get(f"{WHY}/{position}").json()
        assert answer["more_effects"] is more
        for _ in range(depth):
            (answer,) = answer["effects"]
        assert answer["effects"] == []


def test_why_tells_so_many_effects_and_that_there_are_more(
    scraped: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lineages, "_MOST_EFFECTS", 7)
    scraped.log.append([fact(1), *facts(2, 8, causation_id=uuid(1))])
    asking = client(scraped, dev=True)
    for more in (False, True):
        answer = asking.get(f"{WHY}/1").json()
        assert (len(answer["effects"]), answer["more_effects"]) == (7, more)
        scraped.log.append([fact(9, causation_id=uuid(8))])


@pytest.mark.parametrize(
    "groups", [[], ["type"], ["day", "type"], ["hour", "kind"], ["kind", "actor", "stream"]]
)
def test_events_are_counted_by_what_they_have_in_common(
    story: Audited, asking: TestClient, groups: list[str]
) -> None:
    expected = story.plane.audit.count(groups, slice="flags")
    answer = asking.get(COUNTS, params={"slice": "flags", "group_by": groups}).json()
    assert answer["items"] == [count_view(one, groups) for one in expected]
    assert answer["groups"] == len(expected)
    assert answer["events"] == len(story.plane.audit.events(slice="flags"))


def test_counts_that_are_cut_short_say_of_how_many(asking: TestClient) -> None:
    query = {"slice": "rollouts", "group_by": "type"}
    whole = asking.get(COUNTS, params=query).json()
    short = asking.get(COUNTS, params=query | {"limit": "2"}).json()
    assert short == whole | {"items": whole["items"][:2]}


def test_events_come_for_spreadsheets_too(scraped: ControlPlane) -> None:
    scraped.flags.create(FLAG, owner="@patch-team", actor="ana")
    for percentage in (10, 20, 30):
        reason = f'=cmd|"/c calc"!A{percentage}'
        scraped.flags.enable(FLAG, percentage=percentage, reason=reason, actor="-mallory")
    asking, rows = holding(scraped, "viewer"), list[list[str]]()
    url = f"{EVENTS}?slice=flags&format=csv&limit=2"
    while url:
        answer = asking.get(url)
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        header, *page = csv.reader(io.StringIO(answer.text))
        assert tuple(header) == COLUMNS
        rows += page
        url = answer.links["next"]["url"] if "next" in answer.links else ""
    events = scraped.audit.events(slice="flags")
    assert [row[0] for row in rows] == [str(event.position) for event in events]
    assert [row[COLUMNS.index("actor_id")] for row in rows[1:]] == ["'-mallory"] * len(rows[1:])
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


@pytest.mark.parametrize(("newest_first", "way"), [("false", "after"), ("true", "before")])
def test_events_come_as_cloudevents_with_a_link_to_the_next(
    story: Audited, asking: TestClient, newest_first: str, way: str
) -> None:
    conditions = f"type=flag.*&type=freeze.*&newest_first={newest_first}"
    url, seen = f"{EVENTS}?{conditions}&format=cloudevents&limit=3", list[Any]()
    while url:
        answer = asking.get(url)
        assert answer.headers["Content-Type"] == "application/cloudevents-batch+json"
        seen += answer.json()
        url = answer.links["next"]["url"] if "next" in answer.links else ""
        assert not url or f"{way}=" in url
    backwards = newest_first == "true"
    expected = story.plane.audit.events(type=["flag.*", "freeze.*"], newest_first=backwards)
    assert seen == [to_cloudevent(event) for event in expected]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{WHY}/99999", 404),
        (f"{WHY}/0", 404),
        (f"{AUDIT}/flags/nonsense/changes", 404),
        (f"{AUDIT}/rollouts/nonsense/timeline", 404),
        (f"{AUDIT}/rollouts/nonsense/approvals", 404),
        (f"{EVENTS}?slice=nonsense", 422),
        (f"{EVENTS}?actr=ana", 422),
        (f"{COUNTS}?actr=ana&group_by=type", 422),
        (f"{DENIED}?stream=x", 422),
        (f"{CHANGES}?text=x", 422),
        ("/api/v1/events?txt=x", 422),
        (f"{EVENTS}?kind=robot", 422),
        (f"{EVENTS}?clock=wall", 422),
        (f"{EVENTS}?since=yesterday", 422),
        (f"{EVENTS}?format=xml", 422),
        (f"{EVENTS}?limit=1001", 422),
        (f"{EVENTS}?after={2**63}", 422),
        (f"{EVENTS}?type={'x' * 256}", 422),
        (f"{EVENTS}?{'type=x&' * 51}", 422),
        (f"{COUNTS}?group_by=minute", 422),
        (f"{COUNTS}?until=2026-11-18", 422),
        (f"{DENIED}?limit=0", 422),
        (f"{CHANGES}?since=%00", 422),
        (f"{EVENTS}?stream=%00", 200),
        (f"{EVENTS}?text=%ED%A0%80", 200),
        (f"{EVENTS}?type=%00*&kind=person", 200),
        (f"{COUNTS}?actor=%00", 200),
    ],
)
def test_what_no_log_could_answer_is_told(asking: TestClient, path: str, status: int) -> None:
    answer = asking.get(path)
    assert answer.status_code == status, answer.text
    assert status != 200 or answer.json()["items"] in ([], [{"count": 0}])


def test_whoever_sees_only_some_flags_is_told_of_those(story: Audited) -> None:
    asking = holding(story.plane, "admin", scopes=(f"flag:{FLAG}",))
    for path in (CHANGES, TIMELINE, AGREED):
        assert asking.get(path).status_code == 200
        other = path.replace(FLAG, "other-flag")
        assert asking.get(other).status_code == 404
    for path in (EVENTS, COUNTS, DENIED, f"{WHY}/1", f"{AUDIT}/approvals"):
        assert asking.get(path).status_code == 403


def test_readers_see_the_host_of_a_webhook_and_no_more(
    scraped: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(scraped, monkeypatch)
    asking = holding(scraped, "viewer")
    scraped.log.append([fact(9, causation_id=scraped.event(1).id)])
    for path in (
        *(EVENTS, f"{EVENTS}?format=csv", f"{EVENTS}?format=cloudevents"),
        *(f"{WHY}/1", f"{WHY}/{scraped.head().position}"),
    ):
        answer = asking.get(path)
        assert "https://hooks.example.com/" in answer.text
        assert SECRET not in answer.text
