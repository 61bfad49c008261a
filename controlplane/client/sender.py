"""Sends what was accepted, in a thread, until the server has answered for it."""

import logging
import threading
import time
from collections.abc import Callable, Sequence

from urllib3 import BaseHTTPResponse

from controlplane.client.backoff import Backoff
from controlplane.client.bell import Bell
from controlplane.client.delivery import NotNow, Taken, Unfit, deliver
from controlplane.client.refused import RefusedFile
from controlplane.client.spool import MOST_IN_A_BATCH, Segment, Spool

logger = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 30.0
"""For what other processes left."""
_LONGEST_WAIT_SECONDS = 300.0
_LAST_TRIES_SECONDS = 0.1
_AGAIN_SECONDS = 1.0
_GLANCE_SECONDS = 0.01

Post = Callable[[Sequence[bytes]], BaseHTTPResponse]


class Sender:
    """A batch leaves the spool once the server has it, or will never take it.

    A batch may so be sent twice: the ids in it tell the server.
    """

    def __init__(
        self,
        spool: Spool,
        post: Post,
        refused: RefusedFile,
        *,
        every_seconds: float,
        fraction: Callable[[], float],
    ) -> None:
        self.spool = spool
        self.refused = refused
        self._post = post
        self._every = every_seconds
        self._failed = Backoff(0.5, 30.0, fraction)
        self._hindered = Backoff(10.0, 60.0, fraction)
        self._reset()

    def _reset(self) -> None:
        self._thread: threading.Thread | None = None
        self._bell, self._enough, self._again = Bell(), Bell(), Bell()
        self._give_up_at: float | None = None
        self.problem = ""
        self.duplicates = 0
        self.vanished = 0
        """Executions whose segments somebody removed."""

    def forget_parent(self) -> None:
        """In a forked child: what waits is the parent's to send."""
        self.spool.forget_parent()
        self._reset()

    def submit(self, line: bytes) -> bool:
        """Accept one execution, or not. Does not wait for the network."""
        accepted = self.spool.append(line)
        self._bell.ring()
        if self.spool.full:
            self._enough.ring()
        return accepted

    def start(self) -> None:
        """Send, in a thread."""
        run = threading.Thread(target=self._run, name="controlplane-executions", daemon=True)
        self._thread = run
        run.start()

    def flush(self, seconds: float) -> bool:
        """Wait, at most so long, until all that was accepted before is answered for."""
        target, until = self.spool.arrived, time.monotonic() + seconds
        again = 0.0
        while self.spool.left < target:
            now = time.monotonic()
            if now >= until or self._thread is None or not self._thread.is_alive():
                return False
            if now >= again:
                self._ring()
                again = now + _AGAIN_SECONDS
            # No lock is waited on: who waits here may be interrupted.
            time.sleep(min(_GLANCE_SECONDS, until - now))
        return True

    def close(self, seconds: float) -> None:
        """Send what waits, for so long at most, and end the thread."""
        self._give_up_at = time.monotonic() + seconds
        self._ring()
        if self._thread is not None:
            self._thread.join(seconds)

    def _ring(self) -> None:
        for bell in (self._bell, self._enough, self._again):
            bell.ring()

    def _run(self) -> None:
        look_at = 0.0  # At once, though the process be a short one.
        while True:
            try:
                if time.monotonic() >= look_at:
                    look_at = time.monotonic() + _LOOK_EVERY_SECONDS
                    self.spool.adopt()
                while (segment := self.spool.take()) is not None and self._send(segment):
                    pass
            except Exception as error:
                logger.exception("executions cannot be sent; trying again")
                self._wait(NotNow(repr(error)))
            if self._ending:
                return
            if self._bell.wait(_LOOK_EVERY_SECONDS):
                self._enough.wait(self._every)  # What follows soon goes along.

    @property
    def _ending(self) -> bool:
        return self._give_up_at is not None

    def _send(self, segment: Segment) -> bool:
        """Send until it is answered for; False where the client was closed before that."""
        try:
            lines = segment.read()
        except FileNotFoundError:
            logger.error("%d executions are lost: somebody removed them", segment.count)  # noqa: TRY400  why: no trace helps
            self.vanished += segment.count
            lines = []
        step = MOST_IN_A_BATCH
        pending = [lines[at : at + step] for at in range(0, len(lines), step)][::-1]
        while pending:
            match deliver(self._post, batch := pending.pop()):
                case Taken(duplicates=duplicates, refused=refused):
                    self._worked()
                    self.duplicates += duplicates
                    for refusal in refused:
                        self.refused.add(batch[refusal.index], refusal.reason)
                case Unfit() if len(batch) > 1:
                    half = len(batch) // 2
                    pending += [batch[half:], batch[:half]]
                case Unfit(reason=reason):
                    self.refused.add(batch[0], reason)
                case NotNow() as not_now:
                    pending.append(batch)
                    if not self._wait(not_now):
                        return False
        self.spool.forget(segment)
        return True

    def _worked(self) -> None:
        if self.problem:
            logger.info("executions are sent again")
        self.problem = ""
        self._failed.reset()
        self._hindered.reset()

    def _wait(self, not_now: NotNow) -> bool:
        """Wait before the next attempt; False for no more attempts."""
        if not self.problem:
            logger.warning("executions wait: %s", not_now.reason)
        self.problem = not_now.reason
        delay = (self._hindered if not_now.slow else self._failed).next()
        if not_now.after is not None:
            delay = min(max(delay, not_now.after), _LONGEST_WAIT_SECONDS)
        if self._give_up_at is None:
            self._again.wait(delay)
            return True
        # On disk they wait for the next process; what is in memory is tried to the last.
        time.sleep(_LAST_TRIES_SECONDS)
        return not self.spool.durable and time.monotonic() < self._give_up_at
