"""The past over HTTP: as it stood, and back to that."""

import pytest
from starlette.testclient import TestClient

from controlplane import ControlPlane
from controlplane.views import alert_view, flag_view, rollout_view
from events.timestamps import MINUTE, to_iso
from tests.conftest import Clock
from tests.http.callers import as_json, client, holding
from tests.journeys.traffic import ENGINEER, FLAG, batch

PAST = "/api/v1/past"
REVERT = f"/api/v1/flags/{FLAG}/revert"


@pytest.fixture
def lived(scraped: ControlPlane, clock: Clock) -> ControlPlane:
    """Positions: 1 made; 2, 3 on at 10 %; then a minute later 4 at 50 %, 5 off."""
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    scraped.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    clock.advance(MINUTE)
    scraped.flags.set_percentage(FLAG, 50, actor=ENGINEER)
    scraped.flags.disable(FLAG, actor=ENGINEER)
    return scraped


@pytest.fixture
def asking(lived: ControlPlane) -> TestClient:
    return client(lived, dev=True)


def test_a_flag_is_shown_as_it_stood(lived: ControlPlane, asking: TestClient, clock: Clock) -> None:
    for at, percentage in (("3", 10), ("4", 50), ("5", 0), (to_iso(clock.now - MINUTE), 10)):
        answer = asking.get(f"{PAST}/flags/{FLAG}", params={"at": at})
        assert answer.json()["percentage"] == percentage
        (listed,) = asking.get(f"{PAST}/flags", params={"at": at}).json()["items"]
        assert listed == answer.json()
    assert answer.headers["As-Of"] == "3"
    assert answer.json() == as_json(flag_view(lived.as_of(3).flags.get(FLAG)))
    assert asking.get(f"{PAST}/flags?at=0").json()["items"] == []
    assert asking.get(f"{PAST}/flags/{FLAG}?at=0").status_code == 404


def test_a_unit_is_told_what_it_would_have_got(asking: TestClient) -> None:
    ask = {"unit": "user-3"}
    for at, enabled in ((3, False), (4, True), (5, False)):
        found = asking.post(f"{PAST}/flags/{FLAG}/evaluate?at={at}", json=ask)
        assert found.json()["enabled"] is enabled
    assert asking.post(f"{PAST}/flags/{FLAG}/evaluate?at=0", json=ask).status_code == 404


def test_rollouts_alerts_and_totals_are_those_of_the_moment(
    lived: ControlPlane, asking: TestClient, clock: Clock
) -> None:
    lived.rollouts.start(flag=FLAG, actor=ENGINEER)
    clock.advance(MINUTE)
    lived.executions.record([batch(violations={"order": 1})])
    lived.alerts.watch()
    at = lived.head().position
    (alert, *_) = lived.alerts.open()
    alerted, running = alert_view(alert), rollout_view(lived.rollouts.get(f"{FLAG}-r1"))
    lived.alerts.resolve(alert.id, actor=ENGINEER, reason="mended")
    lived.executions.record([batch()])
    one = f"{PAST}/rollouts/{FLAG}-r1"
    assert asking.get(f"{one}?at={at}").json() == as_json(running)
    assert asking.get(f"{PAST}/rollouts?at={at}").json()["items"] == [as_json(running)]
    status = asking.get(f"{one}/status?at={at}").json()
    assert (status["id"], status["evidence"]["critical_alerts"]) == (f"{FLAG}-r1", [alert.id])
    assert asking.get(f"{one}?at=5").status_code == 404
    assert asking.get(f"{PAST}/alerts/{alert.id}?at={at}").json() == as_json(alerted)
    assert as_json(alerted) in asking.get(f"{PAST}/alerts?at={at}&open=true").json()["items"]
    (tally,) = asking.get(f"{PAST}/metrics/totals?at={at}").json()["items"]
    assert tally["executions"] == 1


def test_what_came_in_late_counts_where_that_is_asked(lived: ControlPlane, clock: Clock) -> None:
    at = clock.now
    clock.advance(MINUTE)
    lived.executions.record([batch(occurred_at=at)])
    asking, query = client(lived, dev=True), f"{PAST}/metrics/totals?at={to_iso(at)}"
    assert asking.get(query).json()["items"] == []
    (tally,) = asking.get(f"{query}&known=now").json()["items"]
    assert tally["executions"] == 1


def test_two_moments_are_compared(asking: TestClient) -> None:
    found = asking.get(f"{PAST}/diff?before=3&after=4").json()
    assert (found["before"]["position"], found["after"]["position"]) == (3, 4)
    assert found["changes"] == [
        {
            "projection": "flags",
            "key": FLAG,
            "fact": "percentage of everyone",
            "before": 10,
            "after": 50,
        }
    ]


@pytest.mark.parametrize("at", ["6000", str(2**63), "9" * 40, "-1", "x", "2999-01-01T00:00Z", "²"])
@pytest.mark.parametrize("known", ["then", "now"])
def test_what_is_no_moment_of_the_past_is_refused(asking: TestClient, at: str, known: str) -> None:
    for path in (f"/flags/{FLAG}", "/flags", "/rollouts", "/alerts", "/metrics/totals"):
        answer = asking.get(f"{PAST}{path}", params={"at": at, "known": known})
        assert answer.status_code == 422, answer.text
    for moments in ({"before": at, "after": "1"}, {"before": "1", "after": at}):
        answer = asking.get(f"{PAST}/diff", params=moments | {"known": known})
        assert answer.status_code == 422


def test_a_token_for_some_flags_sees_no_other_past(lived: ControlPlane) -> None:
    lived.flags.create("checkout", owner="o", actor=ENGINEER)
    head = lived.head().position
    asking = holding(lived, "viewer", scopes=("flag:checkout",))
    (seen,) = asking.get(f"{PAST}/flags?at={head}").json()["items"]
    assert seen["name"] == "checkout"
    assert asking.get(f"{PAST}/flags/{FLAG}?at={head}").status_code == 404
    assert asking.get(f"{PAST}/diff?before=1&after=2").status_code == 403


def test_sent_again_under_its_key_a_flag_is_not_led_back_twice(
    lived: ControlPlane, asking: TestClient
) -> None:
    body, key = {"at": 3, "reason": "switched off by mistake"}, {"Idempotency-Key": "back"}
    first = asking.post(REVERT, json=body, headers=key)
    assert (first.status_code, first.json()["percentage"]) == (200, 10), first.text
    lived.flags.disable(FLAG, actor=ENGINEER)
    again = asking.post(REVERT, json=body, headers=key)
    assert (again.headers["Idempotency-Replayed"], again.json()["percentage"]) == ("true", 0)
    stale = asking.post(REVERT, json=body, headers={"If-Match": '"1"'})
    assert stale.status_code == 412


@pytest.mark.parametrize("at", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00", "2026-11-24"])
def test_a_moment_that_utc_does_not_have_is_refused(asking: TestClient, at: str) -> None:
    assert asking.get(f"{PAST}/flags", params={"at": at}).status_code == 422
    assert asking.get(f"{PAST}/diff", params={"before": at, "after": "1"}).status_code == 422


def test_where_there_was_no_flag_yet_that_is_said(asking: TestClient) -> None:
    for answer in (
        asking.get(f"{PAST}/flags/{FLAG}?at=0"),
        asking.post(f"{PAST}/flags/{FLAG}/evaluate?at=0", json={"unit": "u"}),
        asking.post(REVERT, json={"at": "1969-12-31T23:00Z", "reason": "x"}),
    ):
        assert answer.status_code == 404
        assert "as of log position 0" in answer.json()["detail"]
