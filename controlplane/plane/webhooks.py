"""`plane.webhooks`: the Python API of webhooks."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace

from controlplane import clock as edge
from controlplane import webhooks
from controlplane.execution import Transaction
from controlplane.outgoing.delivery import Outcome
from controlplane.outgoing.standings import Standing, Standings
from controlplane.outgoing.wiring import Outgoing
from controlplane.plane.core import Core, Who, context
from controlplane.plane.deliveries import Deliverer
from controlplane.plane.turns import Means
from events.event import Event
from events.timestamps import to_iso
from events.webhooks import WEBHOOK_STREAM, WebhookRemoved, delivery_stream
from projections.webhooks import DEAD_LETTERS, WEBHOOKS, DeadLetter, Webhook, letter_key

_MOST_REDELIVERIES = 1000
"""In one transaction."""
TEST = "webhook.test"
"""The type of what `test` sends. It is no event: nothing is recorded."""


class Webhooks:
    """Who is told what happens. `controlplane serve` delivers; so does `deliver`, once."""

    def __init__(self, core: Core, standings: Standings, outgoing: Outgoing) -> None:
        self._core = core
        self._standings = standings
        self._outgoing = outgoing

    def register(
        self,
        url: str,
        *,
        secret: str,
        actor: Who,
        types: Sequence[str] = (),
        everything: bool = False,
        description: str = "",
        after: int | None = None,
    ) -> Webhook:
        """Send events of these types to a URL: what happens from now on, or after a position.

        `secret`: the name of what is signed with. Asked twice, it is one. Raises InvalidInput.
        """
        self._outgoing.keyring.keys(secret)
        command = webhooks.RegisterWebhook(
            url=url,
            types=_names(types),
            everything=everything,
            secret=secret,
            description=description,
            after=after,
            head=self._core.log.head().position,
        )

        def work(transaction: Transaction) -> str:
            standing = transaction.fold(WEBHOOKS, WEBHOOK_STREAM, WEBHOOK_STREAM)
            decided = webhooks.decide(standing, command, self._outgoing.allowed)
            transaction.stage(WEBHOOK_STREAM, decided)
            known = webhooks.twin(standing, command)
            return known.id if known else f"webhook-{standing.registered + 1}"

        return self.get(self._core.run(work, context(actor)))

    def change(
        self,
        id_: str,
        *,
        actor: Who,
        url: str | None = None,
        secret: str | None = None,
        types: Sequence[str] = (),
        everything: bool = False,
        description: str | None = None,
    ) -> Webhook:
        """Change what is given; what waits is tried at once.

        Raises WebhookNotFound, InvalidInput.
        """
        if secret is not None:
            self._outgoing.keyring.keys(secret)
        command = webhooks.ChangeWebhook(
            webhook=id_,
            url=url,
            secret=secret,
            types=_names(types),
            everything=everything,
            description=description,
        )
        self._do(command, actor)
        self._hurry(id_)
        return self.get(id_)

    def pause(self, id_: str, *, actor: Who, reason: str) -> Webhook:
        """Send nothing until it is resumed. Raises WebhookNotFound, InvalidInput."""
        self._do(webhooks.PauseWebhook(webhook=id_, reason=reason), actor)
        return self.get(id_)

    def resume(self, id_: str, *, actor: Who, reason: str = "") -> Webhook:
        """Go on where it stood, with all that happened meanwhile. Raises WebhookNotFound."""
        self._do(webhooks.ResumeWebhook(webhook=id_, reason=reason), actor)
        self._hurry(id_)
        return self.get(id_)

    def remove(self, id_: str, *, actor: Who, reason: str) -> Webhook:
        """Send nothing any more; as it stood. Raises WebhookNotFound, InvalidInput."""
        self._do(webhooks.RemoveWebhook(webhook=id_, reason=reason), actor)
        for name in self._of(id_):
            self._standings.forget(name)
        events = self._core.log.read_stream(WEBHOOK_STREAM)
        before = (one for one in events if not _removes(one.event, id_))
        return webhooks.find(WEBHOOKS.fold(WEBHOOK_STREAM, before), id_)

    def _do(self, command: webhooks.WebhookCommand, actor: Who) -> None:
        def work(transaction: Transaction) -> None:
            standing = transaction.fold(WEBHOOKS, WEBHOOK_STREAM, WEBHOOK_STREAM)
            decided = webhooks.decide(standing, command, self._outgoing.allowed)
            transaction.stage(WEBHOOK_STREAM, decided)

        self._core.run(work, context(actor))

    def _hurry(self, id_: str) -> None:
        """What was tried in vain is tried anew: the cause may be mended."""
        for name, standing in self._of(id_).items():
            if standing.attempts:
                now = replace(standing, attempts=0, next_attempt_at=0)
                self._standings.move(name, standing, now)

    def _of(self, id_: str) -> dict[str, Standing]:
        """Where it stands, and the redeliveries of its dead letters."""
        known = self._standings.all()
        return {name: one for name, one in known.items() if name.partition("/")[0] == id_}

    def get(self, id_: str) -> Webhook:
        """A webhook. Raises WebhookNotFound."""
        return webhooks.find(self._core.get(WEBHOOKS, WEBHOOK_STREAM), id_)

    def all(self) -> list[Webhook]:
        """Those that nobody has removed, in the order they were registered."""
        return list(self._core.get(WEBHOOKS, WEBHOOK_STREAM).standing)

    def standing(self, id_: str) -> Standing:
        """How far one is, and how its last attempt went. Raises WebhookNotFound."""
        webhook = self.get(id_)
        return self._standings.get(id_) or Standing(position=webhook.after)

    def standings(self) -> list[tuple[Webhook, Standing]]:
        """All of them, and how far each is."""
        known = self._standings.all()
        return [(one, known.get(one.id) or Standing(position=one.after)) for one in self.all()]

    def dead_letters(self, id_: str | None = None) -> list[DeadLetter]:
        """What could not be delivered, to one or to all that stand, in order of the log.

        Raises WebhookNotFound.
        """
        found = [self.get(id_)] if id_ else self.all()
        letters = (
            letter
            for one in found
            for _, letter in self._core.scan(DEAD_LETTERS, f"{one.id}/", f"{one.id}0")
        )
        return [letter for letter in letters if webhooks.is_open(letter)]

    def redeliver(self, id_: str, position: int | None = None, *, actor: Who) -> list[DeadLetter]:
        """Ask that a dead letter be tried again, or all of a webhook's; those that now are.

        Raises WebhookNotFound, DeadLetterNotFound.
        """
        if position is None:
            positions = [letter.position for letter in self.dead_letters(id_)][:_MOST_REDELIVERIES]
        else:
            self.get(id_)
            positions = [position]

        def work(transaction: Transaction) -> None:
            for one in positions:
                stream = delivery_stream(id_, one)
                letter = transaction.fold(DEAD_LETTERS, stream, stream)
                request = webhooks.RequestRedelivery(webhook=id_, position=one)
                transaction.stage(stream, webhooks.decide_letter(letter, request))

        self._core.run(work, context(actor))
        return [self._core.get(DEAD_LETTERS, letter_key(id_, one)) for one in positions]

    def test(self, id_: str) -> Outcome:
        """Send something now, from this process, and tell what came of it. Raises WebhookNotFound.

        Nothing is recorded, and nothing that waits is sent.
        """
        webhook = self.get(id_)
        cloudevent = {
            "specversion": "1.0",
            "id": self._core.new_id(),
            "source": f"/environments/{self._core.log.environment}",
            "type": TEST,
            "subject": id_,
            "time": to_iso(self._core.clock()),
            "datacontenttype": "application/json",
            "data": {"webhook": id_},
        }
        return self._outgoing.send(webhook, cloudevent)

    def deliver(self) -> None:
        """One turn of every webhook, from this process, as the scheduler does it."""
        with closing(self.deliverer()) as deliverer:
            deliverer.look()
            deliverer.wait()

    def deliverer(
        self,
        *,
        may_go_on: Callable[[], bool] = lambda: True,
        chance: Callable[[int], bytes] = edge.chance,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> Deliverer:
        """What serves the webhooks for as long as it is looked with; then close it."""
        outgoing = self._outgoing
        means = Means(self._core, self._standings, outgoing.send, outgoing.attempts, chance)
        return Deliverer(means, may_go_on, monotonic)


def _removes(event: Event, id_: str) -> bool:
    return isinstance(event, WebhookRemoved) and event.webhook == id_


def _names(types: Sequence[str]) -> tuple[str, ...]:
    return (types,) if isinstance(types, str) else tuple(types)
