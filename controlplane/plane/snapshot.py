"""Flags compiled and in memory, kept up with the log by a thread: what is_enabled answers from."""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping

from controlplane.bucketing import Evaluator, compile_flag
from controlplane.values import Valuer, compile_value
from events.errors import LogUnavailable
from events.event import Event, RecordedEvent
from events.log import EventLog, Query
from projections.flags import FLAGS, Flag

logger = logging.getLogger(__name__)

_PAGE = 1000
_WAIT_SECONDS = 5.0
_PAUSE_SECONDS = 0.02
_RETRY_SECONDS = 1.0
_LEAVE_SECONDS = 5.0

Listener = Callable[[frozenset[str]], None]
"""Is told the names of the flags that changed, in the thread that learned it: be quick."""


class FlagSnapshot:
    """All flags of one environment. If the database goes away, the last known flags stay.

    `flags`, `compiled` and `values` are replaced as a whole, never changed: a reader needs no lock.
    """

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self.position = 0
        """How far the log was looked through."""
        self.flags: dict[str, Flag] = {}
        """By name; the one that changed last at the end."""
        self.compiled: Mapping[str, Evaluator] = {}
        self.values: Mapping[str, Valuer] = {}
        """Here, a flag that cannot be understood is none: no value of it is to be had."""
        self.epoch = 0
        """How often the log was found shorter than it had been: what was known was of another."""
        self.listeners: list[Listener] = []
        """Called once all three hold a change. They must not ask to refresh."""

    def refresh(self) -> None:
        """Fold the flag events that are new. Raises LogUnavailable."""
        with self._lock:
            # Up to here nothing is missed, though there be no flag event among the last million.
            head = self._log.head().position
            if head < self.position:  # The database was restored from a backup.
                self._begin_anew()
            while self.position < head:
                query = Query(type="flag.*", after=self.position, limit=_PAGE)
                events = self._log.search(query)
                self._fold(events)
                full = len(events) == _PAGE
                self.position = events[-1].position if full else max(head, self.position)

    def _begin_anew(self) -> None:
        """What was known is answered from until all is read again."""
        other = FlagSnapshot(self._log)
        other.refresh()
        changed = frozenset({*self.flags, *other.flags})
        self.flags, self.compiled, self.values = other.flags, other.compiled, other.values
        self.position = other.position
        self.epoch += 1
        self._tell(changed)

    def _fold(self, events: list[RecordedEvent[Event]]) -> None:
        by_flag: dict[str, list[RecordedEvent[Event]]] = defaultdict(list)
        for event in events:
            by_flag[FLAGS.key(event)].append(event)
        if not by_flag:
            return
        flags, compiled, values = dict(self.flags), dict(self.compiled), dict(self.values)
        for name, own in sorted(by_flag.items(), key=lambda item: item[1][-1].position):
            flag, compiled[name], value = self._folded(flags.pop(name, None), name, own)
            flags[name] = flag  # Popped before: it is the last one now.
            values.pop(name, None)
            if value is not None and flag.exists:
                values[name] = value
        self.flags, self.compiled, self.values = flags, compiled, values
        self._tell(frozenset(by_flag))

    def _tell(self, changed: frozenset[str]) -> None:
        for listener in self.listeners:
            try:
                listener(changed)
            except Exception:
                logger.exception("a listener failed; the flags go on")

    def _folded(
        self, before: Flag | None, name: str, own: list[RecordedEvent[Event]]
    ) -> tuple[Flag, Evaluator, Valuer | None]:
        """One flag; one that cannot be understood is off, and the others go on."""
        flag = off = Flag(name=name, exists=True, position=own[-1].position)
        try:
            flag = FLAGS.fold(name, own, before)
            return flag, compile_flag(flag), compile_value(flag)
        except Exception:
            logger.exception("flag %s cannot be understood; it is off", name)
            # What was folded is kept: the events to come build on it.
            return flag, compile_flag(off), None

    def flag(self, name: str) -> Flag:
        """One flag; where it is not known yet, the log is asked."""
        if name not in self.flags:
            self.refresh()
        return self.flags.get(name) or FLAGS.initial(name)

    def known(self, name: str) -> Flag:
        """One flag as far as it is known; the log is not asked."""
        return self.flags.get(name) or FLAGS.initial(name)

    def lookup(self) -> Callable[[str], bool]:
        """Tell whether a flag exists; the log is asked once, at the first name not known."""
        asked = False

        def exists(name: str) -> bool:
            nonlocal asked
            if name not in self.flags and not asked:
                asked = True
                self.refresh()
            return name in self.flags

        return exists

    def start(self) -> None:
        """Load the flags and follow the log from now on."""
        self.refresh()
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._follow, name="flags", daemon=True)
                self._thread.start()

    @property
    def started(self) -> bool:
        """Whether the log is being followed."""
        return self._thread is not None

    def _follow(self) -> None:
        after = 0
        while not self._closed.is_set():
            try:
                # Nothing heard is no proof of nothing new: a wake-up can be lost on its way.
                reached = self._log.wait(after, _WAIT_SECONDS)
                self.refresh()
                after = reached
            except LogUnavailable:
                self._closed.wait(_RETRY_SECONDS)
            except Exception:
                # Whatever it is, a flag switched off later must still be seen here.
                logger.exception("flags cannot be followed; trying again")
                self._closed.wait(_RETRY_SECONDS)
            # Executions wake us too: a short pause lets many of them cost one look.
            self._closed.wait(_PAUSE_SECONDS)

    def forget_thread(self) -> None:
        """In a forked child: threads and held locks stayed with the parent."""
        self._lock, self._thread, self.listeners = threading.Lock(), None, []
        if not self._closed.is_set():
            self._closed = threading.Event()  # The parent's follower may have held its lock.

    def close(self) -> None:
        """Stop following at the next chance."""
        self._closed.set()

    def join(self) -> None:
        """Wait until nothing follows the log any more."""
        if self._thread is not None:
            self._thread.join(_LEAVE_SECONDS)
