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


class FlagSnapshot:
    """All flags of one environment. If the database goes away, the last known flags stay."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self._flags: dict[str, Flag] = {}
        self._position = 0
        self.compiled: Mapping[str, Evaluator] = {}
        """Replaced as a whole, never changed: a reader needs no lock."""
        self.values: Mapping[str, Valuer] = {}
        """The same. Here, a flag that cannot be understood is none: no value of it is to be had."""

    def refresh(self) -> None:
        """Fold the flag events that are new. Raises LogUnavailable."""
        with self._lock:
            # Up to here nothing is missed, though there be no flag event among the last million.
            head = self._log.head().position
            if head < self._position:  # The database was restored from a backup.
                self._flags, self._position = {}, 0
                self.compiled, self.values = {}, {}
            while self._position < head:
                query = Query(type="flag.*", after=self._position, limit=_PAGE)
                events = self._log.search(query)
                self._fold(events)
                full = len(events) == _PAGE
                self._position = events[-1].position if full else max(head, self._position)

    def _fold(self, events: list[RecordedEvent[Event]]) -> None:
        by_flag: dict[str, list[RecordedEvent[Event]]] = defaultdict(list)
        for event in events:
            by_flag[FLAGS.key(event)].append(event)
        if not by_flag:
            return
        compiled, values = dict(self.compiled), dict(self.values)
        for name, own in by_flag.items():
            flag, compiled[name], value = self._folded(name, own)
            self._flags[name] = flag
            values.pop(name, None)
            if value is not None and flag.exists:
                values[name] = value
        self.compiled, self.values = compiled, values

    def _folded(
        self, name: str, own: list[RecordedEvent[Event]]
    ) -> tuple[Flag, Evaluator, Valuer | None]:
        """One flag; one that cannot be understood is off, and the others go on."""
        flag = off = Flag(name=name, exists=True, position=own[-1].position)
        try:
            flag = FLAGS.fold(name, own, self._flags.get(name))
            return flag, compile_flag(flag), compile_value(flag)
        except Exception:
            logger.exception("flag %s cannot be understood; it is off", name)
            # What was folded is kept: the events to come build on it.
            return flag, compile_flag(off), None

    def flag(self, name: str) -> Flag:
        """One flag; where it is not known yet, the log is asked."""
        if name not in self._flags:
            self.refresh()
        return self._flags.get(name) or FLAGS.initial(name)

    def known(self, name: str) -> Flag:
        """One flag as far as it is known; the log is not asked."""
        return self._flags.get(name) or FLAGS.initial(name)

    def lookup(self) -> Callable[[str], bool]:
        """Tell whether a flag exists; the log is asked once, at the first name not known."""
        asked = False

        def exists(name: str) -> bool:
            nonlocal asked
            if name not in self._flags and not asked:
                asked = True
                self.refresh()
            return name in self._flags

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
        self._lock, self._thread = threading.Lock(), None
        if not self._closed.is_set():
            self._closed = threading.Event()  # The parent's follower may have held its lock.

    def close(self) -> None:
        """Stop following at the next chance."""
        self._closed.set()

    def join(self) -> None:
        """Wait until nothing follows the log any more."""
        if self._thread is not None:
            self._thread.join(_LEAVE_SECONDS)
