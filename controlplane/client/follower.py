"""Keeps the known flags up with the server, in a thread."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

import msgspec
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from controlplane.client.backoff import Backoff
from controlplane.client.bell import Bell
from controlplane.client.known import KnownFlags, Snapshot
from controlplane.client.notices import Listeners, Notice
from controlplane.client.server import Server, retry_after, said
from controlplane.client.snapshot_file import SnapshotFile
from controlplane.client.sse import Message, Parser
from events.timestamps import SECOND, Timestamp

logger = logging.getLogger(__name__)

_CHUNK = 64 * 1024
_SETTLED_SECONDS = 10.0
_SAVE_EVERY_SECONDS = 60.0
_SAVE_PAUSE = 20
"""How many times as long as a write took, until the next."""
_RETRY_SECONDS = 15.0
_LONGEST_WAIT_SECONDS = 300.0
_OK = 200
_UNWELCOME = (401, 403)
_PROBLEM = 4096


class _Unwelcome(Exception):
    """The server answered, but with no stream."""

    def __init__(self, response: BaseHTTPResponse) -> None:
        self.status = response.status
        self.after = retry_after(response)
        if response.status == _OK:
            found = response.headers.get("Content-Type", "nothing")
        else:
            found = f"{response.status}: {said(response.read(_PROBLEM))}"
        super().__init__(f"where the stream of flags should be the server answered {found}")


class Follower:
    """One connection, made again whenever it is lost.

    The server speaks every 15 seconds; who hears nothing for 45 connects anew.
    """

    def __init__(
        self,
        server: Server,
        known: KnownFlags,
        file: SnapshotFile | None,
        listeners: Listeners,
        *,
        stale_after_seconds: float,
        clock: Callable[[], Timestamp],
        monotonic: Callable[[], float],
        fraction: Callable[[], float],
    ) -> None:
        self._server = server
        self._known = known
        self._file = file
        self._listeners = listeners
        self._stale_after = stale_after_seconds
        self._clock = clock
        self._monotonic = monotonic
        self._lost = Backoff(0.5, 15.0, fraction)
        self._refused = Backoff(10.0, 60.0, fraction)
        self.connected = False
        self.problem = ""
        self.heard_at: float | None = None
        """When the server was last heard, by `monotonic`."""
        self.fresh = False
        """Whether this process has heard the server itself."""
        self._parser = Parser()
        self._last_id = ""
        self._gone_back = False
        self._unsaved = False
        self._saved_at = self._save_from = monotonic()
        self.told_stale = False
        """Whether everybody who listens was told that what is known is old."""
        self.forget_parent()

    def forget_parent(self) -> None:
        """In a forked child: the thread and its connection are the parent's."""
        self._thread: threading.Thread | None = None
        self._response: BaseHTTPResponse | None = None
        self._bell = Bell()
        self._stopping = False
        self.connected = False

    @property
    def age_seconds(self) -> float | None:
        """How long ago the server last confirmed what is known; None where nothing is."""
        return None if self.heard_at is None else max(0.0, self._monotonic() - self.heard_at)

    @property
    def stale(self) -> bool:
        """Whether that is too long ago."""
        age = self.age_seconds
        return age is not None and age > self._stale_after

    def load(self) -> None:
        """Take what is on disk."""
        saved = self._file.load() if self._file is not None else None
        if saved is None:
            return
        try:
            self._known.replace(saved.snapshot)
        except msgspec.DecodeError as error:
            logger.warning("the snapshot on disk is ignored: %s", error)
            return
        self.heard_at = self._monotonic() - (self._clock() - saved.heard_at) / SECOND

    def start(self) -> None:
        """Connect, in a thread."""
        self._thread = threading.Thread(target=self._run, name="controlplane-flags", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Leave at once, also out of a read."""
        self._stopping = True
        self._bell.ring()
        response = self._response
        with suppress(Exception):  # It may end by itself in this very moment.
            if response is not None:
                response.shutdown()

    def join(self, seconds: float) -> None:
        """Wait until the thread has ended, at most so long."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stopping:
            began = self._monotonic()
            wait = None
            try:
                self._listen()
                problem = "the server ended the stream"
            except _Unwelcome as refusal:
                problem = str(refusal)
                wait = refusal.after
                if wait is None and refusal.status in _UNWELCOME:
                    wait = self._refused.next()
            except (HTTPError, OSError, ValueError, msgspec.DecodeError) as error:
                problem = str(error)
            except Exception as error:
                logger.exception("flags cannot be followed; trying again")
                problem = repr(error)
            if self.connected and self._monotonic() - began > _SETTLED_SECONDS:
                self._lost.reset()
            self._trouble(problem)
            if wait is None:
                # The server tells each another time where it sends many away.
                wait = max(self._lost.next(), min(self._parser.retry_seconds, _RETRY_SECONDS))
            self._pause(min(wait, _LONGEST_WAIT_SECONDS))
        self._save(soon=True)

    def _listen(self) -> None:
        """Follow one connection to its end. Raises what is wrong with it."""
        response = self._server.flags(self._last_id)
        self._response = response
        try:
            kind = response.headers.get("Content-Type", "").lower()
            if response.status != _OK or not kind.startswith("text/event-stream"):
                raise _Unwelcome(response)
            self._connected()
            self._parser = parser = Parser()
            while not self._stopping and (chunk := response.read1(_CHUNK)):
                self._heard()
                for message in parser.feed(chunk):
                    self._take(message)
                self._save()
        finally:
            self._response = None
            response.close()  # Not given back: nothing else can be asked over it.

    def _take(self, message: Message) -> None:
        try:
            if message.event == "snapshot":
                self._replace(msgspec.json.decode(message.data, type=Snapshot))
            elif message.event == "flag":
                position = int(message.id) if message.id.isdecimal() else 0
                self._changed(self._known.update(message.data, position))
            else:
                return  # Of a later day. What it may change here, a new stream tells.
        except (msgspec.DecodeError, ValueError):
            self._last_id = ""  # Nothing may be missed: everything anew.
            raise
        self._last_id = message.id

    def _replace(self, snapshot: Snapshot) -> None:
        before, was_ready = self._known.state, self._known.ready
        names = self._known.replace(snapshot)
        if before.environment not in ("", snapshot.environment):
            logger.warning("flags are of %s now, not %s", snapshot.environment, before.environment)
        if snapshot.position < before.position:
            logger.warning("the server went back: %d → %d", before.position, snapshot.position)
            self._gone_back = True
        self.fresh = True
        self._unsaved = True
        if not was_ready:
            self._listeners.tell(Notice("ready"))
        self._changed(names)

    def _changed(self, names: tuple[str, ...]) -> None:
        if names:
            self._unsaved = True
            self._listeners.tell(Notice("changed", names))

    def _connected(self) -> None:
        if self.problem:
            logger.info("flags are followed again")
        self.connected, self.problem = True, ""
        self._refused.reset()
        self._heard()

    def _heard(self) -> None:
        self.heard_at = self._monotonic()
        if self.told_stale:
            self.told_stale = False
            self._listeners.tell(Notice("fresh"))

    def _trouble(self, problem: str) -> None:
        if self._stopping:
            problem = ""
        elif not self.problem:
            logger.warning("flags are not followed: %s; %s", problem, self._answers())
        self.connected, self.problem = False, problem

    def _answers(self) -> str:
        """Where answers come from meanwhile."""
        if not self._known.ready:
            return "none are known yet, so everything is off"
        if not (at := self._known.state.position):
            return "there were none at the server, so everything is off"
        return f"answers are of position {at}"

    def _pause(self, seconds: float) -> None:
        """Wait, and see meanwhile whether what is known becomes too old."""
        until = self._monotonic() + seconds
        while not self._stopping and (left := until - self._monotonic()) > 0:
            if self.stale and not self.told_stale:
                self.told_stale = True
                logger.warning("the flags known are %.0f seconds old", self.age_seconds or 0)
                self._listeners.tell(Notice("stale"))
            age = self.age_seconds
            if age is not None and age <= self._stale_after:
                left = min(left, self._stale_after - age + 0.001)
            self._bell.wait(left)

    def _save(self, *, soon: bool = False) -> None:
        """Write what is known, where that is news, or to say that it is still so."""
        if self._file is None or not self.fresh:
            return
        now = self._monotonic()
        due = self._unsaved or now - self._saved_at > _SAVE_EVERY_SECONDS
        if not soon and (not due or now < self._save_from):
            return
        heard_at = self._clock() - int((self.age_seconds or 0) * SECOND)
        try:
            snapshot = self._known.state.snapshot()
            if self._file.save(snapshot, heard_at, back=self._gone_back):
                self._unsaved, self._gone_back, self._saved_at = False, False, now
        except OSError as error:
            logger.warning("the snapshot could not be saved: %s", error)
            self._unsaved, self._saved_at = False, now
        # Ten thousand flags that change all the time must not keep the disk busy all the time.
        done = self._monotonic()
        self._save_from = done + _SAVE_PAUSE * (done - now)
