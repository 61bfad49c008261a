"""A POST to what stands outside: bounded in time and size, to an address that was checked."""

import io
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from controlplane.errors import ControlPlaneError
from controlplane.outgoing.destinations import (
    Allowed,
    Destination,
    Resolve,
    addresses,
    destination,
    look_up,
)

MOST_BYTES = 65_536
"""Of an answer's body, so much is read."""
_MOST_WORDS = 500
_PIECE = 16_384


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    retry_after: str
    body: bytes
    """One byte more than MOST_BYTES where there was more."""
    is_whole: bool
    """Whether all of it, or MOST_BYTES of it, came in time."""


@dataclass(frozen=True)
class NoAnswer:
    """Why nothing came back."""

    sentence: str


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allowed: Allowed,
    seconds: float,
    resolve: Resolve = look_up,
    tls: ssl.SSLContext | None = None,
) -> Answer | NoAnswer:
    """POST once, and be done after so many seconds, whatever the other side does. Never raises.

    No redirect is followed, and no proxy of the environment is used: only the address that was
    checked is spoken to.
    """
    ends = monotonic() + seconds
    try:
        there = destination(url, allowed)
        found = _found(there, allowed, resolve, ends)
        with _connected(there, found, ends, tls) as connection:
            return _exchange(connection, there, body, headers, ends)
    except TimeoutError:
        return NoAnswer(f"no complete answer within {seconds:g} s")
    except ControlPlaneError as error:
        return NoAnswer(str(error)[:_MOST_WORDS])
    except Exception as error:  # noqa: BLE001  why: whatever a stranger sends, the others go on
        return NoAnswer(f"not reached: {error}"[:_MOST_WORDS])


def _left(ends: float) -> float:
    left = ends - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _found(there: Destination, allowed: Allowed, resolve: Resolve, ends: float) -> list[str]:
    """The addresses, in time: a name server that is silent cannot be interrupted, only left."""
    answers: SimpleQueue[list[str] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(addresses(there, allowed, resolve))
        except Exception as error:  # noqa: BLE001  why: raised again by who waits
            answers.put(error)

    Thread(target=ask, name=f"look up {there.host}", daemon=True).start()
    try:
        found = answers.get(timeout=_left(ends))
    except Empty:
        raise TimeoutError from None
    if isinstance(found, Exception):
        raise found
    return found


def _connected(
    there: Destination, found: list[str], ends: float, tls: ssl.SSLContext | None
) -> socket.socket:
    """A connection to the first address that answers; each has its share of the time."""
    failure: OSError = OSError("it has no address")
    for number, address in enumerate(found):
        share = _left(ends) / (len(found) - number)
        try:
            connection = socket.create_connection((address, there.port), timeout=share)
        except OSError as error:
            failure = error
            continue
        if there.scheme == "http":
            return connection
        connection.settimeout(_left(ends))
        # The certificate must be the name's, though the address is what was connected to.
        return (tls or _trusted()).wrap_socket(connection, server_hostname=there.host)
    raise failure


@cache
def _trusted() -> ssl.SSLContext:
    """Those whom this machine trusts, and SSL_CERT_FILE. Reading them takes a while."""
    return ssl.create_default_context()


class _Timed(io.RawIOBase):
    """What a connection says until a moment, and not without end.

    A socket's own limit is for each read: who sends a byte now and then has none.
    """

    def __init__(self, connection: socket.socket, ends: float) -> None:
        self._connection, self._ends = connection, ends
        self._most = 2 * MOST_BYTES  # As much for the headers as for the body.

    def readable(self) -> bool:
        """See io.RawIOBase."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # why: all that is passed in
        """See io.RawIOBase."""
        if not self._most:
            return 0
        self._connection.settimeout(_left(self._ends))
        count = self._connection.recv_into(buffer, min(len(buffer), self._most))
        self._most -= count
        return count


def _exchange(
    connection: socket.socket,
    there: Destination,
    body: bytes,
    headers: Mapping[str, str],
    ends: float,
) -> Answer:
    request = HTTPConnection(there.host, there.port)
    request.sock = connection
    usual = {"Host": there.authority, "User-Agent": "rollout-controlplane", "Connection": "close"}
    length = {"Content-Length": str(len(body))}
    request.putrequest("POST", there.target, skip_host=True, skip_accept_encoding=True)
    for name, value in {**usual, **headers, **length}.items():
        request.putheader(name, value)
    connection.settimeout(_left(ends))
    request.endheaders()
    unsent = memoryview(body)
    while unsent:
        connection.settimeout(_left(ends))
        unsent = unsent[connection.send(unsent[:_PIECE]) :]
    response = HTTPResponse(connection, method="POST")
    response.fp = io.BufferedReader(_Timed(connection, ends))
    response.begin()
    try:
        said, is_whole = response.read(MOST_BYTES + 1), True
    except (OSError, HTTPException):
        said, is_whole = b"", False
    return Answer(response.status, response.headers.get("Retry-After", ""), said, is_whole)
