"""How the client itself is doing."""

from collections.abc import Mapping
from dataclasses import dataclass

from controlplane.client.follower import Follower
from controlplane.client.known import KnownFlags
from controlplane.client.sender import Sender


@dataclass(frozen=True, slots=True)
class Status:
    """A moment's picture: log it, or show it at a health endpoint."""

    connected: bool
    """Whether the stream of flags is open now."""
    ready: bool
    """Whether there are flags to answer from, from the server or from disk."""
    stale: bool
    """Whether the server was last heard longer ago than `stale_after_seconds`."""
    age_seconds: float | None
    """How long ago the server last confirmed what is known; None where nothing is."""
    environment: str
    position: int
    """The log position that answers are of."""
    flags: int
    not_understood: Mapping[str, str]
    """Flags that this release cannot evaluate, and why: they are off."""
    flags_problem: str
    """Why the stream is not open; empty where it is."""
    accepted: int
    """Executions that `record` answered with True, and those adopted from other processes."""
    waiting: int
    """Of them, those that the server has not answered for yet."""
    spool_bytes: int
    duplicates: int
    """Of those that were sent, how many the server had already."""
    refused: int
    """Of those that were sent, how many the server will never take."""
    dropped: int
    """Executions that were not accepted, or lost: no room, no disk, closed."""
    executions_problem: str
    """Why executions are not accepted or not sent; empty where they are."""


def status_of(known: KnownFlags, follower: Follower, sender: Sender, dropped: int) -> Status:
    """The picture now; `dropped` were not accepted."""
    state, spool = known.state, sender.spool
    return Status(
        connected=follower.connected,
        ready=known.ready,
        stale=follower.stale,
        age_seconds=follower.age_seconds,
        environment=state.environment,
        position=state.position,
        flags=len(state.entries),
        not_understood=known.problems(),
        flags_problem=follower.problem,
        accepted=spool.arrived,
        waiting=spool.waiting,
        spool_bytes=spool.size,
        duplicates=sender.duplicates,
        refused=sender.refused.count,
        dropped=dropped + sender.vanished,
        executions_problem=spool.problem or sender.problem,
    )
