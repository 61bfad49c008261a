"""Random lives of a control plane: people, clients and rules, with reports that come late."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from controlplane import ControlPlane
from controlplane.errors import ControlPlaneError
from events.event import Event, RecordedEvent
from events.log import ReadOnly
from events.timestamps import HOUR, MINUTE, SECOND
from projections.replay import History
from projections.snapshots import MemorySnapshots
from tests.conftest import Clock
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL, batch, plan
from tests.projections.stores import ALL

Recorded = RecordedEvent[Event]
OTHER = "checkout"
R = f"{FLAG}-r1"
DELAYS = (0, 0, MINUTE, 20 * MINUTE, 2 * HOUR, -4 * MINUTE)
"""How late a report may be; one comes from a clock that is ahead."""

Deed = Callable[[ControlPlane, Clock], object]


def waits(minutes: int) -> Deed:
    return lambda _, clock: clock.advance(minutes * MINUTE + SECOND)


def runs(count: int, flag: str, delay: int, facts: dict[str, Any]) -> Deed:
    def deed(plane: ControlPlane, clock: Clock) -> None:
        one = batch(flag=flag, occurred_at=clock.now - delay, **facts)
        plane.executions.record([one] * count)

    return deed


def ends(plane: ControlPlane, _: Clock) -> None:
    for alert in plane.alerts.open():
        plane.alerts.resolve(alert.id, actor=ON_CALL, reason="mended")
    for incident in plane.incidents.open():
        plane.incidents.close(incident.id, actor=ON_CALL, reason="mended")


COMMANDS: dict[str, Deed] = {
    "on": lambda plane, _: plane.flags.enable(FLAG, percentage=10, actor=ENGINEER),
    "other on": lambda plane, _: plane.flags.enable(OTHER, percentage=25, actor=ENGINEER),
    "more": lambda plane, _: plane.flags.set_percentage(FLAG, 50, actor=ENGINEER),
    "off": lambda plane, _: plane.flags.disable(FLAG, actor=ON_CALL, reason="odd"),
    "rollout": lambda plane, _: plane.rollouts.start(plan(hold="20m"), flag=FLAG, actor=ENGINEER),
    "abort": lambda plane, _: plane.rollouts.abort(R, actor=ON_CALL, reason="odd"),
    "tick": lambda plane, _: plane.tick(),
    "watch": lambda plane, _: plane.alerts.watch(),
    "freeze": lambda plane, _: plane.freezes.declare(reason="an audit", actor=ENGINEER),
    "trouble": lambda plane, _: plane.incidents.declare(OTHER, reason="odd", actor=ON_CALL),
    "ends": ends,
    "token": lambda plane, _: plane.access.issue(owner="ben", roles=("viewer",), actor="ana"),
}
facts = st.sampled_from(
    [
        {},
        {"cohort": "off"},
        {"failed": True},
        {"failed": True, "ms": 900},
        {"violations": {"order": 1}},
        {"outcome": "rejected"},
    ]
)
deeds: st.SearchStrategy[Deed] = st.one_of(
    st.builds(
        runs,
        st.integers(1, 6),
        st.sampled_from([FLAG, FLAG, OTHER]),
        st.sampled_from(DELAYS),
        facts,
    ),
    st.sampled_from(sorted(COMMANDS)).map(COMMANDS.__getitem__),
    st.builds(waits, st.integers(0, 30)),
)
lives = st.lists(deeds, min_size=5, max_size=25)


@dataclass
class Lived:
    """A control plane with two flags, in memory or in a file."""

    plane: ControlPlane
    clock: Clock
    path: Path | None

    def live(self, life: list[Deed]) -> None:
        """What is refused is not done, and life goes on."""
        for deed in life:
            with contextlib.suppress(ControlPlaneError):
                deed(self.plane, self.clock)

    def log(self) -> list[Recorded]:
        return self.plane.log.read(0, 10**9)

    def history(self, every: int) -> History:
        """With marks as near to each other as that, in a store of its own."""
        return History(ReadOnly(self.plane.log), MemorySnapshots(), ALL, every)

    def tables(self) -> dict[str, list[str]]:
        """All that is stored. Snapshots are left out: they are computed from the rest."""
        if self.path is None:
            return {"events": [*map(repr, self.log())]}
        with closing(sqlite3.connect(self.path)) as database:
            names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            return {
                name: sorted(map(repr, database.execute(f'SELECT * FROM "{name}"')))  # noqa: S608  why: its own name
                for (name,) in names.fetchall()
                if name != "projection_snapshots"
            }


@contextmanager
def lived(life: list[Deed], path: Path | None) -> Iterator[Lived]:
    """One that has lived such a life; `path`: a file with the schema, or none."""
    clock = Clock()
    with ControlPlane(f"sqlite:///{path}" if path else "memory://", clock=clock) as plane:
        for flag in (FLAG, OTHER):
            plane.flags.create(flag, owner="patch-team", actor=ENGINEER)
        found = Lived(plane, clock, path)
        found.live(life)
        yield found
