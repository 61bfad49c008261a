"""Candidates for the lease whose time is the tests' clock, and what they do."""

from collections.abc import Callable

from controlplane import ControlPlane
from controlplane.execution import Transaction
from controlplane.plane.core import context
from controlplane.plane.scheduling import Candidate
from events.event import Actor
from events.scheduler import SCHEDULER_STREAM, LeaseTaken
from events.timestamps import MINUTE, SECOND
from tests.events.builders import fact

TTL = 10 * SECOND
ACTS = "acts"


def candidate(plane: ControlPlane, name: str) -> Candidate:
    """One whose own clock goes as the plane's does."""
    begun = plane.clock()
    one = plane.candidate(name, evaluates_every_us=MINUTE, ttl_us=TTL)
    one._monotonic = lambda: (plane.clock() - begun) / SECOND
    return one


def expire(plane: ControlPlane) -> None:
    """The lease is free, though its holder may not know."""
    held = plane._lease.current()
    assert held is not None
    plane._lease.release(held.holder)


def taken(plane: ControlPlane) -> list[tuple[str, int]]:
    """Who took it, under which token."""
    events = plane.events(stream=SCHEDULER_STREAM)
    return [
        (recorded.event.holder, recorded.event.token)
        for recorded in events
        if isinstance(recorded.event, LeaseTaken)
    ]


def act(plane: ControlPlane, name: str, meanwhile: Callable[[], object] = lambda: None) -> None:
    """A command: it reads and decides, `meanwhile` something happens, it appends."""

    def work(transaction: Transaction) -> None:
        event = fact(plane.head().position).event
        meanwhile()
        transaction.stage(ACTS, [event])

    plane._core.run(work, context(Actor.system(name)))


def out_of_turn(plane: ControlPlane) -> list[int]:
    """The positions of acts by another one than who took the lease last."""
    holder, found = "", []
    for recorded in plane.log.read(limit=10**6):
        if isinstance(recorded.event, LeaseTaken):
            holder = recorded.event.holder
        elif recorded.stream == ACTS and recorded.actor.id != holder:
            found.append(recorded.position)
    return found
