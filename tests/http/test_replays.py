"""Any stretch of the log again over HTTP: event by event, and decided again."""

from typing import Any

import pytest
from msgspec.structs import replace
from starlette.testclient import TestClient

from controlplane import ControlPlane
from controlplane.clock import new_id
from controlplane.history.retaking import retake_story
from controlplane.replaying_views import retaken_view, scene_view
from events import Actor, NewEvent
from events.alerts import AlertRaised
from events.timestamps import MINUTE, to_iso
from events.webhooks import WEBHOOK_STREAM, WebhookRegistered
from tests.conftest import Clock
from tests.http.callers import as_json, client, holding
from tests.journeys.traffic import ENGINEER, FLAG, batch, plan

FRAMES, CHECK = "/api/v1/replay/frames", "/api/v1/replay/check"
ONE = "/api/v1/incidents/INC-1"
R = f"{FLAG}-r1"


@pytest.fixture
def hurt(scraped: ControlPlane, clock: Clock) -> ControlPlane:
    """A rollout that a violated invariant ended; and another flag, with an incident by hand."""
    for name in (FLAG, "checkout"):
        scraped.flags.create(name, owner="patch-team", actor=ENGINEER)
    scraped.rollouts.start(plan(), flag=FLAG, actor=ENGINEER)
    clock.advance(MINUTE)
    scraped.executions.record([batch(), batch(violations={"order": 1})])
    scraped.tick()
    scraped.alerts.watch()
    scraped.incidents.declare("checkout", actor="cleo", reason="odd")
    return scraped


@pytest.fixture
def asking(hurt: ControlPlane) -> TestClient:
    return client(hurt, dev=True)


@pytest.mark.parametrize(
    "of",
    [
        {"of": "INC-1"},
        {"of": R},
        {"flag": FLAG},
        {"flag": "checkout", "until": 3},
        {"of": R, "since": 8},
        {},
    ],
)
def test_whatever_is_replayed_is_the_replay_of_the_plane(
    hurt: ControlPlane, asking: TestClient, of: dict[str, Any]
) -> None:
    story = hurt.replay(**of)
    whole = [as_json(scene_view(scene)) for scene in story.scenes()]
    assert asking.get(FRAMES, params=of).json() == {"items": whole, "next": None}
    items, after = [], 0
    while after is not None:
        page = asking.get(FRAMES, params=of | {"limit": 3, "after": after}).json()
        items, after = items + page["items"], page["next"]
    assert items == whole


def test_a_time_is_told_by_moments(hurt: ControlPlane, asking: TestClient, clock: Clock) -> None:
    since = to_iso(clock.now - 1)
    found = asking.get(FRAMES, params={"since": since, "until": to_iso(clock.now)}).json()
    (first, *_) = found["items"]
    assert first["event"]["type"] == "execution.batch_executed"
    assert found["items"][-1]["event"]["position"] == hurt.head().position


def test_every_decision_is_taken_again(hurt: ControlPlane, asking: TestClient) -> None:
    retaken = retake_story(hurt.replay("INC-1"))
    assert retaken.alerts == retaken.incidents == 1
    expected = as_json(retaken_view(retaken))
    assert expected["identical"] is True
    for path in (f"{ONE}/check", f"{CHECK}?of=INC-1", f"{CHECK}?of={R}", f"{CHECK}?flag={FLAG}"):
        assert asking.get(path).json() == expected, path


def test_a_decision_that_no_rule_made_is_told(hurt: ControlPlane, asking: TestClient) -> None:
    raised = next(one for one in hurt.events(type="alert.raised") if "VIOLATION" in one.stream)
    assert isinstance(raised.event, AlertRaised)
    made_up = NewEvent(
        stream=raised.stream,
        event=replace(raised.event, value=99.0, alert=raised.event.alert[:-1] + "2"),
        id=new_id(),
        occurred_at=raised.occurred_at + 1,
        actor=raised.actor,
    )
    hurt.log.append([made_up])
    found = asking.get(f"{CHECK}?flag={FLAG}").json()
    assert found["identical"] is False
    assert found["differences"][0]["recomputed"] == "nothing"
    assert found["differences"][0]["position"] == hurt.head().position


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("of=INC-9", 404),
        ("of=nonsense-r1", 404),
        ("flag=nonsense", 404),
        (f"of=INC-1&flag={FLAG}", 422),
        ("since=5&until=3", 422),
        ("since=yesterday", 422),
        ("until=99999", 422),
        ("until=2999-01-01T00:00Z", 422),
        ("of=", 422),
    ],
)
def test_what_makes_no_sense_is_refused(asking: TestClient, query: str, status: int) -> None:
    for path in (FRAMES, CHECK):
        answer = asking.get(f"{path}?{query}")
        assert answer.status_code == status, answer.text
    assert asking.get(CHECK).status_code == 422, "of which flag?"


def test_a_token_for_other_flags_is_told_of_none(hurt: ControlPlane) -> None:
    asking = holding(hurt, "viewer", scopes=("flag:checkout",))
    assert asking.get(f"{ONE}/check").status_code == 404
    for path in (FRAMES, CHECK):
        for query in ("of=INC-1", f"of={R}", f"flag={FLAG}", f"of={R}&since=9&until=1"):
            assert asking.get(f"{path}?{query}").status_code == 404, query
        for query in ("of=INC-2", "flag=checkout"):
            assert asking.get(f"{path}?{query}").status_code == 200, query
        assert asking.get(path).status_code == 403, "all flags"


def test_the_address_of_a_webhook_is_told_to_nobody(hurt: ControlPlane) -> None:
    registered = WebhookRegistered(
        webhook="webhook-1",
        url="https://hooks.example/a-secret",
        secret="deploys",  # noqa: S106  why: a name
        types=("*",),
        description="",
        after=0,
    )
    hurt.log.append(
        [
            NewEvent(
                stream=WEBHOOK_STREAM,
                event=registered,
                id=new_id(),
                occurred_at=hurt.log.read()[-1].occurred_at,
                actor=Actor.person("ann"),
            )
        ]
    )
    text = holding(hurt, "viewer").get(f"{FRAMES}?since=1").text
    assert "hooks.example" in text
    assert "a-secret" not in text


def test_looking_back_writes_nothing(hurt: ControlPlane, asking: TestClient) -> None:
    head = hurt.head()
    for path in (FRAMES, f"{CHECK}?of={R}", f"{ONE}/check", f"{ONE}/frames", f"{ONE}/export"):
        assert asking.get(path).status_code == 200
    assert hurt.head() == head
