"""An incident in three chapters, the same every time; docs/incident-walkthrough.md reads it.

    python examples/incident_story.py rollout   two days of a rollout, into wave 2
    python examples/incident_story.py release   a bad release at night, and what the rules do
    python examples/incident_story.py answer    what people do about it

They write to CONTROLPLANE_DATABASE_URL, in this order, and print what people type. Users, time and
the machine are made up; the patch engine, its defect, the rules and the commands are real.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

from batchpatch import Applied, Batch, Layers, Patch, PatchService, Pipeline, execute, population
from batchpatch.population import User

from controlplane import ControlPlane
from controlplane.bucketing import Explanation
from controlplane.cli import app
from controlplane.cli.output import Chosen, when
from events.timestamps import HOUR, MINUTE, SECOND, Timestamp, parse
from projections.flags import Flag

FLAG = "batch-patches-v1"
ROLLOUT = f"{FLAG}-r1"
VIOLATION = f"{FLAG}/INVARIANT_VIOLATION_DETECTED/1"
MACHINE = {"memory_current_bytes": 96 << 20, "memory_peak_bytes": 101 << 20}


class Watch:
    """The time of the story, and a stopwatch to match; both go on only when they are told to."""

    now: Timestamp = 0
    _ns: int = 0

    def __call__(self) -> Timestamp:
        """The time now."""
        return self.now

    def stopwatch(self) -> int:
        """Nanoseconds: each layer takes some milliseconds on this machine."""
        self._ns += 2_000_000 + self._ns // 100_000 % 7 * 300_000
        return self._ns

    def spend(self, seconds: float) -> None:
        """Somebody waits while the stopwatch runs."""
        self._ns += round(seconds * 1e9)


def edits() -> list[Batch]:
    """A word replaced, inserted, taken out; at last a signature put at the end."""
    text = "Dear team,\nthe meeting is on Monday at ten.\nBring your notes.\n"
    monday, ten, end = text.index("Monday"), text.index(" at ten"), len(text)
    moved = Patch.between(monday, monday + 6, "Tuesday")
    return [
        Batch(text, (moved,), label="replace"),
        Batch(text, (Patch.between(monday, monday, "next "),), label="insert"),
        Batch(text, (Patch.between(ten, ten + 7, ""),), label="delete"),
        Batch(text, (moved, Patch.between(end, end, "Ada\n")), label="sign"),
    ]


def defective(watch: Watch) -> Layers:
    """Release 1.8.3: it waits for a lock now and then, and loses what is put at the very end."""
    calls = count()

    def executor(document: str, plan: tuple[Patch, ...]) -> Applied:
        if next(calls) % 32 == 0:
            watch.spend(1.4)
        return execute(document, plan[:-1] if plan[-1].start == len(document) else plan)

    return Layers(executor=executor)


class Story:
    """One plane by the story's clock; a service that asks it; people at their terminals."""

    def __init__(self, plane: ControlPlane, watch: Watch, new_id: Callable[[], str]) -> None:
        self._plane = plane
        self.watch = watch
        self._turn = count()
        self._asked_at = -MINUTE
        self._known: Flag | None = None
        self._unsent: list[dict[str, Any]] = []
        self.layers = Layers()
        self.batches = edits()[:-1]
        self.instance, self.cut_off = "web-1:4711", False
        pipeline = Pipeline(lambda: self.layers, watch.stopwatch)
        self._service = PatchService(self, pipeline, flag=FLAG, new_id=new_id, now_us=watch)

    def evaluate(self, flag: str, unit: str, attributes: Mapping[str, object]) -> Explanation:
        """What the service asks: the flags as they were when it last fetched them."""
        return self._flags.evaluate(flag, unit, attributes)

    def _fetch(self) -> None:
        """Have the flags anew, every ten seconds."""
        if self.watch.now - self._asked_at < 10 * SECOND:
            return
        self._asked_at = self.watch.now
        flag = self._plane.flags.get(FLAG)
        if flag == self._known:
            return
        self._known, self._flags = flag, self._plane.as_of(self._plane.head().position).flags
        self._on, self._off = [], []
        for user in population(300):
            enabled = self.evaluate(FLAG, user.id, user.attributes).enabled
            (self._on if enabled else self._off).append(user)

    def record(self, executions: list[dict[str, Any]]) -> None:
        """What the service tells; of the story's machines, not of yours."""
        for one in executions:
            one.update(MACHINE, instance=self.instance)
            if one["cohort"] == "off":
                one["duration_us"] = 9_000
        if self.cut_off:
            self._unsent += executions
        else:
            self._plane.executions.record(executions)

    def serve(self, until: str, every_us: int, look_us: int) -> None:
        """A batch every so often, a third on the old path; the scheduler looks now and then."""
        end, looked_at = parse(until), self.watch.now
        while self.watch.now + every_us <= end:
            self.watch.now += every_us
            turn = next(self._turn)
            self._service.handle(self._somebody(turn), self.batches[turn % len(self.batches)])
            self._service.flush()
            if self.watch.now - looked_at >= look_us:
                self._plane.tick()
                looked_at = self.watch.now

    def _somebody(self, turn: int) -> User:
        self._fetch()
        users = (turn % 5 not in (1, 3) and self._on) or self._off
        return users[turn % len(users)]

    def deliver(self, moment: str) -> None:
        """What was cut off gets through."""
        self.watch.now = parse(moment)
        self._plane.executions.record(self._unsent)
        self._plane.tick()

    def types(self, moment: str, who: str, *words: str) -> None:
        """Somebody runs a command, and reads the answer. Who it is, CONTROLPLANE_ACTOR says."""
        self.watch.now = parse(moment)
        shown = " ".join(f'"{word}"' if " " in word else word for word in words)
        sys.stdout.write(f"{when(self.watch.now)} {who}$ controlplane {shown}\n")
        os.environ["CONTROLPLANE_ACTOR"] = who
        if app(list(words), standalone_mode=False):
            raise SystemExit(1)  # Refused: the story is at its end.


def rollout(story: Story) -> None:
    """Wave 1 holds for a day; a second person agrees to wave 2."""
    story.types("2026-11-17T09:00Z", "ana", "flags", "create", FLAG, "--owner", "patch-team")
    story.types("2026-11-17T09:01Z", "ana", "rollouts", "start", FLAG)
    story.serve("2026-11-18T10:10Z", 6 * MINUTE, HOUR)
    story.types("2026-11-18T10:12Z", "ben", "rollouts", "approve", f"{ROLLOUT}-p1")
    story.serve("2026-11-19T02:50Z", 6 * MINUTE, HOUR)


def release(story: Story) -> None:
    """At 02:50 release 1.8.3 goes out; web-2 is cut off; from 02:54 on a job signs documents."""
    story.watch.now = parse("2026-11-19T02:50Z")
    story.layers = defective(story.watch)
    story.serve("2026-11-19T02:52Z", 4 * SECOND, 8 * SECOND)
    story.instance, story.cut_off = "web-2:812", True
    story.batches = edits()
    story.serve("2026-11-19T02:52:40Z", 4 * SECOND, HOUR)
    story.instance, story.cut_off = "web-1:4711", False
    story.batches = edits()[:-1]
    story.serve("2026-11-19T02:54Z", 4 * SECOND, 8 * SECOND)
    story.batches = edits()
    story.serve("2026-11-19T02:56Z", 2 * SECOND, 4 * SECOND)
    story.deliver("2026-11-19T02:56:30Z")


def answer(story: Story) -> None:
    """Cleo is on call."""
    story.types("2026-11-19T02:56:50Z", "cleo", "alerts", "list")
    story.types(
        *("2026-11-19T02:57Z", "cleo", "alerts", "ack", VIOLATION),
        *("--note", "awake; reading what failed"),
    )
    story.types(
        *("2026-11-19T03:09Z", "cleo", "incidents", "note", "INC-1"),
        "all that fails puts text at the very end of a document; 1.8.3 went out at 02:50",
    )
    story.types(
        *("2026-11-19T03:34Z", "cleo", "alerts", "resolve", VIOLATION),
        *("--reason", "1.8.3 loses an insert at the very end; 1.8.2 is back, a test shows it"),
    )
    story.types(
        *("2026-11-19T03:36Z", "cleo", "incidents", "close", "INC-1"),
        *("--reason", "insert at the very end lost by the executor of 1.8.3; rolled back to 1.8.2"),
    )


CHAPTERS: dict[str, Callable[[Story], None]] = {
    "rollout": rollout,
    "release": release,
    "answer": answer,
}


def tell(names: list[str]) -> None:
    """Play chapters, each with identifiers of its own."""
    watch = Watch()
    for name in names:
        numbers = count(1 + 1_000_000 * list(CHAPTERS).index(name))
        new_id = partial(_identifier, numbers)
        Chosen.clock, Chosen.new_id = watch, new_id
        with ControlPlane(clock=watch, new_id=new_id) as plane:
            if name != _next(plane):
                sys.exit(f"{name} does not come next here. Begin anew, in an empty database.")
            CHAPTERS[name](Story(plane, watch, new_id))


def _next(plane: ControlPlane) -> str:
    """The chapter that is to be played."""
    if not plane.head().position:
        return "rollout"
    if not plane.incidents.all():
        return "release"
    return "answer" if plane.incidents.open() else "none"


def _identifier(numbers: Iterator[int]) -> str:
    return str(UUID(int=next(numbers)))


if __name__ == "__main__":
    tell(sys.argv[1:] or list(CHAPTERS))
