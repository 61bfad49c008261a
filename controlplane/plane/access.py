"""`plane.access`: tokens, what they open, and what waits for a second person's review."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from controlplane import access, alerts, tokens
from controlplane.access_errors import TokenNotFound
from controlplane.durations import parse_duration
from controlplane.errors import InvalidInput
from controlplane.execution import Transaction
from controlplane.plane.core import Core, Who, as_actor, context
from controlplane.plane.denials import Denials
from controlplane.plane.tokens import Caller, TokenSnapshot
from controlplane.rules.overriding import GLASS_BROKEN
from events.access import REVIEW_STREAM, TOKEN_STREAM, Role
from events.alerts import alert_stream
from events.event import Actor
from projections.access import REVIEWS, TOKENS, Review, Token
from projections.alerts import ALERTS

_FIRST_LASTS = "24h"
_BOOTSTRAP = Actor.system("first-start")


@dataclass(frozen=True)
class Issued:
    """A new token. Its text is nowhere else, and is never shown again."""

    token: Token
    text: str


class Access:
    """Who may do what over HTTP. Whoever opens the database itself needs no token."""

    def __init__(self, core: Core, chance: Callable[[int], bytes]) -> None:
        self._core = core
        self._chance = chance
        self.snapshot = TokenSnapshot(core.log)
        self.denials = Denials(core)

    def issue(
        self,
        *,
        owner: str,
        roles: Sequence[Role] | Role,
        actor: Who,
        name: str = "",
        scopes: Sequence[str] = (),
        expires_in: str | int | None = "90d",
    ) -> Issued:
        """Give `owner` a token; its text is in the answer, and nowhere else.

        `scopes` narrow it: permissions, and flags as in `flag:batch-*`. `expires_in`: as in `90d`,
        or microseconds; None: never. Raises InvalidInput.
        """
        id_, text = self._mint()
        command = access.IssueToken(
            token=id_,
            digest=tokens.digest(text),
            owner=owner,
            name=name,
            roles=(roles,) if isinstance(roles, str) else tuple(roles),
            scopes=tuple(scopes),
            expires_in_us=None if expires_in is None else _duration(expires_in),
        )
        done = self._run(command, actor)
        # Asked for before under the same idempotency key, its text is not to be had again.
        return Issued(self.get(done), text if done == id_ else "")

    def revoke(self, id_: str, *, actor: Who, reason: str = "") -> Token:
        """Let a token open nothing any more: here at once, elsewhere within a second.

        Raises TokenNotFound.
        """
        self._run(access.RevokeToken(token=id_, reason=reason), actor)
        return self.get(id_)

    def tokens(self) -> list[Token]:
        """All tokens, those that open nothing any more included; in the order of last change."""
        found = self._core.get(TOKENS, TOKEN_STREAM).by_id.values()
        return sorted(found, key=lambda token: token.position)

    def get(self, id_: str) -> Token:
        """One token. Raises TokenNotFound."""
        token = self._core.get(TOKENS, TOKEN_STREAM).by_id.get(id_)
        if token is None:
            raise TokenNotFound(token=id_)
        return token

    def authenticate(self, text: str) -> Caller:
        """Who sends this token, and what it opens. Raises NotAuthenticated, LogUnavailable."""
        return self.snapshot.caller(text, self._core.clock())

    def note(self, actor: Who, result: str = "") -> str:
        """Record the request that is being carried out, though it led to no event.

        `result` is kept with it; returns that of the first one under the same idempotency key.
        """
        return self._core.run(lambda _transaction: result, context(actor)) or ""

    def first_token(self) -> Issued | None:
        """A token for an admin where nobody has one: it lasts a day, to issue others by."""
        id_, text = self._mint()

        def work(transaction: Transaction) -> bool:
            known = transaction.fold(TOKENS, TOKEN_STREAM, TOKEN_STREAM)
            if any("admin" in t.roles and t.opens(transaction.now) for t in known.by_id.values()):
                return False
            command = access.IssueToken(
                token=id_,
                digest=tokens.digest(text),
                owner="first-admin",
                name="printed at the first start",
                roles=("admin",),
                scopes=(),
                expires_in_us=parse_duration(_FIRST_LASTS),
            )
            transaction.stage(
                TOKEN_STREAM, access.decide_on_tokens(known, command, transaction.now)
            )
            return True

        made = self._core.run(work, context(_BOOTSTRAP))
        self.snapshot.refresh()
        return Issued(self.get(id_), text) if made else None

    def reviews(self) -> list[Review]:
        """All reviews, in the order of last change."""
        found = self._core.get(REVIEWS, REVIEW_STREAM).all
        return sorted(found, key=lambda review: review.position)

    def review(self, id_: str) -> Review:
        """One review. Raises ReviewNotFound."""
        return access.find(self._core.get(REVIEWS, REVIEW_STREAM), id_)

    def close_review(self, id_: str, *, actor: Who, note: str) -> Review:
        """Say what you found, as a second person; with a flag's last one, its alert is resolved.

        Raises ReviewNotFound, SameReviewer, NotAPerson, InvalidInput without a note.
        """
        who = as_actor(actor)

        def work(transaction: Transaction) -> None:
            reviews = transaction.fold(REVIEWS, REVIEW_STREAM, REVIEW_STREAM)
            command = access.CloseReview(review=id_, closed_by=who, note=note)
            decided = access.decide_on_reviews(reviews, command)
            cause = transaction.stage(REVIEW_STREAM, decided)
            flag = access.find(reviews, id_).flag
            waits = [one for one in reviews.all if one.flag == flag and one.closed_at is None]
            stream = alert_stream(flag, GLASS_BROKEN.name)
            alert = transaction.fold(ALERTS, stream, stream)
            if decided and alert.open and len(waits) == 1:
                resolve = alerts.Resolve(alert=alert.id, reason=f"reviewed: {note}"[:2000])
                transaction.stage(stream, alerts.decide(alert, resolve), cause=cause)

        self._core.run(work, context(who))
        return self.review(id_)

    def _mint(self) -> tuple[str, str]:
        chance = self._chance(tokens.ID_BYTES + tokens.SECRET_BYTES)
        return tokens.mint(self._core.log.environment, chance)

    def _run(self, command: access.IssueToken | access.RevokeToken, actor: Who) -> str:
        def work(transaction: Transaction) -> str:
            known = transaction.fold(TOKENS, TOKEN_STREAM, TOKEN_STREAM)
            decided = access.decide_on_tokens(known, command, transaction.now)
            transaction.stage(TOKEN_STREAM, decided)
            return command.token

        done = self._core.run(work, context(actor))
        self.snapshot.refresh()
        return done


def _duration(given: str | int) -> int:
    try:
        return given if isinstance(given, int) else parse_duration(given)
    except ValueError as error:
        raise InvalidInput(reason=str(error)) from error
