"""A POST ends in time and goes where it was checked to go, whatever the other side does."""

import socket
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from controlplane.outgoing.destinations import Allowed, read_allowed
from controlplane.outgoing.posting import MOST_BYTES, Answer, NoAnswer, post
from tests.controlplane.servers import Receiver, certificate, dribbling, receiving

HERE = read_allowed("127.0.0.1 localhost")
BRIEF = 0.3
"""Seconds, for those that are not meant to answer."""

send = partial(post, body=b"{}", headers={}, allowed=HERE, seconds=5.0)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


def test_what_is_sent_arrives_and_what_is_answered_comes_back() -> None:
    reply = (503, {"Retry-After": "7"}, b"busy")
    with receiving(lambda _: reply) as server:
        found = post(server.url, b"body", {"X-Own": "a"}, allowed=HERE, seconds=5)
        assert found == Answer(503, "7", b"busy", is_whole=True)
        (request,) = server.requests
        assert (request.path, request.body) == ("/hook", b"body")
        assert request.headers["X-Own"] == "a"
        assert request.headers["Host"] == f"127.0.0.1:{server.server_port}"
        assert request.headers["Connection"] == "close"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_where_credentials_are_told_is_not_followed(status: int) -> None:
    with receiving() as metadata:
        reply = (status, {"Location": metadata.url}, b"")
        with receiving(lambda _: reply) as server:
            found = send(server.url)
        assert isinstance(found, Answer)
        assert (found.status, metadata.requests) == (status, [])


def test_proxies_of_the_environment_are_not_used(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.server_port}")
        assert isinstance(send(receiver.url), Answer)
        assert (len(receiver.requests), proxy.requests) == (1, [])


# Names that change


class Rebinding:
    """A name server that gives another answer each time."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.asked = list(answers), 0

    def __call__(self, _host: str, _port: int) -> list[str]:
        self.asked += 1
        return self.answers.pop(0).split()


def test_the_address_that_was_checked_is_the_one_that_is_spoken_to(receiver: Receiver) -> None:
    names = Rebinding("127.0.0.1", "169.254.169.254")
    url = receiver.url.replace("127.0.0.1", "hooks.example")
    allowed = Allowed(networks=HERE.networks, plain_http=True)
    found = send(url, allowed=allowed, resolve=names)
    assert (isinstance(found, Answer), names.asked) == (True, 1)
    assert receiver.requests[0].headers["Host"] == f"hooks.example:{receiver.server_port}"
    refused = send(url, allowed=allowed, resolve=names)
    told = "hooks.example is at 169.254.169.254, which is link-local"
    assert isinstance(refused, NoAnswer)
    assert refused.sentence.startswith(told)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("answer", ["127.0.0.1", "8.8.8.8 127.0.0.1", "::ffff:127.0.0.1"])
def test_nothing_is_sent_where_one_address_may_not_be_reached(
    receiver: Receiver, answer: str
) -> None:
    url = receiver.url.replace("127.0.0.1", "hooks.example")
    found = send(url, allowed=Allowed(plain_http=True), resolve=Rebinding(answer))
    assert isinstance(found, NoAnswer)
    assert "which is loopback" in found.sentence
    assert receiver.requests == []


def test_where_one_address_does_not_answer_the_next_is_tried(receiver: Receiver) -> None:
    url = receiver.url.replace("127.0.0.1", "localhost")
    found = send(url, resolve=Rebinding("127.0.0.2 ::1 127.0.0.1"))
    assert isinstance(found, Answer)


# TLS


def test_the_certificate_must_be_the_names_though_the_address_is_connected_to(
    tmp_path: Path,
) -> None:
    server, trusting = certificate(tmp_path, "hooks.example")
    with receiving(tls=server) as receiver:
        port, names = receiver.server_port, lambda _host, _port: ["127.0.0.1"]
        for host, is_the_one in (("hooks.example", True), ("other.example", False)):
            url = f"https://{host}:{port}/"
            found = send(url, allowed=HERE, resolve=names, tls=trusting)
            assert isinstance(found, Answer) is is_the_one, found
        found = send(f"https://127.0.0.1:{port}/", tls=trusting)
        assert isinstance(found, NoAnswer)
        assert "certificate" in found.sentence
        strangers = send(f"https://hooks.example:{port}/", resolve=names)
        assert isinstance(strangers, NoAnswer)
        assert "CERTIFICATE_VERIFY_FAILED" in strangers.sentence
        assert len(receiver.requests) == 1


# Time and size: those below never end by themselves


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"HTTP/1.0 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.0 200 OK\r\nX: ", b"y"),
        (b"", b"H"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    ],
)
def test_who_dribbles_headers_has_no_more_time_than_others(first: bytes, then: bytes) -> None:
    with dribbling(first, then) as port:
        found = send(f"http://127.0.0.1:{port}/", seconds=BRIEF)
    assert found == NoAnswer("no complete answer within 0.3 s")


@pytest.mark.parametrize(
    "headers", [b"Content-Length: 1000", b"Transfer-Encoding: chunked\r\n\r\n1000", b"X: y"]
)
def test_who_dribbles_a_body_has_said_its_status_and_nothing_more(headers: bytes) -> None:
    with dribbling(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n\r\n") as port:
        found = send(f"http://127.0.0.1:{port}/", seconds=BRIEF)
    assert isinstance(found, Answer)
    assert (found.status, found.is_whole) == (200, False)


def test_who_dribbles_a_handshake_has_no_more_time_than_others() -> None:
    with dribbling(b"\x16\x03\x03\x40\x00", b"\x00") as port:
        found = send(f"https://127.0.0.1:{port}/", seconds=BRIEF)
    assert isinstance(found, NoAnswer)


def test_who_listens_and_says_nothing_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = send(f"http://127.0.0.1:{silent.getsockname()[1]}/", seconds=BRIEF)
    assert found == NoAnswer("no complete answer within 0.3 s")


def test_who_does_not_listen_is_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        found = send(url, body=b"x" * 50_000_000, seconds=BRIEF)
    assert found == NoAnswer("no complete answer within 0.3 s")


def test_headers_without_end_are_not_read_without_end() -> None:
    with dribbling(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 100_000, every=0) as port:
        found = send(f"http://127.0.0.1:{port}/")
    assert isinstance(found, NoAnswer)
    assert "headers" in found.sentence
    again = b"HTTP/1.1 100 Continue\r\n\r\n"
    with dribbling(again, again * 10_000, every=0) as port:
        found = send(f"http://127.0.0.1:{port}/", seconds=60)
    assert isinstance(found, NoAnswer)
    assert "60 s" not in found.sentence


def test_a_name_server_that_says_nothing_is_left() -> None:
    over = threading.Event()

    def hang(_host: str, _port: int) -> list[str]:
        over.wait()
        return []

    found = send("https://hooks.example/", resolve=hang, seconds=BRIEF)
    over.set()
    assert found == NoAnswer("no complete answer within 0.3 s")


def test_of_a_long_answer_the_beginning_is_read() -> None:
    with receiving(lambda _: (200, {}, b"x" * 1_000_000)) as server:
        found = send(server.url)
    assert isinstance(found, Answer)
    assert len(found.body) == MOST_BYTES + 1


@pytest.mark.parametrize(
    "said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x00\xff" * 50_000,
             b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200],
)  # fmt: skip
def test_whatever_a_stranger_says_is_no_crash(said: bytes) -> None:
    def talk(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=talk, args=(listener,), daemon=True).start()
        found = send(f"http://127.0.0.1:{listener.getsockname()[1]}/", seconds=2)
    assert isinstance(found, NoAnswer), found


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    found = send(f"http://127.0.0.1:{port}/")
    assert isinstance(found, NoAnswer)
    assert found.sentence.startswith("not reached: ")
    assert isinstance(send("nonsense"), NoAnswer)
    assert isinstance(send("https://no.such.invalid/"), NoAnswer)
