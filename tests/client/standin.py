"""A server that speaks the client's two endpoints over a control plane, and fails on demand."""

import gzip
import json
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self

import msgspec

from controlplane import ControlPlane

Fault = Callable[["Handler", list[bytes]], None]
"""Answers a batch otherwise than it should be."""


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "StandIn"

    def log_message(self, *_args: Any) -> None:
        """Requests are no news."""

    def do_GET(self) -> None:
        self.server.asked.append(dict(self.headers))
        if self.server.refuses:
            self.answer(self.server.refuses, {})
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self.server.streams.add(self)
        with suppress(OSError):
            self.stream()
        self.server.streams.discard(self)

    def stream(self) -> None:
        plane = self.server.plane
        last = self.headers.get("Last-Event-ID", "")
        position = plane.head().position
        if last and int(last) <= position:
            position = int(last)
        else:
            self.snapshot()
        spoke = monotonic()
        while not self.server.stopping:
            events = plane.events(type="flag.*", after=position, limit=1000)
            for name in dict.fromkeys(event.event.flag for event in events):  # type: ignore[attr-defined]  # why: each is about a flag
                flag = plane.flags.get(name)
                self.tell("flag", msgspec.json.encode(flag), flag.position)
            position = events[-1].position if events else position
            if events or monotonic() - spoke > 0.05:
                spoke = monotonic()
                self.wfile.write(b": here\n\n")
            sleep(0.005)

    def snapshot(self) -> None:
        plane = self.server.plane
        position = plane.head().position
        flags = [msgspec.Raw(msgspec.json.encode(flag)) for flag in plane.flags.all()]
        whole = {"environment": plane.environment, "position": position, "flags": flags}
        self.tell("snapshot", msgspec.json.encode(whole), position)

    def tell(self, event: str, data: bytes, position: int) -> None:
        self.wfile.write(b"id: %d\nevent: %s\ndata: %s\n\n" % (position, event.encode(), data))
        self.wfile.flush()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Type"] == "application/x-ndjson"
        assert self.headers["Content-Encoding"] == "gzip"
        lines = gzip.decompress(body).splitlines()
        self.server.batches.append(len(lines))
        fault = self.server.faults.popleft() if self.server.faults else self.server.always
        if fault is None:
            self.answer(200, self.record(lines))
        else:
            fault(self, lines)

    def record(self, lines: list[bytes]) -> dict[str, Any]:
        recorded = self.server.plane.executions.record([json.loads(line) for line in lines])
        return {
            "accepted": recorded.accepted,
            "duplicates": recorded.duplicates,
            "refused": [{"index": r.index, "reason": r.reason} for r in recorded.refused],
            "position": recorded.position,
        }

    def answer(self, status: int, body: Any, **headers: str) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()


class StandIn(ThreadingHTTPServer):
    """On a free port of this machine, until it is stopped."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, plane: ControlPlane, port: int = 0) -> None:
        self.plane = plane
        self.faults: deque[Fault] = deque()
        self.always: Fault | None = None
        self.refuses = 0
        self.stopping = False
        self.asked: list[dict[str, str]] = []
        self.batches: list[int] = []
        self.streams: set[Handler] = set()
        super().__init__(("127.0.0.1", port), Handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_args: Any) -> None:
        """Who goes away in the middle is no news."""

    def cut(self) -> None:
        """End every stream that is open, as a proxy might."""
        for handler in list(self.streams):
            with suppress(OSError):
                handler.connection.shutdown(2)

    def stop(self) -> None:
        self.stopping = True
        self.shutdown()
        self.server_close()
        self.cut()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def answers(status: int, **headers: str) -> Fault:
    """Refuse a batch with a status."""
    return lambda handler, _lines: handler.answer(status, {"detail": "on demand"}, **headers)


def hangs_up(handler: Handler, _lines: list[bytes]) -> None:
    """No answer, and nothing recorded."""
    handler.hang_up()


def loses_the_answer(handler: Handler, lines: list[bytes]) -> None:
    """Recorded, but nobody hears of it."""
    handler.record(lines)
    handler.hang_up()


def says_anything(handler: Handler, _lines: list[bytes]) -> None:
    """As the login page of a hotel would."""
    handler.answer(200, {"welcome": "please log in"})


def takes_at_most(count: int) -> Fault:
    """A body of more lines is too large."""

    def fault(handler: Handler, lines: list[bytes]) -> None:
        if len(lines) > count:
            handler.answer(413, {})
        else:
            handler.answer(200, handler.record(lines))

    return fault


def chokes_on(word: bytes, status: int = 400) -> Fault:
    """One line spoils the batch it is in."""

    def fault(handler: Handler, lines: list[bytes]) -> None:
        if any(word in line for line in lines):
            handler.answer(status, {})
        else:
            handler.answer(200, handler.record(lines))

    return fault
