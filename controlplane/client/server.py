"""The two requests that the client makes of a server."""

import gzip
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import urllib3
from urllib3 import BaseHTTPResponse, PoolManager, Timeout

CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 45.0
"""The server says something every 15 seconds, if only that it is there."""
ANSWER_SECONDS = 30.0
_SOME = 300

Http = Callable[[], PoolManager]
"""Makes what carries the requests: certificates and proxies are its business."""


class Server:
    """A control plane at an address. Raises ValueError for no address, or a token that is none."""

    def __init__(self, url: str, token: str = "", http: Http = PoolManager) -> None:
        parts = urlsplit(url)
        port = parts.port  # Raises where it is no number.
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise ValueError(
                f"{url!r} is no address of a server: https://HOST, or http://HOST:PORT"
            )
        if parts.username is not None:
            raise ValueError("the address holds a name or a password; give a token instead")
        if not (token.isascii() and token.isprintable()):
            raise ValueError("the token holds characters that no token has")
        self.url = url.rstrip("/")
        self._place = "".join(c if c.isalnum() or c in ".-" else "_" for c in parts.netloc)
        self._headers = {"User-Agent": "rollout-controlplane-client"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._http = http
        self.forget_parent()

    def folder_in(self, directory: Path) -> Path:
        """Where what is this server's is kept: what was told to one is never sent to another."""
        return directory / f"{self._place}-{sha256(self.url.encode()).hexdigest()[:8]}"

    def forget_parent(self) -> None:
        """In a forked child: the connections are the parent's."""
        # Apart, so that two threads share nothing.
        self._streams, self._posts = self._http(), self._http()

    def flags(self, last_id: str) -> BaseHTTPResponse:
        """The stream of flags, from after `last_id`, or whole. Raises HTTPError, OSError."""
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-cache"}
        if last_id:
            headers["Last-Event-ID"] = last_id
        return self._streams.request(
            "GET",
            f"{self.url}/api/v1/stream/flags",
            headers=self._headers | headers,
            timeout=Timeout(connect=CONNECT_SECONDS, read=SILENCE_SECONDS),
            preload_content=False,
            retries=False,
            redirect=False,  # The token is for this server.
        )

    def executions(self, lines: Sequence[bytes]) -> BaseHTTPResponse:
        """Post a batch, one execution a line. Raises HTTPError, OSError."""
        headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
        body = b"\n".join(lines) + b"\n"
        return self._posts.request(
            "POST",
            f"{self.url}/api/v1/executions",
            body=gzip.compress(body, 5, mtime=0),
            headers=self._headers | headers,
            timeout=Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS),
            retries=False,
            redirect=False,
        )


class _Problem(msgspec.Struct):
    """Of RFC 9457, what is for people."""

    detail: str


def said(body: bytes) -> str:
    """Why a request was refused, in the server's words."""
    try:
        return msgspec.json.decode(body, type=_Problem).detail
    except msgspec.DecodeError:
        return body[:_SOME].decode("utf-8", "replace")


def retry_after(response: BaseHTTPResponse) -> float | None:
    """Seconds after which the server wants to be asked again; None where it does not say."""
    told = response.headers.get("Retry-After")
    try:
        return None if told is None else urllib3.Retry().parse_retry_after(told)
    except urllib3.exceptions.InvalidHeader:
        return None
