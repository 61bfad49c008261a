"""Serves the API from a thread of its own, and drains it when it is told to stop."""

import logging
import socket
import struct
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from controlplane.errors import InvalidInput
from controlplane.http.app import create_app
from controlplane.http.gate import GateSettings
from controlplane.http.headers import is_loopback
from controlplane.http.hub import StreamSettings
from controlplane.http.limits import CROWDED, Limits
from controlplane.http.sse import ABORT
from controlplane.plane import ControlPlane
from events.errors import LogUnavailable

logger = logging.getLogger(__name__)

_DRAINS_SECONDS = 3
_STARTS_SECONDS = 30.0
_PATIENCE_SECONDS = 10.0
"""How long somebody who connected may take to say what they want."""
_AT_ONCE = struct.pack("ii", 1, 0)
"""Let the kernel keep nothing for a connection that is closed."""
_KEPT_FILES = 128
"""Of those that the process may open: for the database, and whatever is no connection to us."""
_BEYOND = 100
"""Connections above the most that are still told so; the next ones are closed at once."""
_MOST_HEAD = 2**17
"""Bytes of a request line and its headers, as they come: about so many."""
_STRICT = GateSettings()
_USUAL = StreamSettings()


@dataclass(frozen=True, kw_only=True)
class Listening:
    """Where the API listens, and who stands in front of it."""

    host: str = "127.0.0.1"
    port: int = 9000
    certificate: str = ""
    key: str = ""
    behind_proxy: bool = False
    trusted_proxies: str = "127.0.0.1"
    connections: int = 10_000
    """At once, as far as the process may open so many files."""

    @property
    def address(self) -> str:
        """As a URL has it, without the port."""
        scheme = "https" if self.certificate else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}"

    def check(self, *, dev: bool) -> None:
        """Raise InvalidInput where tokens would go over a network in the clear."""
        if bool(self.certificate) != bool(self.key):
            raise InvalidInput(reason="TLS takes both: a certificate and its key")
        if is_loopback(self.host):
            return
        if dev:
            raise InvalidInput(
                reason=f"--dev is open to all who reach it, so it listens on this machine only, "
                f"not at {self.host}"
            )
        if not (self.certificate or self.behind_proxy):
            raise InvalidInput(
                reason=f"at {self.host} tokens would go over the network in the clear: give "
                "--tls-certificate and --tls-key, or say --behind-proxy where one ends TLS"
            )


class PatientProtocol(HttpToolsProtocol):
    """Lets go of whoever connects and does not say what they want, or not in few words.

    Where there are too many, it says so to the next ones, but that the process is alive to all.
    """

    most = 10_000
    _late = False
    _in_head = True
    _head = 0
    _whole = True

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        super().connection_made(transport)
        self._late = len(self.connections) > self.most
        if len(self.connections) > self.most + _BEYOND:
            transport.abort()
        self._patience = self.loop.call_later(_PATIENCE_SECONDS, transport.close)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        if self._in_head:
            self._head += len(data)
            if self._head > _MOST_HEAD:
                self.transport.close()
                return
        super().data_received(data)

    def on_message_begin(self) -> None:
        """See httptools."""
        self._in_head, self._head, self._whole = True, 0, False
        self._patience.cancel()
        self._patience = self.loop.call_later(_PATIENCE_SECONDS, self.transport.close)
        super().on_message_begin()
        self.scope["extensions"] = {ABORT: {"abort": self._abort}}
        if self._late and len(self.connections) > self.most:
            self.scope["extensions"][CROWDED] = {}

    def on_message_complete(self) -> None:
        """See httptools."""
        self._whole = True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """See httptools. Who was answered before they said all has nothing more to say."""
        super().on_response_complete()
        if not self._whole:
            self.transport.close()

    def on_headers_complete(self) -> None:
        """See httptools."""
        self._in_head = False
        self._patience.cancel()
        super().on_headers_complete()

    def _abort(self) -> None:
        """Closing would wait until all that was sent is taken: for ever, by who does not read."""
        connection = self.transport.get_extra_info("socket")
        with suppress(OSError, AttributeError, ValueError):  # It is closed.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self._patience.cancel()
        super().connection_lost(exc)


def _protocol(connections: int) -> type[PatientProtocol]:
    """For so many connections at once, or as many as files may be opened."""

    class Protocol(PatientProtocol):
        most = min(connections, max(1, _most_files() - _KEPT_FILES))

    return Protocol


def _most_files() -> int:
    try:
        import resource  # noqa: PLC0415  why: there is none on Windows
    except ImportError:
        return sys.maxsize
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if most == resource.RLIM_INFINITY else most


class ApiServer:
    """The API of one plane. Port 0: any free one. Raises InvalidInput where it cannot listen."""

    def __init__(
        self,
        plane: ControlPlane,
        listening: Listening = Listening(),
        settings: GateSettings = _STRICT,
        streams: StreamSettings = _USUAL,
    ) -> None:
        listening.check(dev=settings.dev)
        self._listening = listening
        self._app = create_app(plane, settings, streams)
        self._socket = _bound(listening.host, listening.port)
        self.port: int = self._socket.getsockname()[1]
        self._server = uvicorn.Server(self._config())
        try:
            self._server.config.load()
        except (OSError, ValueError) as error:  # ssl.SSLError among them.
            self._socket.close()
            reason = f"the TLS certificate or its key cannot be used: {error}"
            raise InvalidInput(reason=reason) from error
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self._listening.address}:{self.port}"

    def start(self) -> None:
        """Serve until close(); returns once requests are answered. Raises LogUnavailable."""
        self._thread.start()
        ends = time.monotonic() + _STARTS_SECONDS
        while not self._server.started and self._thread.is_alive() and time.monotonic() < ends:
            time.sleep(0.005)
        if not self._server.started:
            raise LogUnavailable(cause="the API did not start; its log says why")

    def close(self) -> None:
        """Take nothing more on, end the streams, and let what runs finish within three seconds."""
        if self._thread.is_alive():
            self._app.state.end_streams()
            self._server.should_exit = True
            self._thread.join(_DRAINS_SECONDS + 1)
        self._socket.close()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        except Exception:
            logger.exception("the API is not served any more")

    def _config(self) -> uvicorn.Config:
        where = self._listening
        return uvicorn.Config(
            Limits(self._app),
            http=_protocol(where.connections),
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=where.behind_proxy,
            forwarded_allow_ips=where.trusted_proxies,
            timeout_graceful_shutdown=_DRAINS_SECONDS,
            ssl_certfile=where.certificate or None,
            ssl_keyfile=where.key or None,
        )


def _bound(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises InvalidInput."""
    try:
        return socket.create_server((host, port), family=_family(host), backlog=2048)
    except (OSError, OverflowError) as error:
        reason = f"the API cannot be served at {host}:{port}: {error}; choose another port"
        raise InvalidInput(reason=reason) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
