"""External criteria: a real server is asked, and its answer counts."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from controlplane.outgoing.asking import ask
from controlplane.outgoing.wiring import asks
from controlplane.settings import load
from events.timestamps import MINUTE
from tests.controlplane.servers import dribbling
from tests.journeys.traffic import ENGINEER, FLAG, Rolling, Service, plan, types

GUARD = {"kind": "rate_below", "bound": 0.05}


class Oracle(BaseHTTPRequestHandler):
    asked: ClassVar[list[Any]] = []
    answers: ClassVar[list[tuple[int, Any]]] = []

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.asked.append(json.loads(self.rfile.read(length)))
        status, body = self.answers.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode() if body is not None else b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def oracle() -> Iterator[str]:
    Oracle.asked, Oracle.answers = [], []
    server = HTTPServer(("127.0.0.1", 0), Oracle)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/check"
    server.shutdown()
    thread.join()
    server.server_close()


def test_something_outside_is_asked_and_its_answer_counts(service: Service, oracle: str) -> None:
    outside = {"kind": "external", "name": "smoke test", "url": oracle}
    wanted = plan(criteria=[GUARD, outside])
    rolling = Rolling(service, service.plane.rollouts.start(wanted, flag=FLAG, actor=ENGINEER).id)
    rollouts = rolling.plane.rollouts
    Oracle.answers += [(503, None), (202, None), (200, {"verdict": "PASS", "detail": "12 of 12"})]
    for verdict in ("ERROR", "INCONCLUSIVE", "PASS"):
        assert rollouts.ask_due() == 1
        assert rollouts.ask_due() == 0, "asked again too soon"
        look = rollouts.status(rolling.id).assessment
        assert look is not None
        assert {j.criterion: j.verdict for j in look.judgements}["smoke test"] == verdict
        service.clock.advance(6 * MINUTE)
    assert Oracle.asked[0]["rollout"] == rolling.id
    service.clock.advance(30 * MINUTE)
    service.runs(200, over=45 * MINUTE)
    Oracle.answers += [(200, {"verdict": "FAIL", "detail": "3 of 12"})]
    rollouts.ask_due()
    rollouts.evaluate_all()
    assert (rolling.now.state, rolling.now.holds[0].kind) == ("holding", "criterion")
    assert "3 of 12" in rolling.now.reason
    assert len(types(service.plane, type="rollout.criterion_answered")) == 4


@pytest.mark.parametrize(
    ("status", "body", "verdict"),
    [
        (200, {"verdict": "FAIL", "detail": "3 of 12"}, "FAIL"),
        (204, None, "PASS"),
        (202, None, "INCONCLUSIVE"),
        (200, None, "ERROR"),
        (200, {"status": "failed"}, "ERROR"),
        (200, [{"verdict": "PASS"}], "ERROR"),
        (200, "<html>please log in</html>", "ERROR"),
        (200, {"verdict": "pass"}, "ERROR"),
        (200, {"verdict": "FAIL", "detail": "x" * 70_000}, "ERROR"),
        (302, None, "ERROR"),
        (500, {"verdict": "PASS"}, "ERROR"),
    ],
)
def test_only_an_answer_that_says_so_is_a_pass(
    oracle: str, status: int, body: Any, verdict: str
) -> None:
    Oracle.answers.append((status, body))
    assert ask(oracle, {}, 5)[0] == verdict


def test_what_is_not_there_is_an_error() -> None:
    verdict, detail = ask("http://127.0.0.1:1/", {}, 1)
    assert (verdict, detail[:12]) == ("ERROR", "not reached:")


@pytest.mark.parametrize(
    "first", [b"HTTP/1.0 200 OK\r\nContent-Length: 1000\r\n\r\n", b"HTTP/1.0 200 OK\r\nX: ", b""]
)
def test_who_sends_a_byte_now_and_then_has_no_more_time_than_others(first: bytes) -> None:
    with dribbling(first) as port:
        found = ask(f"http://127.0.0.1:{port}/", {}, 0.3)
    assert found == ("ERROR", "no complete answer within 0.3 s")


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://[fd00:ec2::254]/",
        "http://0.0.0.0:9000/",
        "http://2130706433/",
    ],
)
def test_where_credentials_are_told_nobody_asks(url: str) -> None:
    verdict, detail = ask(url, {}, 1)
    assert verdict == "ERROR"
    assert "not reached" not in detail


def test_it_may_be_kept_from_asking_within_the_walls(
    oracle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTROLPLANE_PRIVATE_CRITERIA", "false")
    verdict, detail = asks(load())(oracle, {}, 1)
    assert (verdict, detail[:32]) == ("ERROR", "127.0.0.1 is loopback: allow it ")
    monkeypatch.setenv("CONTROLPLANE_ALLOWED_DESTINATIONS", "127.0.0.0/8")
    Oracle.answers.append((204, None))
    assert asks(load())(oracle, {}, 5) == ("PASS", "")
