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
from controlplane.http.aside import Aside
from controlplane.http.headers import (
    address_of,
    expected_by,
    key_of,
    of_this_machine,
    token_in,
)
from controlplane.http.pasted import refuse_tokens
from controlplane.http.policy import POLICY, Rule, flag_of, stream_of
from controlplane.http.turns import Turns
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
        self._aside = Aside(plane)

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
                return await self._command(name, rule, request, caller, handler)
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
        if len(body) > _MUCH:  # Searched elsewhere: it must not hold up others.
            await run_in_threadpool(refuse_tokens, request.url.query, body)
        else:
            refuse_tokens(request.url.query, body)

    async def _caller(self, request: Request, rule: Rule | None) -> Caller:
        """Who asks. Raises NotAuthenticated, TooManyRequests."""
        now, address = self._monotonic(), address_of(request)
        if self._settings.dev:
            return of_this_machine(request)
        try:
            text = token_in(request)
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
        self, name: str, rule: Rule, request: Request, caller: Caller, handler: Handler
    ) -> Response:
        asked = Asked(
            command=name,
            method=request.method,
            path=without_tokens(request.url.path),
            token=caller.token,
            address=address_of(request),
            owner=caller.actor.id,
            fingerprint=await _fingerprint(request),
            key=key_of(request),
            expects=expected_by(request),
            about=stream_of(request.path_params) or "",
        )
        if asked.expects is not None and not asked.about:
            raise InvalidInput(reason="this has no version that If-Match could speak of")
        if rule.aside:
            return await self._aside.answer(asked, caller.actor, request, handler)
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


async def _fingerprint(request: Request) -> str:
    """What was asked, so that a key used for another command is noticed."""
    body = await request.body()
    asked = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return sha256(asked + body).hexdigest()


def _too_many(what: str, waits: float) -> TooManyRequests:
    return TooManyRequests(reason=f"Too many {what}", retry_after=max(1, round(waits + 0.5)))
