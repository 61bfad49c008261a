"""Real servers on this host: those that answer, and those that only pretend to."""

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)


Reply = int | tuple[int, dict[str, str], bytes] | None
"""A status; with headers and a body; None: the connection ends without a word."""


class Receiver(ThreadingHTTPServer):
    """Answers POSTs as `answer` says, and keeps them. To be had by TLS where a context is given."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, answer: Callable[[Request], Reply], tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.requests: list[Request] = []
        self._tls = tls

    @property
    def url(self) -> str:
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self.server_port}/hook"

    def get_request(self) -> Any:
        connection, address = super().get_request()
        if self._tls:
            connection = self._tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        request = Request(self.path, dict(self.headers.items()), self.rfile.read(length))
        self.server.requests.append(request)
        reply = self.server.answer(request)
        if reply is None:
            self.close_connection = True
            return
        status, headers, body = (reply, {}, b"") if isinstance(reply, int) else reply
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def receiving(
    answer: Callable[[Request], Reply] = lambda _: 204, tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    server = Receiver(answer, tls)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def dribbling(first: bytes, then: bytes = b" ", every: float = 0.05) -> Iterator[int]:
    """Says something at once, and then a little now and then, for ever; its port."""
    over = threading.Event()

    def talk(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65_536)
            connection.sendall(first)
            while not over.wait(every):
                connection.sendall(then)

    def listen(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=listen, args=(listener,), daemon=True).start()
        yield listener.getsockname()[1]
        over.set()


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Of a server of this name: what it presents, and who trusts nothing else."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl makes the certificate")
    key, certificate_ = folder / f"{name}.key", folder / f"{name}.pem"
    words = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name}".split()
    files = ["-keyout", str(key), "-out", str(certificate_)]
    alternative = ["-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run([openssl, *words, *files, *alternative], check=True, capture_output=True)  # noqa: S603  why: our own words
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate_, key)
    return server, ssl.create_default_context(cafile=str(certificate_))
