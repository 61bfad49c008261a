"""A server that listens, and clients of its streams that read like any other would."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Any, NamedTuple, Protocol, Self

from controlplane import ControlPlane
from controlplane.http.gate import GateSettings
from controlplane.http.hub import Hubs, StreamSettings
from controlplane.http.server import ApiServer, Listening

OPEN = GateSettings(dev=True)


class Message(NamedTuple):
    event: str
    id: int
    data: Any


@contextmanager
def listening(
    plane: ControlPlane, gate: GateSettings = OPEN, *, port: int = 0, **streams: float
) -> Iterator[ApiServer]:
    """A server that is gone in the end."""
    server = ApiServer(plane, Listening(port=port), gate, StreamSettings(**streams))
    server.start()
    try:
        yield server
    finally:
        server.close()


def hubs_of(server: ApiServer) -> Hubs:
    hubs: Hubs = server._app.state.hubs
    return hubs


class HasPort(Protocol):
    port: int


class Listener:
    """Reads a stream as the HTML standard has it; comments are kept aside."""

    def __init__(
        self, server: "HasPort", path: str, *, last: int | str | None = None, token: str = ""
    ) -> None:
        self._connection = HTTPConnection("127.0.0.1", server.port, timeout=20)
        headers = {"Accept": "text/event-stream"}
        if last is not None:
            headers["Last-Event-ID"] = str(last)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        self._connection.request("GET", path, headers=headers)
        self.response = self._connection.getresponse()
        self.status = self.response.status
        self.retry = 0
        self.comments = 0
        self.last = last

    def __iter__(self) -> Iterator[Message]:
        """Until the server ends it."""
        event, id_, data = "message", 0, b""
        while line := self.response.readline():
            name, _, value = line.rstrip(b"\n").partition(b": ")
            if not line.strip():
                if data:
                    self.last = id_
                    yield Message(event, id_, json.loads(data))
                event, id_, data = "message", 0, b""
            elif name == b"event":
                event = value.decode()
            elif name == b"id":
                id_ = int(value)
            elif name == b"data":
                assert not data, "an event has one line of data"
                data = value
            elif name == b"retry":
                self.retry = int(value)
            else:
                assert line == b":\n", line
                self.comments += 1

    def take(self, count: int, event: str = "") -> list[Message]:
        """The next so many messages, of an event's name if one is given."""
        found: list[Message] = []
        for message in self:
            if event in ("", message.event):
                found.append(message)
            if len(found) == count:
                break
        return found

    def problem(self) -> dict[str, Any]:
        """What it was refused with."""
        assert self.response.headers["Content-Type"] == "application/problem+json"
        found: dict[str, Any] = json.loads(self.response.read())
        return found

    def close(self) -> None:
        self.response.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def ids(messages: list[Message]) -> list[int]:
    return [message.id for message in messages]
