"""Metrics, read models and the schedule over HTTP."""

from typing import Any
from urllib.parse import urlencode

import pytest

from controlplane import ControlPlane
from controlplane.operating_views import build_view, schedule_view
from controlplane.views import lag_view, tally_view
from events.timestamps import DAY, HOUR, MINUTE, SECOND, to_iso
from projections.catalog import PROJECTIONS
from tests.conftest import Clock
from tests.http.callers import client, holding
from tests.journeys.traffic import ENGINEER, FLAG, batch
from tests.plane.candidates import candidate

TOTALS, MINUTES = "/api/v1/metrics/totals", "/api/v1/metrics/minutes"


@pytest.fixture
def measured(scraped: ControlPlane, clock: Clock) -> ControlPlane:
    """A control plane where something ran in every tenth minute of three hours."""
    plane = scraped
    for flag in (FLAG, "checkout"):
        plane.flags.create(flag, owner="patch-team", actor=ENGINEER)
    clock.now -= clock.now % MINUTE
    begin = clock.now - 3 * HOUR
    moments = range(begin, clock.now, 10 * MINUTE)
    plane.executions.record([batch(occurred_at=at, failed=at == begin) for at in moments])
    plane.executions.record([batch(flag="checkout", cohort="off", outcome="rejected")])
    return plane


def minutes(plane: ControlPlane, **query: Any) -> Any:
    answer = client(plane, dev=True).get(f"{MINUTES}?{urlencode({'flag': FLAG} | query)}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_totals_are_by_flag_and_cohort(measured: ControlPlane) -> None:
    answer = client(measured, dev=True).get(TOTALS).json()
    expected = [
        {"flag": flag, "cohort": cohort, **tally_view(tally)}
        for (flag, cohort), tally in measured.metrics.totals().items()
    ]
    assert answer == {"items": expected, "next": None}
    assert {item["flag"]: item["executions"] for item in expected} == {FLAG: 18, "checkout": 0}


def test_minutes_are_of_the_last_hour_unless_told(measured: ControlPlane, clock: Clock) -> None:
    answer = minutes(measured)
    assert answer["next"] is None
    expected = [clock.now - HOUR + n * 10 * MINUTE for n in range(6)]
    assert [item["minute"] for item in answer["items"]] == list(map(to_iso, expected))
    assert minutes(measured, cohort="off")["items"] == []
    since = to_iso(clock.now - 3 * HOUR)
    assert [item["failed"] for item in minutes(measured, since=since)["items"]] == [1] + [0] * 17


@pytest.mark.parametrize("limit", [11, 60, 10_000])
def test_minutes_come_in_pages_that_meet(measured: ControlPlane, clock: Clock, limit: int) -> None:
    since, seen, pages = to_iso(clock.now - 3 * HOUR), [], 0
    while since:
        answer = minutes(measured, since=since, limit=limit, until=to_iso(clock.now))
        seen += [item["minute"] for item in answer["items"]]
        since, pages = answer["next"], pages + 1
    assert seen == [to_iso(clock.now - 3 * HOUR + n * 10 * MINUTE) for n in range(18)]
    assert pages == -(-180 // limit)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"flag": "nonsense"}, 404),
        ({"flag": "a\0b"}, 404),
        ({"flag": "x" * 10_000}, 422),
        ({"cohort": "sideways"}, 422),
        ({"since": "yesterday"}, 422),
        ({"until": "0001-01-01T00:00:00Z"}, 422),
        ({"since": "9999-12-31T23:59:59Z"}, 422),
        ({"limit": 0}, 422),
        ({"limit": 2**64}, 422),
    ],
)
def test_what_cannot_be_measured_is_told(
    plane: ControlPlane, query: dict[str, Any], status: int
) -> None:
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    answer = client(plane, dev=True).get(f"{MINUTES}?{urlencode({'flag': FLAG} | query)}")
    assert answer.status_code == status, answer.text


def test_a_window_has_31_days_at_most(measured: ControlPlane, clock: Clock) -> None:
    asking = client(measured, dev=True)
    for over, status in ((0, 200), (1, 422)):
        query = {
            "flag": FLAG,
            "since": to_iso(clock.now - 31 * DAY - over),
            "until": to_iso(clock.now),
        }
        assert asking.get(f"{MINUTES}?{urlencode(query)}").status_code == status


def test_a_token_for_some_flags_is_told_of_these_alone(measured: ControlPlane) -> None:
    asking = holding(measured, "viewer", scopes=("flag:batch-*",))
    assert [item["flag"] for item in asking.get(TOTALS).json()["items"]] == [FLAG]
    assert asking.get(f"{MINUTES}?flag={FLAG}").status_code == 200
    assert asking.get(f"{MINUTES}?flag=checkout").status_code == 404


# -- read models ----------------------------------------------------------------------------------


def test_read_models_tell_how_far_they_are(measured: ControlPlane) -> None:
    answer = client(measured, dev=True).get("/api/v1/projections").json()
    assert answer["items"] == [lag_view(lag) for lag in measured.projections.lag()]
    assert answer["rebuilds"] == []
    assert {item["projection"] for item in answer["items"]} == set(PROJECTIONS)


def test_an_admin_has_them_computed_again(measured: ControlPlane) -> None:
    admin, operator = holding(measured, "admin"), holding(measured, "operator")
    before = measured.flags.all()
    for path in ("/flags/rebuild", "/prune"):
        assert operator.post(f"/api/v1/projections{path}").status_code == 403
    answer = admin.post("/api/v1/projections/flags/rebuild")
    assert (answer.status_code, answer.json()["projection"]) == (200, "flags")
    assert measured.flags.all() == before
    accepted = measured.events(type="access.command_accepted", newest_first=True)[0]
    assert accepted.event.command == "rebuild_projection"  # type: ignore[attr-defined]  # why: of that type
    assert admin.post("/api/v1/projections/prune").json() == {"items": [], "next": None}


@pytest.mark.parametrize("name", ["nonsense", "%00", "x" * 10_000, "%ED%A0%80"])
def test_there_are_no_other_read_models(plane: ControlPlane, name: str) -> None:
    answer = client(plane, dev=True).post(f"/api/v1/projections/{name}/rebuild")
    assert answer.status_code == 404


def test_what_other_releases_left_is_dropped(
    scraped: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = scraped.projections.rebuild("flags")
    monkeypatch.setattr(scraped.projections, "prune", lambda: [left])
    monkeypatch.setattr(scraped.projections, "rebuilds", lambda: [left])
    asking = client(scraped, dev=True)
    expected = [build_view(left)]
    assert asking.post("/api/v1/projections/prune").json()["items"] == expected
    assert asking.get("/api/v1/projections").json()["rebuilds"] == expected


def test_the_schedule_tells_who_looks_and_when(plane: ControlPlane, clock: Clock) -> None:
    asking = holding(plane, "viewer")
    nobody = asking.get("/api/v1/schedule").json()
    assert nobody["held"] is False
    assert {value for name, value in nobody.items() if name != "held"} == {None}
    assert candidate(plane, "web-1").renew()
    clock.advance(5 * SECOND)
    told = asking.get("/api/v1/schedule").json()
    assert told == schedule_view(plane.schedule(), clock.now)
    assert (told["held"], told["holder"]) == (True, "web-1")
    assert told["next_look_at"] == to_iso(clock.now + 55 * SECOND)
