"""Tokens in memory: who a token belongs to is asked at every request."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from controlplane import tokens
from controlplane.access_errors import NotAuthenticated
from controlplane.permissions import Permission, concerns, flags_of, permitted
from events.access import TOKEN_STREAM
from events.errors import LogUnavailable
from events.event import Actor
from events.log import EventLog
from events.timestamps import Timestamp
from projections.access import TOKENS, Token, Tokens

_FRESH_SECONDS = timedelta(seconds=1).total_seconds()
"""How long a token that was revoked elsewhere may go on opening things here."""
_BETWEEN_LOOKS_SECONDS = 0.1
"""Whoever guesses tokens must not make us ask the database for each."""


@dataclass(frozen=True)
class Caller:
    """Who asks, and what may be had for the asking."""

    actor: Actor
    permissions: frozenset[Permission]
    token: str = ""
    """The token's id; empty where the server runs open."""
    roles: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    """Patterns of the flags it is narrowed to; none: every flag."""

    def may(self, permission: Permission) -> bool:
        """Whether it is permitted."""
        return permission in self.permissions

    def sees(self, flag: str) -> bool:
        """Whether the flag is among those it is narrowed to."""
        return concerns(self.flags, flag)


class TokenSnapshot:
    """All tokens of one environment. If the database goes away, the last known ones stay."""

    def __init__(self, log: EventLog, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._tokens = Tokens()
        self._version = 0
        self._looked_at = float("-inf")

    @property
    def stale(self) -> bool:
        """Whether it is time to look again."""
        return self._monotonic() - self._looked_at > _FRESH_SECONDS

    def forget_parent(self) -> None:
        """In a forked child: a lock that was held stayed held."""
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Fold what is new. Raises LogUnavailable where nothing was ever known."""
        with self._lock:
            try:
                new = self._log.read_stream(TOKEN_STREAM, self._version)
            except LogUnavailable:
                if self._looked_at == float("-inf"):
                    raise
                return
            self._tokens = TOKENS.fold(TOKEN_STREAM, new, self._tokens)
            self._version = new[-1].version if new else self._version
            self._looked_at = self._monotonic()

    def opens(self, token: str, now: Timestamp) -> bool:
        """Whether a token, by its id, opens anything, as far as is known; the log is not asked."""
        found = self._tokens.by_id.get(token)
        return found is not None and found.opens(now)

    def caller(self, text: str, now: Timestamp) -> Caller:
        """Who sends this token. Raises NotAuthenticated, LogUnavailable."""
        parsed = tokens.parse(text)
        if parsed is None:
            raise NotAuthenticated(reason="That is no token, or it was copied with a mistake")
        if self.stale:
            self.refresh()
        token = self._tokens.by_id.get(parsed.id)
        if token is None and self._monotonic() - self._looked_at > _BETWEEN_LOOKS_SECONDS:
            self.refresh()
            token = self._tokens.by_id.get(parsed.id)
        if token is None or not tokens.same(text, token.digest):
            raise NotAuthenticated(reason=f"The token is not known in {self._log.environment}")
        if not token.opens(now):
            how = "was revoked" if token.revoked_at is not None else "has expired"
            raise NotAuthenticated(reason=f"The token {token.id} of {token.owner} {how}")
        return caller_by(token)


def caller_by(token: Token) -> Caller:
    """Who acts by a token that opens things."""
    return Caller(
        actor=Actor(kind="token", id=token.owner, name=token.owner),
        permissions=permitted(token.roles, token.scopes),
        token=token.id,
        roles=token.roles,
        flags=flags_of(token.scopes),
    )
