"""Freezes over HTTP: declared by operators, lifted by approvers."""

from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane.operating_views import freeze_view
from events.timestamps import HOUR, to_iso
from tests.conftest import Clock
from tests.http.callers import QUICK, as_json, client, holding
from tests.journeys.traffic import ENGINEER, FLAG

FREEZES = "/api/v1/freezes"
WEEKEND = {
    "starts": "2026-11-27T16:00",
    "duration": "63h",
    "rrule": "FREQ=WEEKLY;BYDAY=FR",
    "timezone": "Europe/Berlin",
}


@pytest.fixture
def flagged(scraped: ControlPlane) -> ControlPlane:
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    scraped.flags.create("checkout", owner="web", actor=ENGINEER)
    return scraped


def test_an_operator_stops_the_line_and_an_approver_lets_it_go_on(flagged: ControlPlane) -> None:
    operator, approver = holding(flagged, "operator"), holding(flagged, "approver")
    declared = operator.post(FREEZES, json={"reason": "INC-7", "flags": [FLAG]})
    assert declared.status_code == 201
    now = flagged.clock()
    assert declared.json() == as_json(freeze_view(flagged.freezes.get("freeze-1"), now))
    assert declared.json()["in_effect"] is True
    assert flagged.freezes.in_effect(FLAG) is not None
    assert operator.get(f"{FREEZES}/freeze-1").json() == declared.json()
    because = {"reason": "it is over"}
    assert operator.post(f"{FREEZES}/freeze-1/lift", json=because).status_code == 403
    lifted = approver.post(f"{FREEZES}/freeze-1/lift", json=because)
    assert (lifted.status_code, lifted.json()["in_effect"]) == (200, False)
    assert flagged.freezes.all() == []
    assert operator.get(f"{FREEZES}/freeze-1").status_code == 404
    assert approver.post(f"{FREEZES}/freeze-1/lift", json=because).status_code == 404


def test_it_may_follow_a_calendar_or_end_at_a_moment(flagged: ControlPlane, clock: Clock) -> None:
    asking = client(flagged, dev=True)
    said = {"reason": "peak", "name": "weekend", "window": WEEKEND}
    weekend = asking.post(FREEZES, json=said).json()
    assert (weekend["in_effect"], weekend["next_start"]) == (False, "2026-11-27T15:00:00.000000Z")
    assert weekend["window"] == {**WEEKEND, "starts": "2026-11-27T16:00:00", "duration": "63h"}
    ends = to_iso(clock.now + HOUR)
    short = asking.post(FREEZES, json={"reason": "INC-7", "until": ends}).json()
    assert (short["ends_at"], short["until"]) == (ends, ends)
    shown = {
        query: [one["id"] for one in asking.get(f"{FREEZES}?{query}").json()["items"]]
        for query in ("", "in_effect=true", "in_effect=false", "limit=1", "after=99999999")
    }
    assert list(shown.values()) == [
        ["freeze-1", "freeze-2"], ["freeze-2"], ["freeze-1"], ["freeze-1"], []
    ]  # fmt: skip
    clock.advance(HOUR)
    assert asking.get(f"{FREEZES}/freeze-2").json()["in_effect"] is False


def test_those_that_hold_a_flag_are_found(flagged: ControlPlane) -> None:
    for flags in ([FLAG], ["checkout"], []):
        flagged.freezes.declare(reason="r", actor="ann", flags=flags)
    items = client(flagged, dev=True).get(f"{FREEZES}?flag={FLAG}").json()["items"]
    assert [item["id"] for item in items] == ["freeze-1", "freeze-3"]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({}, 422),
        ({"reason": ""}, 422),
        ({"reason": "r", "flags": ["nonsense"]}, 404),
        ({"reason": "r", "flags": ["a\0b"]}, 404),
        ({"reason": "r", "flags": ["x" * 101]}, 422),
        ({"reason": "r", "until": "2020-01-01T00:00:00Z"}, 422),
        ({"reason": "r", "until": "soon"}, 422),
        ({"reason": "r", "until": 7}, 422),
        ({"reason": "r", "window": {}}, 422),
        ({"reason": "r", "window": WEEKEND}, 422),
        ({"reason": "r", "name": "n", "window": WEEKEND, "until": "2099-01-01T00:00:00Z"}, 422),
        ({"reason": "r", "name": "n", "window": WEEKEND | {"rrule": "FREQ=SECONDLY"}}, 422),
        ({"reason": "r", "name": "n", "window": WEEKEND | {"timezone": "Mars/Phobos"}}, 422),
        ({"reason": "r", "name": "n", "window": WEEKEND | {"timezone": "../../etc/passwd"}}, 422),
        ({"reason": "r", "name": "n", "window": WEEKEND | {"timezone": "a\0b"}}, 422),
        ({"reason": "r", "name": "n", "window": WEEKEND | {"duration": "9" * 60 + "h"}}, 422),
        ({"reason": "r", "name": "n", "window": WEEKEND | {"surprise": 1}}, 422),
        ({"reason": "r", "flag": FLAG}, 422),
    ],
)
def test_what_could_hold_nothing_is_refused(
    flagged: ControlPlane, said: dict[str, Any], status: int
) -> None:
    answer = client(flagged, dev=True).post(FREEZES, json=said)
    assert answer.status_code == status, answer.text
    assert flagged.freezes.all() == []


@pytest.mark.parametrize(
    ("id_", "status"),
    [("nonsense", 404), ("%00", 404), ("%ED%A0%80", 404), ("x" * 10_000, 404)],
)
def test_there_are_no_other_freezes(plane: ControlPlane, id_: str, status: int) -> None:
    asking = client(plane, dev=True)
    assert asking.get(f"{FREEZES}/{id_}").status_code == status
    assert asking.post(f"{FREEZES}/{id_}/lift", json={"reason": "r"}).status_code == status


def test_under_one_key_one_freeze_is_declared(flagged: ControlPlane) -> None:
    asking, key = holding(flagged, "operator"), {"Idempotency-Key": "k"}
    first = asking.post(FREEZES, json={"reason": "INC-7"}, headers=key)
    again = asking.post(FREEZES, json={"reason": "INC-7"}, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert len(flagged.freezes.all()) == 1
    assert asking.post(FREEZES, json={"reason": "INC-8"}, headers=key).status_code == 422


def test_what_was_lifted_since_is_answered_under_its_key(flagged: ControlPlane) -> None:
    asking = holding(flagged, "approver", scopes=(f"flag:{FLAG}",))
    asks = [
        (FREEZES, {"reason": "INC-7", "flags": [FLAG]}, {"Idempotency-Key": "declare"}),
        (f"{FREEZES}/freeze-1/lift", {"reason": "over"}, {"Idempotency-Key": "lift"}),
    ]
    for path, body, key in asks:
        assert asking.post(path, json=body, headers=key).is_success
    for path, body, key in asks:
        again = asking.post(path, json=body, headers=key)
        assert (again.is_success, again.headers.get("Idempotency-Replayed")) == (True, "true")
        assert (again.json()["id"], again.json()["in_effect"]) == ("freeze-1", False)
    assert len(flagged.events(type="freeze.*")) == 2


def test_a_freeze_has_no_version(flagged: ControlPlane) -> None:
    answer = client(flagged, dev=True).post(
        FREEZES, json={"reason": "INC-7"}, headers={"If-Match": '"1"'}
    )
    assert answer.status_code == 422


def test_a_token_for_some_flags_freezes_these_alone(flagged: ControlPlane) -> None:
    asking = holding(flagged, "approver", scopes=("flag:batch-*",))
    assert asking.post(FREEZES, json={"reason": "r"}).status_code == 403
    assert (
        asking.post(FREEZES, json={"reason": "r", "flags": [FLAG, "checkout"]}).status_code == 404
    )
    assert asking.post(FREEZES, json={"reason": "r", "flags": [FLAG]}).status_code == 201
    flagged.freezes.declare(reason="r", actor="ann", flags=["checkout"])
    flagged.freezes.declare(reason="r", actor="ann")
    shown = [item["id"] for item in asking.get(FREEZES).json()["items"]]
    assert shown == ["freeze-1", "freeze-3"]
    told = {n: asking.get(f"{FREEZES}/freeze-{n}").status_code for n in (1, 2, 3)}
    assert told == {1: 200, 2: 404, 3: 200}
    lifted = {
        n: asking.post(f"{FREEZES}/freeze-{n}/lift", json={"reason": "r"}).status_code
        for n in (1, 2, 3)
    }
    assert lifted == {1: 200, 2: 404, 3: 403}


def test_a_token_for_some_flags_is_told_no_others_name(flagged: ControlPlane) -> None:
    plan = {"plan": QUICK, "flag": FLAG}
    assert client(flagged, dev=True).post("/api/v1/rollouts", json=plan).status_code == 201
    for flags in ([FLAG, "checkout"], ["checkout"]):
        flagged.freezes.declare(reason="r", actor="ann", flags=flags)
    incident = flagged.incidents.declare(FLAG, reason="r", actor="ann").id
    flagged.freezes.lift("freeze-2", actor="ann", reason="over")
    asking = holding(flagged, "approver", scopes=("flag:batch-*",))
    lift = asking.post(f"{FREEZES}/freeze-1/lift", json={"reason": "r"})
    assert (lift.status_code, lift.json()["title"]) == (403, "Not permitted")
    told = [
        asking.get(path)
        for path in (
            FREEZES,
            f"{FREEZES}/freeze-1",
            f"/api/v1/audit/rollouts/{FLAG}-r1/timeline",
            f"/api/v1/audit/rollouts/{FLAG}-r1/report",
            f"/api/v1/incidents/{incident}/report",
            f"/api/v1/incidents/{incident}/frames",
        )
    ]
    assert [one.status_code for one in told] == [200] * 6
    assert [one.url.path for one in [lift, *told] if "checkout" in one.text] == []
    assert told[1].json()["flags"] == [FLAG]
    assert asking.get(f"{FREEZES}?flag=checkout").json()["items"] == []
    assert flagged.freezes.get("freeze-1").flags == (FLAG, "checkout")
