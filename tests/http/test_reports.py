"""Compliance reports over HTTP: those that Python makes, a page of words and no scripts."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from controlplane import ControlPlane
from controlplane.audit_views import told_view
from controlplane.reports.writing import write
from tests.conftest import Clock
from tests.http.callers import client, holding
from tests.journeys.traffic import FLAG
from tests.plane.audited import ROLLOUT, Audited, audited, drafted, promoted, rolled_back

AUDIT = "/api/v1/audit"
REPORT = f"{AUDIT}/rollouts/{ROLLOUT}/report"


@pytest.fixture
def story(clock: Clock) -> Iterator[Audited]:
    with ControlPlane("memory://", clock=clock) as plane:
        told = audited(plane, clock)
        for part in (drafted, promoted, rolled_back):
            part(told)
        yield told


@pytest.fixture
def asking(story: Audited) -> TestClient:
    return client(story.plane, dev=True)


def test_a_report_is_the_one_that_python_makes(story: Audited, asking: TestClient) -> None:
    html = asking.get(REPORT)
    assert html.headers["Content-Type"] == "text/html; charset=utf-8"
    assert html.headers["As-Of"] == str(story.plane.head().position)
    assert html.text == write(story.plane.audit.report(ROLLOUT), "html")
    early = asking.get(f"{REPORT}?format=markdown&at=20&walk_log=false")
    assert early.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert early.headers["As-Of"] == "20"
    found = story.plane.audit.report(ROLLOUT, at=20, walk_log=False)
    assert early.text == write(found, "markdown")


def test_a_browser_runs_nothing_in_it(asking: TestClient) -> None:
    policy = asking.get(REPORT).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("; sandbox")


def test_one_report_at_a_time_walks_the_log(asking: TestClient) -> None:
    app: Any = asking.app
    app._application.state.verifying.acquire()
    for busy in (asking.get(REPORT), asking.post("/api/v1/log/verify")):
        assert (busy.status_code, busy.headers["Retry-After"]) == (429, "10")
    assert asking.get(f"{REPORT}?walk_log=false").status_code == 200
    app._application.state.verifying.release()
    assert asking.get(REPORT).status_code == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"{AUDIT}/rollouts/nonsense/report", 404),
        (f"{REPORT}?at=2", 404),  # It had not been drafted.
        (f"{REPORT}?at=999999", 422),
        (f"{REPORT}?at=0", 422),
        (f"{REPORT}?format=pdf", 422),
    ],
)
def test_what_makes_no_sense_is_refused(asking: TestClient, path: str, status: int) -> None:
    answer = asking.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_who_may_not_read_gets_none(story: Audited) -> None:
    plane = story.plane
    plane.flags.create("other", owner="o", actor="ana")
    assert holding(plane, "viewer", scopes=(f"flag:{FLAG}",)).get(REPORT).status_code == 200
    assert holding(plane, "viewer", scopes=("flag:other",)).get(REPORT).status_code == 404
    assert holding(plane, "ingestor").get(REPORT).status_code == 403
    assert client(plane).get(REPORT).status_code == 401


def test_events_may_be_had_a_document_a_line(story: Audited, asking: TestClient) -> None:
    url, found = f"{AUDIT}/events?slice=rollouts&limit=3&format=ndjson", []
    while url:
        answer = asking.get(url)
        assert answer.headers["Content-Type"] == "application/x-ndjson"
        found += [json.loads(line) for line in answer.text.splitlines()]
        url = answer.headers.get("Link", "").partition(">")[0].removeprefix("<")
    expected = [told_view(event) for event in story.plane.audit.events(slice="rollouts")]
    assert found == json.loads(json.dumps(expected))
