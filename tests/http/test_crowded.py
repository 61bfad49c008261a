"""Whoever holds connections open keeps nobody from being told so, or from seeing it lives."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPMessage
from typing import NamedTuple

import pytest

from controlplane import ControlPlane
from controlplane.http import server
from controlplane.http.gate import GateSettings
from controlplane.http.server import ApiServer, Listening
from tests.client.conftest import until

MOST = 3
FLAGS = "/api/v1/flags"


@contextmanager
def crowded(plane: ControlPlane, idle: int) -> Iterator[tuple[ApiServer, list[socket.socket]]]:
    """A server for three connections, and so many who hold one and say nothing."""
    api = ApiServer(plane, Listening(port=0, connections=MOST), GateSettings(dev=True))
    api.start()
    with ExitStack() as held:
        held.callback(api.close)
        where = ("127.0.0.1", api.port)
        yield api, [held.enter_context(socket.create_connection(where, 5)) for _ in range(idle)]


class Answer(NamedTuple):
    status: int
    headers: HTTPMessage
    body: bytes


def ask(api: ApiServer, path: str) -> Answer:
    connection = HTTPConnection("127.0.0.1", api.port, timeout=5)
    connection.request("GET", path)
    answer = connection.getresponse()
    told = Answer(answer.status, answer.headers, answer.read())
    connection.close()
    return told


def test_one_too_many_is_told_so_and_may_come_again(scraped: ControlPlane) -> None:
    with crowded(scraped, MOST) as (api, idle):
        refused = ask(api, FLAGS)
        assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.headers["Connection"] == "close"
        assert b"too many connections" in refused.body
        idle.pop().close()
        until(lambda: ask(api, FLAGS).status == 200)


def test_that_it_lives_is_told_to_all(scraped: ControlPlane) -> None:
    with crowded(scraped, MOST) as (api, _):
        assert [ask(api, path).status for path in ("/livez", "/readyz")] == [200, 503]
        assert ask(api, "/livez").headers["Connection"] == "close"


def test_who_was_let_in_goes_on(scraped: ControlPlane) -> None:
    with crowded(scraped, MOST - 1) as (api, _):
        connection = HTTPConnection("127.0.0.1", api.port, timeout=5)
        for _ in "12":
            connection.request("GET", FLAGS)
            answer = connection.getresponse()
            answer.read()
            assert (answer.status, answer.headers["Connection"]) == (200, None)
            assert ask(api, FLAGS).status == 503
        connection.close()


def test_of_far_too_many_nothing_is_kept(
    scraped: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_BEYOND", 2)
    with crowded(scraped, MOST + 4) as (_, idle):
        for beyond in idle[-2:]:
            with suppress(ConnectionResetError):
                assert beyond.recv(1) == b""
        idle[0].sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 " in idle[0].recv(100)


def test_there_are_no_more_than_files_may_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    for soft, most in ((1024, 896), (100, 1), (resource.RLIM_INFINITY, 10_000)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, soft=soft: (soft, soft))
        assert server._protocol(10_000).most == most
