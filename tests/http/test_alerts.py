"""Alerts over HTTP: what is wrong, and who may say that it is over."""

import pytest

from controlplane import ControlPlane
from controlplane.rules.catalog import WATCHED
from controlplane.views import alert_view, rule_view
from events.timestamps import MINUTE
from tests.conftest import Clock
from tests.http.callers import client, holding
from tests.journeys.traffic import ENGINEER, FLAG, batch

ALERTS = "/api/v1/alerts"
WARNING, CRITICAL = f"{FLAG}/GLASS_BROKEN/1", f"{FLAG}/ERROR_RATE_CRITICAL/1"


def fails(plane: ControlPlane, clock: Clock, flag: str = FLAG) -> None:
    """A flag on which so much fails that a critical alert is raised."""
    if flag not in {known.name for known in plane.flags.all()}:
        plane.flags.create(flag, owner="patch-team", actor=ENGINEER)
    plane.flags.enable(flag, percentage=10, actor=ENGINEER)
    clock.advance(MINUTE)
    plane.executions.record([batch(flag=flag, failed=True) for _ in range(300)])
    plane.alerts.watch()


@pytest.fixture
def alerted(scraped: ControlPlane, clock: Clock) -> ControlPlane:
    """A control plane with an open warning and an open critical alert."""
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    scraped.flags.break_glass(FLAG, 5, actor="cleo", reason="INC-1")
    fails(scraped, clock)
    assert {alert.id for alert in scraped.alerts.open()} >= {WARNING, CRITICAL}
    return scraped


def test_alerts_are_listed_in_the_order_of_change(alerted: ControlPlane) -> None:
    asking = holding(alerted, "viewer")
    everything = sorted(alerted.alerts.all(), key=lambda alert: alert.position)
    answer = asking.get(ALERTS).json()
    assert answer == {"items": [alert_view(alert) for alert in everything], "next": None}
    alerted.alerts.resolve(WARNING, actor="ben", reason="seen")
    assert [a["id"] for a in asking.get(f"{ALERTS}?open=false").json()["items"]] == [WARNING]
    assert WARNING not in [a["id"] for a in asking.get(f"{ALERTS}?open=true").json()["items"]]


def test_one_that_changes_while_they_are_paged_comes_again(alerted: ControlPlane) -> None:
    asking = client(alerted, dev=True)
    first = asking.get(f"{ALERTS}?limit=1").json()
    [shown] = first["items"]
    alerted.alerts.acknowledge(shown["id"], actor="ben")
    after, seen = first["next"], []
    while after is not None:
        page = asking.get(f"{ALERTS}?limit=1&after={after}").json()
        seen += [item["id"] for item in page["items"]]
        after = page["next"]
    assert sorted(seen) == sorted(alert.id for alert in alerted.alerts.all())
    assert seen[-1] == shown["id"]


def test_rules_come_with_their_playbooks(scraped: ControlPlane) -> None:
    answer = holding(scraped, "viewer", scopes=("flag:x",)).get(f"{ALERTS}/rules").json()
    assert answer["items"] == [rule_view(rule) for rule in WATCHED.values()]
    assert all(item["playbook"] for item in answer["items"])


def test_an_operator_is_on_it_and_an_approver_ends_it(alerted: ControlPlane) -> None:
    operator, approver = holding(alerted, "operator"), holding(alerted, "approver")
    answer = operator.post(f"{ALERTS}/{CRITICAL}/acknowledge", json={"note": "reading"})
    assert answer.json()["acknowledged_by"] == "ben"
    assert operator.post(f"{ALERTS}/{WARNING}/acknowledge").status_code == 200
    because = {"reason": "the normalizer is mended"}
    assert operator.post(f"{ALERTS}/{WARNING}/resolve", json=because).json()["open"] is False
    refused = operator.post(f"{ALERTS}/{CRITICAL}/resolve", json=because)
    assert (refused.status_code, refused.json()["title"]) == (403, "Silence not permitted")
    assert alerted.alerts.get(CRITICAL).open
    assert approver.post(f"{ALERTS}/{CRITICAL}/resolve", json=because).json()["open"] is False
    again = approver.post(f"{ALERTS}/{CRITICAL}/resolve", json=because)
    assert (again.status_code, again.json()["title"]) == (409, "Alert closed")


def test_one_is_had_with_its_version_and_left_alone_once_it_changed(
    alerted: ControlPlane,
) -> None:
    asking = client(alerted, dev=True)
    read = asking.get(f"{ALERTS}/{WARNING}")
    assert read.json() == alert_view(alerted.alerts.get(WARNING))
    tag = read.headers["ETag"]
    alerted.alerts.acknowledge(WARNING, actor="cleo")
    late = asking.post(f"{ALERTS}/{WARNING}/acknowledge", headers={"If-Match": tag})
    assert late.status_code == 412
    assert alerted.alerts.get(WARNING).acknowledged_by == "cleo"
    tag = asking.get(f"{ALERTS}/{WARNING}").headers["ETag"]
    answer = asking.post(
        f"{ALERTS}/{WARNING}/resolve", json={"reason": "seen"}, headers={"If-Match": tag}
    )
    assert answer.status_code == 200


def test_under_one_key_it_is_done_once(alerted: ControlPlane) -> None:
    asking, key = holding(alerted, "operator"), {"Idempotency-Key": "k"}
    path, because = f"{ALERTS}/{WARNING}/resolve", {"reason": "seen"}
    first = asking.post(path, json=because, headers=key)
    again = asking.post(path, json=because, headers=key)
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(alerted.events(type="alert.resolved")) == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{FLAG}/GLASS_BROKEN/2", 404),
        (f"{FLAG}/NO_SUCH_RULE/1", 404),
        ("nonsense/GLASS_BROKEN/1", 404),
        (f"{FLAG}/GLASS_BROKEN/0", 404),
        (f"{FLAG}/GLASS_BROKEN/{2**63}", 404),
        (f"{FLAG}/GLASS_BROKEN/x", 404),
        ("%00/GLASS_BROKEN/1", 404),
        (f"{FLAG}/%00/1", 404),
        (f"{FLAG}/%ED%A0%80/1", 404),
        (f"{'x' * 10_000}/GLASS_BROKEN/1", 404),
        (f"{FLAG}/{'x' * 10_000}/1", 404),
        (f"{FLAG}/{'x' * 100}/1", 404),
    ],
)
def test_there_are_no_other_alerts(plane: ControlPlane, path: str, status: int) -> None:
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    asking = client(plane, dev=True)
    assert asking.get(f"{ALERTS}/{path}").status_code == status
    for verb in ("acknowledge", "resolve"):
        answer = asking.post(
            f"{ALERTS}/{path}/{verb}", json={"reason": "x"} if verb == "resolve" else {}
        )
        assert answer.status_code == status, answer.text
        answer = asking.post(
            f"{ALERTS}/{path}/{verb}",
            json={"reason": "x"} if verb == "resolve" else {},
            headers={"If-Match": '"1"', "Idempotency-Key": "k"},
        )
        assert answer.status_code in (404, 412, 422), answer.text


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"reason": ""},
        {"reason": " "},
        {"reason": 7},
        {"reason": "x" * 2001},
        {"reason": "x", "force": True},
        [],
    ],
)
def test_it_is_resolved_with_a_reason(alerted: ControlPlane, said: object) -> None:
    answer = client(alerted, dev=True).post(f"{ALERTS}/{WARNING}/resolve", json=said)
    assert answer.status_code == 422
    assert alerted.alerts.get(WARNING).open


def test_a_token_for_some_flags_sees_their_alerts_alone(
    alerted: ControlPlane, clock: Clock
) -> None:
    fails(alerted, clock, "checkout")
    asking = holding(alerted, "approver", scopes=("flag:checkout",))
    assert {alert["flag"] for alert in asking.get(ALERTS).json()["items"]} == {"checkout"}
    assert asking.get(f"{ALERTS}/{WARNING}").status_code == 404
    assert asking.post(f"{ALERTS}/{WARNING}/acknowledge").status_code == 404
    ours = f"{ALERTS}/checkout/ERROR_RATE_CRITICAL/1/acknowledge"
    assert asking.post(ours).status_code == 200
