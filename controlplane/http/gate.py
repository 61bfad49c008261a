"""In front of every route: who asks is known, permitted and within limits, or is not answered.

Whatever changes something is recorded: accepted, in one transaction with what it led to; denied,
with the reason, within limits of its own.
"""

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool

from controlplane.access_errors import (
    NotAuthenticated,
    NotPermitted,
    TooManyRequests,
)
from controlplane.allowance import Allowances
from controlplane.errors import ControlPlaneError, FlagNotFound, InvalidInput
from controlplane.http import problems
from controlplane.http.policy import POLICY, Rule, flag_of, stream_of
from controlplane.http.turns import Turns
from controlplane.permissions import PERMISSIONS
from controlplane.plane import ControlPlane
from controlplane.plane.tokens import Caller
from controlplane.requests import Request as Asked
from controlplane.requests import requested
from controlplane.tokens import without_tokens
from events.access import CommandDenied
from events.event import Actor

logger = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]
_STRANGER = Actor.system("stranger")
_LONGEST_KEY = 255
_MUCH = 2**16
_LIGHT_SHARE = 0.1
"""What counts for a request that is answered from memory."""


@dataclass(frozen=True, kw_only=True)
class GateSettings:
    """What the gate holds requests to."""

    dev: bool = False
    """Open to everybody on this machine."""
    requests_per_second: float = 200.0
    burst: float = 1000.0
    attempts_per_second: float = 1.0
    """Failed attempts to say who one is, from one address."""
    attempts_burst: float = 30.0
    streams_per_token: int = 2000


class Gate:
    """Answers for one plane."""

    def __init__(
        self,
        plane: ControlPlane,
        settings: GateSettings = GateSettings(),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plane = plane
        self._settings = settings
        self._monotonic = monotonic
        self._requests = Allowances(settings.requests_per_second, settings.burst)
        self._attempts = Allowances(settings.attempts_per_second, settings.attempts_burst)
        self._turns = Turns()

    async def answer(self, name: str, request: Request, handler: Handler) -> Response:
        """Let a request through to its handler, or say why not."""
        rule = POLICY.get(name)
        caller = Caller(_STRANGER, frozenset())
        try:
            if rule is not None and rule.permission is None:
                return await handler(request)
            caller = await self._caller(request, rule)
            self._permit(rule, caller, name, request)
            request.state.caller = caller
            if rule is not None and (rule.light or rule.long):
                await self._read(request, caller)
            if rule is not None and rule.light:
                return await handler(request)
            # Before the body is read: what is unpacked must not pile up.
            async with self._turns.taken(caller.token, long=rule is not None and rule.long):
                await self._read(request, caller)
                if rule is None or not rule.command:
                    return await handler(request)
                return await self._command(name, request, caller, handler)
        except RequestValidationError as error:
            return problems.invalid(error)
        except RecursionError:
            detail = "The body is nested too deeply to be read"
            return problems.answer("InvalidRequest", HTTPStatus.BAD_REQUEST, detail)
        except ControlPlaneError as error:
            if (rule is not None and rule.command) or isinstance(error, NotAuthenticated):
                await self._denied(name, request, caller, error)
            return problems.problem(error)

    async def _read(self, request: Request, caller: Caller) -> None:
        """Have the whole body. Raises NotAuthenticated where the token ended while it came."""
        body = await request.body()
        tokens, now = self._plane.access.snapshot, self._plane.clock()
        if caller.token and not tokens.opens(caller.token, now):
            raise NotAuthenticated(reason="The token was revoked, or expired, while the body came")
        sent = f"{request.url.query}\n".encode() + body
        if len(sent) > _MUCH:  # Searched elsewhere: it must not hold up others.
            await run_in_threadpool(_refuse_tokens, sent)
        else:
            _refuse_tokens(sent)

    async def _caller(self, request: Request, rule: Rule | None) -> Caller:
        """Who asks. Raises NotAuthenticated, TooManyRequests."""
        now, address = self._monotonic(), address_of(request)
        if self._settings.dev:
            return _of_this_machine(request)
        try:
            text = _token_in(request)
            tokens = self._plane.access.snapshot
            if tokens.stale:  # Then the database is asked, which must not hold up others.
                await run_in_threadpool(tokens.refresh)
            caller = self._plane.access.authenticate(text)
        except NotAuthenticated:
            if waits := self._attempts.take(address, now):
                raise _too_many("attempts to say who asks", waits) from None
            raise
        share = _LIGHT_SHARE if rule is not None and rule.light else 1.0
        if waits := self._requests.take(caller.token, now, share):
            raise _too_many(f"requests by token {caller.token}", waits)
        return caller

    def _permit(self, rule: Rule | None, caller: Caller, name: str, request: Request) -> None:
        if rule is None or not _permits(rule, caller):
            raise NotPermitted(
                actor=caller.actor.id,
                roles=", ".join(caller.roles),
                permission=(rule.permission if rule else None) or name,
            )
        flag = flag_of(request.path_params)
        if not caller.flags or rule.lists:
            return
        if flag is None:
            wanted = f"{rule.permission} of all flags, only of {', '.join(caller.flags)}"
            roles = ", ".join(caller.roles)
            raise NotPermitted(actor=caller.actor.id, roles=roles, permission=wanted)
        if not caller.sees(flag):  # To this caller there is none.
            raise FlagNotFound(flag=flag)

    async def _command(
        self, name: str, request: Request, caller: Caller, handler: Handler
    ) -> Response:
        asked = Asked(
            command=name,
            method=request.method,
            path=without_tokens(request.url.path),
            token=caller.token,
            address=address_of(request),
            owner=caller.actor.id,
            fingerprint=await _fingerprint(request),
            key=_key(request),
            expects=_expected(request),
            about=stream_of(request.path_params) or "",
        )
        if asked.expects is not None and not asked.about:
            raise InvalidInput(reason="this has no version that If-Match could speak of")
        if asked.key:  # Of another command: refused before anything is done.
            await run_in_threadpool(asked.refuse_other, self._plane.log)
        with requested(asked):
            response = await handler(request)
            if response.status_code < HTTPStatus.BAD_REQUEST and not asked.recorded:
                # It changed nothing in the log, and was done all the same.
                await run_in_threadpool(self._plane.access.note, caller.actor)
        if asked.replayed:
            response.headers["Idempotency-Replayed"] = "true"
        return response

    async def _denied(
        self, name: str, request: Request, caller: Caller, error: ControlPlaneError
    ) -> None:
        denied = CommandDenied(
            command=name,
            method=request.method,
            path=without_tokens(request.url.path)[:500],
            token=caller.token,
            address=address_of(request),
            status=error.status.value,
            problem=type(error).__name__,
            reason=without_tokens(str(error))[:2000],
        )
        await run_in_threadpool(self._plane.access.denials.record, denied, caller.actor)


def _permits(rule: Rule, caller: Caller) -> bool:
    if rule.permission is None:
        return False  # What asks for nothing was answered before anybody was asked for.
    return rule.permission == "known" or caller.may(rule.permission)


def address_of(request: Request) -> str:
    """Where a request comes from, as the server sees it."""
    return request.client.host if request.client else "unknown"


def _token_in(request: Request) -> str:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and given.strip():
        return given.strip()
    if key := request.headers.get("X-API-Key"):
        return key
    raise NotAuthenticated(reason="Nobody said who asks")


def _of_this_machine(request: Request) -> Caller:
    """Whoever asks where all is open: programs of this machine, not pages in its browser.

    A page from elsewhere can make a browser send requests here, under a name of its own too.
    """
    host = _host(f"//{request.headers.get('Host', '')}")
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "none")
    if not is_loopback(host):
        raise NotAuthenticated(reason=f"With --dev only this machine is answered, not as {host!r}")
    if site not in ("none", "same-origin") or (
        origin is not None and origin.partition("//")[2] != request.headers.get("Host")
    ):
        raise NotAuthenticated(reason="With --dev no page from elsewhere is answered")
    name = request.headers.get("X-Actor", "").strip()[:200] or "dev"
    return Caller(Actor.person(name), frozenset(PERMISSIONS), roles=("admin",))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    if host.lower() in ("localhost", "localhost.") or host.lower().endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse_tokens(body: bytes) -> None:
    """Raise InvalidInput where somebody pasted a token: what the log has, it has for ever."""
    if without_tokens(text := body.decode(errors="replace")) != text:
        raise InvalidInput(
            reason="there is a token in what was sent; if it is a real one, revoke it"
        )


async def _fingerprint(request: Request) -> str:
    """What was asked, so that a key used for another command is noticed."""
    body = await request.body()
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return sha256(asked + body).hexdigest()


def _key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > _LONGEST_KEY:
        raise InvalidInput(reason=f"an Idempotency-Key has at most {_LONGEST_KEY} characters")
    return key


def _expected(request: Request) -> int | None:
    given = request.headers.get("If-Match")
    if given is None:
        return None
    version = given.strip().strip('"')
    if not (version.isascii() and version.isdigit()) or len(version) > 18:  # noqa: PLR2004  why: digits of 2^63
        raise InvalidInput(reason='If-Match takes the ETag of what was read, as in "7"')
    return int(version)


def _too_many(what: str, waits: float) -> TooManyRequests:
    return TooManyRequests(reason=f"Too many {what}", retry_after=max(1, round(waits + 0.5)))
