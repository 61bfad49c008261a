"""External criteria: a real server is asked, and its answer counts."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from events.timestamps import MINUTE
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
