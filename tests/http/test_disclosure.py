"""A webhook's URL may be a secret in itself: whoever may only read does not get it."""

import pytest

from controlplane import ControlPlane
from tests.http.callers import holding
from tests.http.listening import Listener, listening
from tests.journeys.traffic import ENGINEER

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
