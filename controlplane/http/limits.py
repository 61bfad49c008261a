"""What reaches the application at all: bodies within bounds, unpacked; and what every answer says.

Plain ASGI: it must cost nothing where a thousand streams go through.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

from controlplane.access_errors import BodyTooLarge, BodyTooSlow, BodyUnreadable
from controlplane.http import problems

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MEBIBYTE = 1024 * 1024
_BODY_SECONDS = 30.0
"""How long the next part of a body may take."""
_WHOLE_BODY_SECONDS = 120.0
"""How long all of it may take."""
CROWDED = "controlplane.crowded"
"""The extension that says: there are more connections already than may be."""
_RETRY_SECONDS = 5
_ALIVE = "/livez"
_INGEST = "/api/v1/executions"
_FORM = "application/x-www-form-urlencoded"
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


@dataclass(frozen=True, kw_only=True)
class BodyLimits:
    """In bytes, unpacked."""

    command: int = MEBIBYTE
    ingest: int = 16 * MEBIBYTE


class Limits:
    """Wraps an application: bodies that are too large never reach it."""

    def __init__(self, application: Application, limits: BodyLimits = BodyLimits()) -> None:
        self._application = application
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        headers = Headers(scope=scope)
        most = self._limits.ingest if scope["path"] == _INGEST else self._limits.command
        crowded = CROWDED in scope.get("extensions", {})
        send = _with_headers(send, closing=crowded)
        refusal = _refused(headers, most)
        if crowded and scope["path"] != _ALIVE:
            refusal = _crowded()
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        packed = headers.get("content-encoding", "identity").lower() == "gzip"
        if headers.get("content-type", "").startswith(_FORM):
            scope = {**scope, "headers": _as_json(scope["headers"])}
        unpacker = zlib.decompressobj(wbits=31) if packed else None
        await self._application(scope, _Body(receive, most, unpacker), send)


def _as_json(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """`curl -d` says that its body is a form. No route takes one; all take JSON."""
    kept = [pair for pair in headers if pair[0] != b"content-type"]
    return [*kept, (b"content-type", b"application/json")]


def _crowded() -> Response:
    detail = f"There are too many connections. Try again in {_RETRY_SECONDS} s"
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return problems.answer("Crowded", status, detail, headers={"Retry-After": str(_RETRY_SECONDS)})


def _refused(headers: Headers, most: int) -> Response | None:
    """The answer to what need not be read to be refused."""
    encoding = headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):
        detail = f"The encoding {encoding[:50]!r} is not known; send gzip, or the body as it is"
        return problems.answer("UnsupportedEncoding", HTTPStatus.UNSUPPORTED_MEDIA_TYPE, detail)
    length = headers.get("content-length", "0")
    if length.isdigit() and int(length[:18]) > most:
        return problems.problem(BodyTooLarge(most=most))
    return None


@dataclass
class _Body:
    """Receives for the application: counts, unpacks, and stops in time.

    Raises BodyTooLarge, BodyUnreadable, BodyTooSlow to whoever reads: the gate makes answers of
    them.
    """

    receive: Receive
    most: int
    unpacker: Any
    seen: int = 0
    complete: bool = False
    ends: float = 0.0

    async def __call__(self) -> Message:
        if self.complete:  # What is waited for now is that somebody goes away.
            return await self.receive()
        try:
            now = asyncio.get_running_loop().time()
            self.ends = self.ends or now + _WHOLE_BODY_SECONDS
            async with asyncio.timeout_at(min(self.ends, now + _BODY_SECONDS)):
                message = await self.receive()
        except TimeoutError:
            raise BodyTooSlow(seconds=_BODY_SECONDS) from None
        self.complete = not message.get("more_body", False)
        if message["type"] != "http.request":
            return message
        data = message.get("body", b"")
        if self.unpacker is not None:
            data = self._unpacked(data, last=self.complete)
        self.seen += len(data)
        if self.seen > self.most:
            raise BodyTooLarge(most=self.most)
        return {**message, "body": data}

    def _unpacked(self, data: bytes, *, last: bool) -> bytes:
        try:
            # One byte more than is left tells that there is more, and a bomb goes no further.
            unpacked: bytes = self.unpacker.decompress(data, self.most - self.seen + 1)
        except zlib.error as error:
            raise BodyUnreadable(reason=f"it is not gzip: {error}") from error
        if self.unpacker.unused_data:
            raise BodyUnreadable(reason="there is more after its end")
        if last and not self.unpacker.eof and self.seen + len(unpacked) <= self.most:
            raise BodyUnreadable(reason="it ends too early")
        return unpacked


def _with_headers(send: Send, *, closing: bool) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _ALWAYS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
            if closing:
                headers["Connection"] = "close"
        await send(message)

    return sending
