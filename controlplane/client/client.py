"""`Client`: what an application holds."""

import atexit
import logging
import os
import socket
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from urllib3 import PoolManager

from controlplane import clock as edge
from controlplane.bucketing import Attributes, Explanation
from controlplane.client.disk_spool import DiskSpool
from controlplane.client.entries import Told, to_line
from controlplane.client.follower import Follower
from controlplane.client.forking import FirstUse, after_fork
from controlplane.client.known import KnownFlags, off
from controlplane.client.measuring import Run
from controlplane.client.notices import Listener, Listeners
from controlplane.client.refused import RefusedFile
from controlplane.client.sender import Sender
from controlplane.client.server import Http, Server
from controlplane.client.snapshot_file import SnapshotFile
from controlplane.client.spool import MemorySpool
from controlplane.client.status import Status, status_of
from controlplane.errors import UnitMissing
from events.timestamps import Timestamp

logger = logging.getLogger(__name__)

_NONE: Attributes = {}
_MEBIBYTE = 1024 * 1024
_EXIT_SECONDS = 2.0
_LEAVE_SECONDS = 0.5
_GLANCE_SECONDS = 0.01


class Client:
    """Flags and executions of one control plane; one for each process, for as long as it lives.

    `url`, `token`: the server, and a token with the roles viewer and ingestor. `directory`: where
    the last flags and the executions not yet sent are kept; without one, a crash loses them.
    `offline`: answers from the directory and keeps what is recorded there, without a server.
    `fsync`: what is accepted survives the loss of power, too. Raises ValueError for an address or
    a token that cannot be one; a server that is away raises nothing, here or later.
    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        directory: str | os.PathLike[str] | None = None,
        offline: bool = False,
        fsync: bool = False,
        spool_bytes: int = 64 * _MEBIBYTE,
        send_every_seconds: float = 1.0,
        stale_after_seconds: float = 60.0,
        instance: str = "",
        http: Http = PoolManager,
        clock: Callable[[], Timestamp] = edge.now,
        new_id: Callable[[], str] = edge.new_id,
        fraction: Callable[[], float] = edge.fraction,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = Server(url, token, http)
        self._clock, self._new_id = clock, new_id
        self._offline = offline
        self._instance = instance
        self._known, self._listeners = KnownFlags(), Listeners()
        home = None if directory is None else self._server.folder_in(Path(directory))
        self._sender = Sender(
            MemorySpool(spool_bytes)
            if home is None
            else DiskSpool(home / "spool", spool_bytes, new_id, fsync=fsync),
            self._server.executions,
            RefusedFile(None if home is None else home / "refused.ndjson"),
            every_seconds=send_every_seconds,
            fraction=fraction,
        )
        self._follower = Follower(
            self._server,
            self._known,
            None if home is None else SnapshotFile(home / "flags.json", self._server.url),
            self._listeners,
            stale_after_seconds=stale_after_seconds,
            clock=clock,
            monotonic=monotonic,
            fraction=fraction,
        )
        self._follower.load()
        self._settle()
        self._wake()
        # Until then it is kept alive, as its threads are, though nobody hold it any more.
        atexit.register(self._close_at_exit)
        after_fork(weakref.WeakMethod(self._forget_parent))

    def _settle(self) -> None:
        """What is of this process alone."""
        self._pid = os.getpid()
        self._here = self._instance or f"{socket.gethostname()}:{self._pid}"
        self._waking = threading.Lock()
        self._asleep = True
        self._closed = False
        self._dropped = 0
        self._told = False

    def _awake(self) -> None:
        if os.getpid() != self._pid:  # A fork that Python was not told of.
            self._forget_parent()
        if self._asleep:
            self._wake()

    def _wake(self) -> None:
        """Start the threads, once."""
        with self._waking:
            if not self._asleep:
                return
            self._asleep = False
            if isinstance(self._known.compiled, FirstUse):
                self._known.compiled = dict(self._known.compiled)
                self._known.values = dict(self._known.values)
            if self._offline or self._closed:
                return
            try:
                self._follower.start()
                self._sender.start()
            except RuntimeError as error:  # The interpreter is on its way out.
                logger.warning("the client's threads cannot be started: %s", error)

    def _forget_parent(self) -> None:
        """In a forked child: threads, connections and what waits to be sent are the parent's.

        Its own threads start when it first asks or tells something: many children never do.
        """
        closed = self._closed
        self._server.forget_parent()
        self._follower.forget_parent()
        self._sender.forget_parent()
        self._settle()
        self._closed = closed
        self._known.compiled = FirstUse(self._known.compiled, self._wake)
        self._known.values = FirstUse(self._known.values, self._wake)

    def is_enabled(self, flag: str, unit: str, attributes: Attributes = _NONE) -> bool:
        """Whether the unit gets the new code. From memory; never raises; an unknown flag is off."""
        try:
            evaluate = self._known.compiled.get(flag)
            return evaluate is not None and evaluate(unit, attributes)
        except Exception as error:  # noqa: BLE001  why: whatever it is, the caller gets an answer
            self._failed(flag, error)
            return False

    def value(
        self, flag: str, unit: str | None, attributes: Attributes = _NONE, default: Any = None
    ) -> Any:
        """The value of the variant that the unit gets. From memory; never raises.

        `default` where the flag is not known, or its answer depends on a unit and there is none.
        """
        try:
            found = self._known.values.get(flag)
            return default if found is None else found(unit, attributes)
        except UnitMissing:
            return default
        except Exception as error:  # noqa: BLE001  why: whatever it is, the caller gets an answer
            self._failed(flag, error)
            return default

    def evaluate(self, flag: str, unit: str | None, attributes: Attributes = _NONE) -> Explanation:
        """Answer as `is_enabled` and `value` do, and say why. What `record` takes."""
        self._awake()
        try:
            return self._known.explain(flag, None if unit is None else str(unit), attributes)
        except Exception as error:  # noqa: BLE001  why: whatever it is, the caller gets an answer
            name, asker = (one if isinstance(one, str) else "" for one in (flag, unit))
            self._failed(flag, error)
            return off(name, asker, "ERROR", f"it could not be evaluated: {type(error).__name__}")

    def _failed(self, flag: object, error: Exception) -> None:
        """Tell once: it may be asked all the time."""
        if not self._told:
            self._told = True
            logger.error("flag %.200r could not be evaluated; it is off", flag, exc_info=error)

    def measure(self, flag: str, unit: str, attributes: Attributes = _NONE) -> Run:
        """Evaluate, time a block, and record it: `with client.measure(…) as run`."""
        return Run(self.record, self.evaluate(flag, unit, attributes))

    def record(self, told: Told, /, **fields: Any) -> bool:
        """Tell of one execution: a mapping, or an answer of `evaluate` with what came of it.

        True: it is on disk (without a directory, in memory), and is sent until the server has it.
        False: there was no room, the disk failed, or the client is closed; it is counted as
        dropped. Never waits for the network. Raises ValueError or TypeError for what the server
        would refuse.
        """
        self._awake()
        line = to_line(told, fields, new_id=self._new_id, now=self._clock(), instance=self._here)
        accepted = self._sender.submit(line)
        if not accepted:
            self._drop()
        return accepted

    def _drop(self) -> None:
        if not self._dropped:
            logger.warning("executions are dropped: %s", self._sender.spool.problem)
        self._dropped += 1

    def wait_until_ready(self, timeout: float, *, fresh: bool = False) -> bool:
        """Wait until there are flags to answer from, at most `timeout` seconds; whether there are.

        `fresh`: not those from disk, but as the server has told them to this process.
        """
        self._awake()
        until = time.monotonic() + timeout
        while not (self._follower.fresh if fresh else self._known.ready):
            left = until - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, _GLANCE_SECONDS))
        return True

    def listen(self, listener: Listener) -> None:
        """Call it when flags change, or become stale or fresh; in a thread that must go on."""
        self._listeners.add(listener)
        self._follower.told_stale = False

    def unlisten(self, listener: Listener) -> None:
        """Call it no more."""
        self._listeners.remove(listener)

    @property
    def ready(self) -> bool:
        """Whether there are flags to answer from."""
        return self._known.ready

    @property
    def stale(self) -> bool:
        """Whether the server was not heard for longer than `stale_after_seconds`."""
        return self._follower.stale

    def status(self) -> Status:
        """How the client is doing."""
        self._awake()
        return status_of(self._known, self._follower, self._sender, self._dropped)

    def flush(self, timeout: float) -> bool:
        """Wait until all that was recorded is answered for, at most `timeout` seconds."""
        self._awake()
        return self._sender.flush(timeout)

    def close(self, timeout: float = 5.0) -> None:
        """Send what waits, for at most `timeout` seconds, and end. Answers stay as they are.

        What could not be sent is sent by the next client on the directory; without one, it is lost.
        """
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self._close_at_exit)
        until = time.monotonic() + timeout
        self._follower.stop()
        self._sender.close(timeout)
        self._follower.join(min(_LEAVE_SECONDS, max(0.0, until - time.monotonic())))
        spool = self._sender.spool
        try:
            spool.close()
        except OSError as error:
            logger.warning("the spool could not be closed: %s", error)
        if spool.waiting and not spool.durable:
            logger.warning("%d executions are lost: they were not sent in time", spool.waiting)
            self._dropped += spool.waiting

    def _close_at_exit(self) -> None:
        self.close(_EXIT_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
