"""What is sent by webhook, without a network: what arrives, and what comes of it."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from controlplane import ControlPlane
from controlplane.outgoing.delivery import Outcome
from controlplane.plane.deliveries import Deliverer
from controlplane.plane.turns import Means
from projections.webhooks import Webhook

DELIVERED = Outcome("delivered", "answered 204 No Content")
FAILED = Outcome("failed", "answered 503 Service Unavailable")
GONE = Outcome("gone", "answered 410 Gone")
ATTEMPTS = 3

Event = Mapping[str, Any]


@dataclass
class Outbox:
    """In the place of the network."""

    answer: Callable[[Webhook, Event], Outcome] = lambda _webhook, _event: DELIVERED
    sent: list[tuple[str, Event]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, webhook: Webhook, event: Event) -> Outcome:
        with self._lock:
            self.sent.append((webhook.id, event))
        return self.answer(webhook, event)

    def answers(self, *outcomes: Outcome) -> None:
        """One after the other; then everything is delivered."""
        left = list(outcomes)
        self.answer = lambda _webhook, _event: left.pop(0) if left else DELIVERED

    def positions(self, id_: str = "webhook-1") -> list[int]:
        """Of what was sent to one, in order."""
        return [int(event["sequence"]) for webhook, event in self.sent if webhook == id_]

    def deliverer(self, plane: ControlPlane, **given: Any) -> Deliverer:
        """One that delivers here."""
        means = Means(
            plane._core, plane.webhooks._standings, self, ATTEMPTS, lambda count: b"\xff" * count
        )
        return Deliverer(means, **given)


def turn(deliverer: Deliverer) -> None:
    """One turn of each webhook."""
    deliverer.look()
    deliverer.wait()
