"""How one thread wakes another."""

import threading


class Bell:
    """Rung by any thread, heard by one.

    A bare lock: who rings may be interrupted at any step (Ctrl-C, a time limit's signal), and an
    Event's own lock would then stay held.
    """

    __slots__ = ("_quiet",)

    def __init__(self) -> None:
        self._quiet = threading.Lock()
        self._quiet.acquire()

    def ring(self) -> None:
        """Wake who waits, or who waits next. Ringing twice is ringing once."""
        if self._quiet.locked():
            try:
                self._quiet.release()
            except RuntimeError:  # Somebody else rang in between.
                return

    def wait(self, seconds: float) -> bool:
        """Wait until it rings, or for so long; whether it rang."""
        return self._quiet.acquire(timeout=min(max(seconds, 0.0), threading.TIMEOUT_MAX))
