"""Delivers to the webhooks: each served by itself, in turns, by one thread at a time.

There are as many threads as there may be webhooks, so that one that is slow or dead delays no
other. What a turn appends is held to the fence of the look that began it.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context

from controlplane.errors import ControlPlaneError, LeaseLost
from controlplane.plane.core import Core
from controlplane.plane.turns import Means, Turn
from controlplane.webhook_errors import WebhookNotFound
from controlplane.webhooks import MOST_WEBHOOKS
from events.log import Query
from events.webhooks import WEBHOOK_STREAM, WebhookRedeliveryRequested
from projections.webhooks import DEAD_LETTERS, WEBHOOKS, Webhook

logger = logging.getLogger(__name__)

_TURN_SECONDS = 5.0
"""After that, a turn begins no other request: the next one sees what people changed meanwhile."""

_CLOSES_SECONDS = 3.0


class Deliverer:
    """Serves the webhooks of one control plane.

    `may_go_on`: whether it is still this one's turn to deliver.
    """

    def __init__(
        self,
        means: Means,
        may_go_on: Callable[[], bool] = lambda: True,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._means = means
        self._may_go_on = may_go_on
        self._monotonic = monotonic
        self._pool = ThreadPoolExecutor(MOST_WEBHOOKS, thread_name_prefix="webhook")
        self._lock = threading.Lock()
        self._turns: dict[str, Future[None]] = {}
        self._quiet: dict[str, tuple[Webhook, int]] = {}
        self._requests = _Requests(means.core)
        self._closed = False

    def look(self) -> None:
        """Begin a turn of each webhook that something may be due for and that is not served."""
        core = self._means.core
        head = core.log.head().position
        standing = core.get(WEBHOOKS, WEBHOOK_STREAM).standing
        self._requests.refresh()
        with self._lock:
            for webhook in standing:
                busy = webhook.id in self._turns and not self._turns[webhook.id].done()
                quiet = self._quiet.get(webhook.id) == (webhook, head)
                if not (busy or quiet or self._closed or webhook.paused is not None):
                    # In a context like this one: its appends go by the same fence.
                    run = copy_context().run
                    self._turns[webhook.id] = self._pool.submit(run, self._serve, webhook, head)

    def wait(self) -> None:
        """Until every turn that has begun is over."""
        with self._lock:
            turns = list(self._turns.values())
        wait(turns)

    def close(self) -> None:
        """Begin no other request; wait for those that are under way, within bounds.

        What is still under way then is sent again by whoever serves next.
        """
        with self._lock:
            self._closed = True
            turns = list(self._turns.values())
            self._pool.shutdown(wait=False, cancel_futures=True)
        wait(turns, _CLOSES_SECONDS)

    def _serve(self, webhook: Webhook, head: int) -> None:
        """One turn. Nobody waits for it: what fails is reported, and the next turn goes on."""
        ends = self._monotonic() + _TURN_SECONDS

        def goes_on() -> bool:
            return not self._closed and self._monotonic() < ends and self._may_go_on()

        turn = Turn(self._means, webhook, goes_on)
        try:
            is_done = turn.catch_up(head)
            wanted = self._requests.of(webhook.id)
            over = turn.redeliver(wanted)
            self._requests.drop(webhook.id, over)
            if is_done and over == wanted:
                self._quiet[webhook.id] = (webhook, head)
        except LeaseLost:
            logger.info("%s: another scheduler took over", webhook.id)
        except WebhookNotFound:
            logger.info("%s was removed meanwhile", webhook.id)
        except ControlPlaneError as error:
            logger.warning("%s: %s", webhook.id, error)
        except Exception:
            logger.exception("%s could not be served", webhook.id)


class _Requests:
    """Which dead letters people asked to have tried again, as far as the log was read."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._lock = threading.Lock()
        self._open: dict[str, set[int]] = {}
        self._seen: int | None = None

    def refresh(self) -> None:
        """Read on; the first time, those that are open already."""
        log = self._core.log
        if self._seen is None:
            seen = log.head().position
            letters = [letter for _, letter in self._core.scan(DEAD_LETTERS)]
            found = [(one.webhook, one.position) for one in letters if one.state == "requested"]
        else:
            events = log.search(Query(type=WebhookRedeliveryRequested.TYPE, after=self._seen))
            seen = events[-1].position if events else self._seen
            requests = (recorded.event for recorded in events)
            found = [
                (event.webhook, event.position)
                for event in requests
                if isinstance(event, WebhookRedeliveryRequested)
            ]
        with self._lock:
            for webhook, position in found:
                self._open.setdefault(webhook, set()).add(position)
        self._seen = seen

    def of(self, webhook: str) -> set[int]:
        """The positions of those that are open."""
        with self._lock:
            return set(self._open.get(webhook, ()))

    def drop(self, webhook: str, positions: Iterable[int]) -> None:
        """They are over."""
        with self._lock:
            self._open.get(webhook, set()).difference_update(positions)
