"""A webhook's URL may be a secret in itself: whoever may only read does not get it."""

import pytest

from controlplane import ControlPlane
from tests.http.callers import holding
from tests.journeys.traffic import ENGINEER

SECRET = "T0001/B0001/XXXXXXXX"  # noqa: S105  why: what is looked for


@pytest.mark.parametrize("path", ["", "/1", "?format=cloudevents", "/1?format=cloudevents"])
def test_readers_of_events_see_the_host_of_a_webhook_and_no_more(
    scraped: ControlPlane, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("CONTROLPLANE_WEBHOOK_SECRET_DEPLOYS", "whsec_" + "A" * 43 + "=")
    scraped.webhooks.register(
        f"https://hooks.example.com/services/{SECRET}",
        secret="deploys",  # noqa: S106  why: its name
        types=["flag.*"],
        actor=ENGINEER,
    )
    answer = holding(scraped, "viewer").get(f"/api/v1/events{path}")
    assert answer.status_code == 200
    assert "https://hooks.example.com/" in answer.text
    assert SECRET not in answer.text
    assert SECRET in holding(scraped, "admin").get("/api/v1/webhooks").text
