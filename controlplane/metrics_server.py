"""`GET /metrics`, on a port of its own."""

import logging
import threading
from collections.abc import Callable, Iterable
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

from controlplane.errors import ControlPlaneError, InvalidInput
from controlplane.plane import ControlPlane
from controlplane.scrapes import Scrapes

logger = logging.getLogger(__name__)

_StartResponse = Callable[..., Any]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128  # With the usual 5, a few who say nothing keep others waiting.

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who goes away in the middle is no news either."""
        logger.debug("%s at %s ended early", request, client_address)


class _Quiet(WSGIRequestHandler):
    timeout = 10.0
    """Seconds that somebody may take to say what they want."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  why: inherited
        """Scrapes are no news."""


class MetricsServer:
    """Serves the metrics of one control plane from a thread. Port 0: any free one.

    Raises InvalidInput where it cannot listen.
    """

    def __init__(
        self, plane: ControlPlane, host: str = "127.0.0.1", port: int = 9090, *, legacy: bool = True
    ) -> None:
        self._scrapes = Scrapes(plane, legacy=legacy)
        self._exposition = make_wsgi_app(self._scrapes.registry)
        try:
            self._server = make_server(host, port, self._answer, _Server, _Quiet)
        except (OSError, OverflowError) as error:
            reason = f"metrics cannot be served at {host}:{port}: {error}; choose another port"
            raise InvalidInput(reason=reason) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="metrics", daemon=True
        )

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_port)

    def start(self) -> None:
        """Serve until close()."""
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        if self._thread.is_alive():  # Else shutdown() would wait for ever.
            self._server.shutdown()
        self._server.server_close()

    def _answer(self, environ: dict[str, Any], start_response: _StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/metrics":
            return _plain(start_response, HTTPStatus.NOT_FOUND, "Metrics are at /metrics.")
        try:
            if (text := self._scrapes.refusal()) is not None:
                return _plain(start_response, HTTPStatus.SERVICE_UNAVAILABLE, text)
            answer: Iterable[bytes] = self._exposition(environ, start_response)
        except ControlPlaneError as error:
            return _plain(start_response, HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        except Exception:
            logger.exception("the metrics could not be collected")
            text = "The metrics could not be collected; the log of the server says why."
            return _plain(start_response, HTTPStatus.INTERNAL_SERVER_ERROR, text)
        return answer


def _plain(start_response: _StartResponse, status: HTTPStatus, text: str) -> Iterable[bytes]:
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Retry-After", "5")]
    start_response(f"{status.value} {status.phrase}", headers)
    return [text.encode() + b"\n"]
