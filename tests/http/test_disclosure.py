"""What is not for everybody: where a webhook posts to, and what freezes say of other flags."""

import pytest

from controlplane import ControlPlane
from controlplane.history.bundles import opened
from controlplane.history.retaking import retake_story
from controlplane.replaying_views import scene_view
from events.access import CommandAccepted
from events.freezes import FreezeEvent
from tests.http.callers import holding
from tests.http.listening import Listener, listening
from tests.journeys.traffic import ENGINEER, FLAG, batch

SECRET = "T0001/B0001/XXXXXXXX"  # noqa: S105  why: what is looked for


def registered(plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTROLPLANE_WEBHOOK_SECRET_DEPLOYS", "whsec_" + "A" * 43 + "=")
    plane.webhooks.register(
        f"https://hooks.example.com/services/{SECRET}",
        secret="deploys",  # noqa: S106  why: its name
        types=["flag.*"],
        actor=ENGINEER,
    )


def test_readers_of_the_stream_see_no_more(
    scraped: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(scraped, monkeypatch)
    with listening(scraped) as server, Listener(server, "/api/v1/stream?after=0") as listener:
        _where, message = listener.take(2)
        assert message.data["data"]["url"] == "https://hooks.example.com/…"
        with Listener(server, "/api/v1/stream") as live:
            live.take(1)
            scraped.webhooks.change(
                message.data["data"]["webhook"],
                url=f"https://other.example.com/{SECRET}",
                actor=ENGINEER,
            )
            assert live.take(1)[0].data["data"]["url"] == "https://other.example.com/…"


@pytest.mark.parametrize("path", ["", "/1", "?format=cloudevents", "/1?format=cloudevents"])
def test_readers_of_events_see_the_host_of_a_webhook_and_no_more(
    scraped: ControlPlane, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    registered(scraped, monkeypatch)
    answer = holding(scraped, "viewer").get(f"/api/v1/events{path}")
    assert answer.status_code == 200
    assert "https://hooks.example.com/" in answer.text
    assert SECRET not in answer.text
    assert SECRET in holding(scraped, "admin").get("/api/v1/webhooks").text


OTHER = "other-secret"
INCIDENT, ROLLOUT = "/api/v1/incidents/INC-1", f"{FLAG}-r1"
SAID = ("the merger", "quiet period", "it was signed", OTHER)
"""What a freeze of another flag says, when it is declared and when it is lifted."""


@pytest.fixture
def among_others(scraped: ControlPlane) -> ControlPlane:
    """A rollout that an alert ended, with an incident; and freezes of another flag meanwhile."""
    plane = scraped
    for flag in (FLAG, OTHER):
        plane.flags.create(flag, owner="patch-team", actor=ENGINEER)
    plane.rollouts.start(flag=FLAG, actor=ENGINEER)
    admin = holding(plane, "admin")
    for name in ("quiet period", "quiet period 2"):
        said = {"reason": "the merger", "name": name, "flags": [OTHER]}
        assert admin.post("/api/v1/freezes", json=said).status_code == 201
    plane.freezes.declare(reason="both", flags=[FLAG], actor=ENGINEER)
    plane.executions.record([batch(violations={"order": 1}), batch("off")])
    plane.alerts.watch()
    plane.freezes.lift("freeze-1", actor=ENGINEER, reason="it was signed")
    plane.freezes.lift("freeze-3", actor=ENGINEER, reason="both over")
    plane.incidents.note("INC-1", "seen", actor=ENGINEER)
    return plane


@pytest.mark.parametrize(
    "path",
    [
        f"{INCIDENT}/report",
        f"{INCIDENT}/frames",
        f"{INCIDENT}/export",
        f"/api/v1/replay/frames?of={ROLLOUT}",
        f"/api/v1/replay/frames?flag={FLAG}",
        f"/api/v1/audit/rollouts/{ROLLOUT}/timeline",
        f"/api/v1/audit/rollouts/{ROLLOUT}/report",
    ],
)
def test_freezes_of_other_flags_are_no_part_of_a_flags_story(
    among_others: ControlPlane, path: str
) -> None:
    narrow = holding(among_others, "viewer", scopes=(f"flag:{FLAG}",))
    for asking in (narrow, holding(among_others, "viewer")):
        answer = asking.get(path)
        assert answer.status_code == 200, answer.text
        assert [word for word in SAID if word in answer.text] == []
        assert "freeze-3" in answer.text
        assert "both over" in answer.text


def test_a_file_without_freezes_of_other_flags_comes_out_the_same(
    among_others: ControlPlane,
) -> None:
    lines = list(among_others.incidents.export("INC-1"))
    story, told = opened(lines), among_others.replay("INC-1")
    assert retake_story(story).identical
    assert list(story.events()) == list(told.events())
    assert [scene_view(one) for one in story.scenes()] == [scene_view(one) for one in told.scenes()]
    frozen = [one.event.freeze for one in story.events() if isinstance(one.event, FreezeEvent)]
    assert frozen == ["freeze-3", "freeze-3"]
    asked = [one for one in story.events() if isinstance(one.event, CommandAccepted)]
    assert asked == [], "who declared the others did it over HTTP"
