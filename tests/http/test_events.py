"""The record over HTTP: asked, paged while it grows, and proved."""

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from controlplane import ControlPlane
from controlplane.views import event_view
from events.chain import Head
from events.cloudevents import to_cloudevent
from events.database import Database
from events.errors import ChainBroken
from tests.conftest import Clock
from tests.contracts.test_tampering import tamper
from tests.http.callers import client, holding
from tests.journeys.traffic import ENGINEER, FLAG

EVENTS, VERIFY = "/api/v1/events", "/api/v1/log/verify"


@pytest.fixture
def told(plane: ControlPlane, clock: Clock) -> ControlPlane:
    """A control plane of each kind, in which a few things have happened."""
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    for percentage in (10, 20, 30, 40, 50):
        clock.advance(1_000_000)
        plane.flags.enable(FLAG, percentage=percentage, actor="ben")
    return plane


def pages(asking: TestClient, way: str = "after", **query: Any) -> Iterator[list[int]]:
    """The positions on every page."""
    while True:
        answer = asking.get(f"{EVENTS}?{urlencode(query)}")
        assert answer.status_code == 200, answer.text
        yield [item["position"] for item in answer.json()["items"]]
        if answer.json()["next"] is None:
            return
        query[way] = answer.json()["next"]


def test_events_are_shown_as_the_log_has_them(told: ControlPlane) -> None:
    answer = client(told, dev=True).get(EVENTS).json()
    assert answer == {"items": [event_view(event) for event in told.events()], "next": None}


@pytest.mark.parametrize(
    "query",
    [
        {"type": "flag.*"},
        {"type": "flag.created"},
        {"stream": f"flag-{FLAG}"},
        {"stream": "flag"},
        {"actor": "ben", "limit": 2},
        {"correlation_id": "nothing"},
        {"after": 3, "before": 5},
        {"newest_first": True, "limit": 3},
    ],
)
def test_every_condition_is_one_of_the_log(told: ControlPlane, query: dict[str, Any]) -> None:
    answer = client(told, dev=True).get(f"{EVENTS}?{urlencode(query)}").json()
    assert answer["items"] == [event_view(event) for event in told.events(**query)]


def test_moments_bound_what_happened(told: ControlPlane) -> None:
    asking, fourth = client(told, dev=True), told.event(4)
    at = event_view(fourth)["occurred_at"]
    before = asking.get(f"{EVENTS}?{urlencode({'until': at})}").json()["items"]
    after = asking.get(f"{EVENTS}?{urlencode({'since': at})}").json()["items"]
    assert after[0]["position"] == 4
    assert [item["position"] for item in before + after] == list(range(1, told.head().position + 1))


def test_paged_while_the_log_grows_nothing_is_missed_or_told_twice(told: ControlPlane) -> None:
    asking, seen = client(told, dev=True), []
    for page in pages(asking, limit=2):
        seen += page
        if len(seen) < 9:
            told.flags.set_percentage(FLAG, 60 + len(seen), actor="cleo")
    assert seen == list(range(1, told.head().position + 1))


def test_backwards_it_ends_at_the_first_one_whatever_is_added_at_the_end(
    told: ControlPlane,
) -> None:
    last, seen = told.head().position, []
    for page in pages(client(told, dev=True), "before", limit=2, newest_first="true"):
        seen += page
        told.flags.set_percentage(FLAG, 60 + len(seen), actor="cleo")
    assert seen == list(range(last, 0, -1))


@pytest.mark.parametrize(("newest_first", "way"), [("false", "after"), ("true", "before")])
def test_cloudevents_come_in_batches_with_a_link_to_the_next(
    told: ControlPlane, newest_first: str, way: str
) -> None:
    asking = client(told, dev=True)
    query = {"format": "cloudevents", "limit": 4, "type": "flag.*", "newest_first": newest_first}
    url, seen = f"{EVENTS}?{urlencode(query)}", []
    while url:
        answer = asking.get(url)
        assert answer.headers["Content-Type"] == "application/cloudevents-batch+json"
        seen += answer.json()
        url = answer.links["next"]["url"] if "next" in answer.links else ""
        assert not url or f"{way}=" in url
    expected = told.events(type="flag.*", newest_first=newest_first == "true")
    assert seen == [to_cloudevent(event) for event in expected]


def test_one_event_is_had_by_its_position(told: ControlPlane) -> None:
    asking = client(told, dev=True)
    assert asking.get(f"{EVENTS}/2").json() == event_view(told.event(2))
    answer = asking.get(f"{EVENTS}/2?format=cloudevents")
    assert answer.headers["Content-Type"] == "application/cloudevents+json"
    assert answer.json() == to_cloudevent(told.event(2))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/99", 404),
        (f"/{2**63 - 1}", 404),
        ("/0", 404),
        ("/-1", 404),
        (f"/{2**63}", 404),
        ("/" + "9" * 4000, 404),
        ("/x", 404),
        ("/%00", 404),
        ("?limit=1001", 422),
        ("?limit=0", 422),
        (f"?after={2**63}", 422),
        ("?since=yesterday", 422),
        ("?since=2026-11-18", 422),
        ("?until=%00", 422),
        ("?format=xml", 422),
        ("?type=" + "x" * 10_000, 422),
        ("?stream=%00", 200),
        ("?stream=%ED%A0%80", 200),
        ("?type=%00*", 200),
        ("?actor=%00", 200),
        ("?correlation_id=%00", 200),
    ],
)
def test_what_no_log_could_answer_is_told(told: ControlPlane, path: str, status: int) -> None:
    answer = client(told, dev=True).get(EVENTS + path)
    assert answer.status_code == status, answer.text
    assert status != 200 or answer.json()["items"] == []


def test_whoever_sees_only_some_flags_does_not_see_the_log(scraped: ControlPlane) -> None:
    asking = holding(scraped, "admin", scopes=("flag:batch-*",))
    for path in (EVENTS, f"{EVENTS}/1", "/api/v1/log/head"):
        assert asking.get(path).status_code == 403


# -- proof ----------------------------------------------------------------------------------------


def test_the_log_is_proved_to_whoever_may_read(told: ControlPlane) -> None:
    asking = holding(told, "viewer")
    head = asking.get("/api/v1/log/head").json()
    assert (head["position"], head["hash"]) == (told.head().position, told.head().hash.hex())
    noted = f"{head['position']}:{head['hash']}"
    for said in (None, {}, {"expect": None}, {"expect": noted}):
        answer = asking.post(VERIFY, json=said) if said is not None else asking.post(VERIFY)
        expected = {"intact": True, "position": head["position"], "hash": head["hash"]}
        assert answer.json() == expected
    assert told.head().position == head["position"]  # To prove is no command.


@pytest.mark.parametrize(
    ("expect", "status"),
    [
        ("nonsense", 422),
        ("1", 422),
        ("-1:00", 422),
        (f"1:{'ab' * 32}", 409),
        (f"99:{'ab' * 32}", 409),
    ],
)
def test_a_log_that_is_not_the_one_noted_is_a_problem(
    told: ControlPlane, expect: str, status: int
) -> None:
    answer = client(told, dev=True).post(VERIFY, json={"expect": expect})
    assert answer.status_code == status
    if status == 409:
        assert answer.json()["title"] == "Chain broken"
        beyond = told.head().position + 1
        assert answer.json()["position"] == min(int(expect.partition(":")[0]), beyond)


def test_an_altered_log_is_a_problem_with_its_position(url: str, clock: Clock) -> None:
    with ControlPlane(url, clock=clock) as plane:
        plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
        plane.flags.enable(FLAG, percentage=10, actor=ENGINEER)
        database = Database(url)
        tamper(database, "UPDATE event_log SET actor_id = 'somebody' WHERE position = 2")
        database.close()
        answer = client(plane, dev=True).post(VERIFY)
    assert (answer.status_code, answer.json()["position"]) == (409, 2)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_one_at_a_time_is_let_to_read_everything(
    scraped: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, done = threading.Event(), threading.Event()

    def slow(**_asked: Any) -> Head:
        begun.set()
        assert done.wait(30)
        raise ChainBroken(position=7, reason="a test")

    monkeypatch.setattr(scraped, "verify", slow)
    asking, first = client(scraped, dev=True), []
    walking = threading.Thread(target=lambda: first.append(asking.post(VERIFY)))
    walking.start()
    assert begun.wait(30)
    second = asking.post(VERIFY)
    done.set()
    walking.join()
    assert (second.status_code, first[0].status_code) == (429, 409)
    assert int(second.headers["Retry-After"]) > 0
    monkeypatch.undo()
    assert asking.post(VERIFY).status_code == 200
