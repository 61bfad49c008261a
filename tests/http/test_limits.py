"""What is too large, too slow or cannot be read never reaches a handler."""

import gzip
import json

import pytest

from controlplane import ControlPlane
from controlplane.http.limits import BodyLimits
from tests.http.callers import PUT, client
from tests.journeys.traffic import FLAG


def test_a_body_may_be_packed(scraped: ControlPlane) -> None:
    packed = gzip.compress(json.dumps(PUT).encode())
    answer = client(scraped, dev=True).post(
        "/admin/flags", content=packed, headers={"Content-Encoding": "gzip"}
    )
    assert answer.status_code == 200


def test_what_curl_calls_a_form_is_json_on_every_route(scraped: ControlPlane) -> None:
    for said in ("application/x-www-form-urlencoded", "application/json; charset=utf-8", None):
        answer = client(scraped, dev=True).post(
            "/api/v1/flags",
            content=json.dumps({"name": FLAG, "owner": "patch-team"}),
            headers={"Content-Type": said} if said else {},
        )
        assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("said", [True, False])
def test_a_body_that_is_too_large_is_refused_unread(scraped: ControlPlane, *, said: bool) -> None:
    asking = client(scraped, dev=True, limits=BodyLimits(command=100))
    body = b" " * 200
    answer = asking.post("/admin/flags", content=body if said else iter([body]))
    assert answer.status_code == 413
    assert "more than 100 bytes" in answer.json()["detail"]


def test_a_bomb_does_not_go_off(scraped: ControlPlane) -> None:
    bomb = gzip.compress(b" " * 100_000_000)
    answer = client(scraped, dev=True).post(
        "/admin/flags", content=bomb, headers={"Content-Encoding": "gzip"}
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"{}", "br", 415),
        (b"not gzip", "gzip", 400),
        (gzip.compress(b"{}", mtime=0)[:-9], "gzip", 400),
        (gzip.compress(b"{}", mtime=0) + b"A" * 10_000, "gzip", 400),
        (b"[" * 100_000, "identity", 400),
        (b'{"name": "\\ud800", "percentage": 1}', "identity", 422),
        (b'{"name": "a", "percentage": NaN}', "identity", 422),
        (b'{"name": "a", "percentage": 1e999}', "identity", 422),
        (b'{"name": "a", "percentage": "10"}', "identity", 422),
        (b'{"name": "a", "percentage": 10, "force": true}', "identity", 422),
        (b"", "identity", 422),
        (b"\xff\xfe", "identity", 422),
    ],
)
def test_what_cannot_be_understood_is_refused_and_does_nothing(
    scraped: ControlPlane, body: bytes, encoding: str, status: int
) -> None:
    answer = client(scraped, dev=True).post(
        "/admin/flags", content=body, headers={"Content-Encoding": encoding}
    )
    assert answer.status_code == status, answer.text
    assert answer.json()["status"] == status
    assert scraped.flags.all() == []


def test_answers_say_what_a_browser_must_not_do(scraped: ControlPlane) -> None:
    for path in ("/livez", "/nowhere", "/api/v1/openapi.json"):
        headers = client(scraped).get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Cache-Control"] == "no-store"
        assert "Server" not in headers


def test_a_fault_of_ours_tells_nobody_how(
    scraped: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scraped.flags, "serve", lambda *_args, **_facts: 1 / 0)
    answer = client(scraped, dev=True).post("/admin/flags", json=PUT)
    assert answer.status_code == 500
    assert "ZeroDivision" not in answer.text
