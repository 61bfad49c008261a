"""A command as it came in from outside: recorded with what it led to, in one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID, uuid5

from controlplane.access_errors import KeyReused, PreconditionFailed
from events.access import COMMAND_STREAM, CommandAccepted, command_stream
from events.event import Event, RecordedEvent
from events.log import EventLog, Query

_KEYS = UUID("0b5a1d7e-6a53-5c0e-9a3a-6a1c0f6f4a77")
"""The namespace in which idempotency keys are turned into streams, for good."""


@dataclass(kw_only=True)
class Request:
    """Who asks for what, from where, and on which conditions."""

    command: str
    method: str
    path: str
    token: str
    address: str
    owner: str
    fingerprint: str = ""
    key: str = ""
    """Idempotency-Key: the command is done once, however often it is sent."""
    expects: int | None = None
    """If-Match: the version that what it is about must be at."""
    about: str = ""
    """The stream of what it is about."""
    recorded: bool = False
    """Whether it is in the log."""
    replayed: bool = False
    """Whether it had been done before under the same key."""

    @property
    def stream(self) -> str:
        """Where it is recorded: under a key, in a stream of its own that can begin only once."""
        if not self.key:
            return COMMAND_STREAM
        return command_stream(str(uuid5(_KEYS, f"{self.owner}\n{self.key}")))

    def earlier(self, log: EventLog) -> RecordedEvent[Event] | None:
        """The same command, if it was done before. Raises KeyReused for another one."""
        found = self.refuse_other(log)
        if found is not None:
            self.recorded = self.replayed = True
        return found

    def refuse_other(self, log: EventLog) -> RecordedEvent[Event] | None:
        """What was done under the key. Raises KeyReused where that was another command."""
        found = log.read_stream(self.stream) if self.key else []
        if not found:
            return None
        event = found[0].event
        if not isinstance(event, CommandAccepted) or event.fingerprint != self.fingerprint:
            raise KeyReused(key=self.key)
        return found[0]

    def refuse_changed(self, log: EventLog) -> None:
        """Raise PreconditionFailed where what it is about is at another version by now."""
        if self.expects is not None and (actual := version_of(log, self.about)) != self.expects:
            raise PreconditionFailed(what=self.about, expected=self.expects, actual=actual)

    def accepted(self, *, changed: bool, result: str) -> CommandAccepted:
        """The event that records it."""
        return CommandAccepted(
            command=self.command,
            method=self.method,
            path=self.path[:500],
            token=self.token,
            address=self.address,
            changed=changed,
            fingerprint=self.fingerprint if self.key else "",
            result=result,
        )


def version_of(log: EventLog, stream: str, before: int | None = None) -> int:
    """The version of a stream's last event, or last one before a position; 0 where it has none."""
    newest = log.search(Query(stream=stream, before=before, newest_first=True, limit=1))
    return newest[0].version if newest else 0


_CURRENT: ContextVar[Request | None] = ContextVar("request", default=None)


@contextmanager
def requested(request: Request) -> Iterator[Request]:
    """Within it, the command of this thread or task is recorded as this request."""
    before = _CURRENT.set(request)
    try:
        yield request
    finally:
        _CURRENT.reset(before)


def current() -> Request | None:
    """The request that is being carried out, if it came from outside and is not recorded yet."""
    request = _CURRENT.get()
    return None if request is None or request.recorded else request
