"""One turn of one webhook: what it has not had, in order, each at least once.

An event is sent, and then noted as dealt with; who is killed between the two sends it again, under
the same id. What was noted by somebody else meanwhile stays: who was overtaken ends its turn.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from controlplane import webhooks
from controlplane.execution import Transaction
from controlplane.outgoing.delivery import Send, fraction, is_due, wait_us
from controlplane.outgoing.standings import Standing, Standings
from controlplane.plane.core import Core, context, printable
from events.cloudevents import to_cloudevent
from events.event import Actor, Event, RecordedEvent
from events.log import Query
from events.webhooks import WEBHOOK_STREAM, delivery_stream
from projections.webhooks import DEAD_LETTERS, WEBHOOKS, Webhook, letter_key

logger = logging.getLogger(__name__)

DELIVERY = Actor.system("webhooks")
_PAGE = 100


@dataclass(frozen=True)
class Means:
    """What delivering takes."""

    core: Core
    standings: Standings
    send: Send
    attempts: int
    """After so many in vain, an event is a dead letter."""
    chance: Callable[[int], bytes]


class Turn:
    """Serves one webhook until nothing is left, or it does not answer, or `goes_on` says no."""

    def __init__(self, means: Means, webhook: Webhook, goes_on: Callable[[], bool]) -> None:
        self._means = means
        self._core = means.core
        self._standings = means.standings
        self._webhook = webhook
        self._goes_on = goes_on

    def catch_up(self, head: int) -> bool:
        """Deliver what is in the log up to `head`; whether nothing of it is left."""
        name = self._webhook.id
        standing = self._standings.get(name) or Standing(position=self._webhook.after)
        while is_due(standing.next_attempt_at, self._core.clock()):
            page = self._page(standing.position, head)
            if not page:
                return True
            for event in page:
                if not self._goes_on():
                    return False
                after = self._deal_with(standing, event)
                if after is None or not self._standings.move(name, standing, after):
                    return False
                standing = after
                if standing.attempts:
                    return False
        return False

    def redeliver(self, positions: Iterable[int]) -> set[int]:
        """Try dead letters again that somebody asks for; those that are over."""
        over = set()
        for position in sorted(positions):
            if not self._goes_on():
                break
            name = f"{self._webhook.id}/{position}"
            letter = self._core.get(DEAD_LETTERS, letter_key(self._webhook.id, position))
            if letter.state == "requested":
                standing = self._standings.get(name) or Standing(position=position - 1)
                if not is_due(standing.next_attempt_at, self._core.clock()):
                    continue
                (event,) = self._core.log.read(position - 1, 1)
                after = self._deal_with(standing, event)
                if after is None:
                    break
                if after.position < position:
                    self._standings.move(name, standing, after)
                    break  # It does not answer: others would wait as long.
                if not after.error:
                    note = webhooks.NoteRedelivery(webhook=self._webhook.id, position=position)
                    self._record(note)
            self._standings.forget(name)
            over.add(position)
        return over

    def _page(self, after: int, head: int) -> list[RecordedEvent[Event]]:
        """The next events for this webhook, in order, none of them left out.

        Each name is looked for by itself, which the log's index makes quick however much else is
        in it. Where there is more of one than was asked for, what lies beyond waits.
        """
        pages = [
            self._core.log.search(Query(type=name, after=after, limit=_PAGE))
            for name in webhooks.names_for(self._webhook)
        ]
        until = min([head, *(page[-1].position for page in pages if len(page) == _PAGE)])
        found = [event for page in pages for event in page if event.position <= until]
        return sorted(found, key=lambda event: event.position)

    def _deal_with(self, standing: Standing, event: RecordedEvent[Event]) -> Standing | None:
        """Send an event; the standing after that, or None where nothing more is to be sent."""
        done = replace(standing, position=event.position, attempts=0, next_attempt_at=0)
        if not webhooks.is_for(self._webhook, event):
            return done
        outcome = self._means.send(self._webhook, to_cloudevent(event))
        now = self._core.clock()
        if outcome.kind == "delivered":
            return replace(done, delivered_at=now, error="")
        where = f"{self._webhook.id} at position {event.position}"
        error = printable(outcome.sentence)
        if outcome.kind == "gone":
            self._pause(error)
            logger.warning("%s: %s; it is paused", where, error)
            return None
        attempts = standing.attempts + 1
        if attempts >= self._means.attempts:
            self._give_up(event, attempts, error)
            logger.warning("%s is a dead letter after %d attempts: %s", where, attempts, error)
            return replace(done, error=error)
        logger.info("%s, attempt %d: %s", where, attempts, error)
        wait = wait_us(attempts, fraction(self._means.chance), outcome.retry_after_us)
        return replace(standing, attempts=attempts, next_attempt_at=now + wait, error=error)

    def _pause(self, reason: str) -> None:
        command = webhooks.PauseWebhook(webhook=self._webhook.id, reason=reason)

        def work(transaction: Transaction) -> None:
            standing = transaction.fold(WEBHOOKS, WEBHOOK_STREAM, WEBHOOK_STREAM)
            transaction.stage(WEBHOOK_STREAM, webhooks.decide(standing, command))

        self._core.run(work, context(DELIVERY))

    def _give_up(self, event: RecordedEvent[Event], attempts: int, error: str) -> None:
        command = webhooks.GiveUp(
            webhook=self._webhook.id,
            position=event.position,
            event_id=event.id,
            event_type=event.type,
            attempts=attempts,
            error=error,
        )
        self._record(command)

    def _record(self, command: webhooks.DeliveryCommand) -> None:
        stream = delivery_stream(command.webhook, command.position)

        def work(transaction: Transaction) -> None:
            letter = transaction.fold(DEAD_LETTERS, stream, stream)
            transaction.stage(stream, webhooks.decide_letter(letter, command))

        self._core.run(work, context(DELIVERY))
