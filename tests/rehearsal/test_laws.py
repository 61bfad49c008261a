"""Whatever was recorded: what was in force decides it alike, and nobody knows what comes later."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, note, settings
from hypothesis import strategies as st

from controlplane import ControlPlane, rulebook
from controlplane.errors import ControlPlaneError
from controlplane.plans import parse
from controlplane.rehearsal.outcomes import Outcome
from controlplane.rehearsal.rulebooks import Rulebook
from controlplane.rules.catalog import WATCHED
from events.timestamps import HOUR, MINUTE
from tests.conftest import Clock
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL, Rolling, Service, batch, resolve_all

Step = tuple[str, Any]


def plan(**changes: Any) -> dict[str, Any]:
    """Two short waves and a soak, that little evidence decides."""
    criteria = [
        {"kind": "rate_below", "bound": changes.get("bound", 0.3)},
        {"kind": "zero_events"},
    ]
    stage = {"hold": changes.get("hold", "20m"), "criteria": criteria}
    return {
        "name": "short",
        "waves": [
            {"name": "few", "percentage": 20, **stage},
            {"name": "all", "percentage": 100, **stage},
        ],
        "soak": stage | {"hold": "1h"},
        "settle": "10s",
    }


RAN = Rulebook(name="as it was", plan=parse(plan()), rules=WATCHED)
RENAMED = replace(RAN, name="renamed", plan=parse(plan() | {"version": "2"}))
STRICTER = rulebook(plan(bound=0.1, hold="30m"), name="stricter")
TIGHTER = rulebook(
    rules={"ERROR_RATE_CRITICAL": {"threshold": 0.05}, "HIGH_VIOLATION_RATE": {"threshold": 1}},
    name="tighter",
)
LOOSER = rulebook(
    plan(bound=0.6, hold="10m"), {"ERROR_RATE_CRITICAL": {"enabled": False}}, name="looser"
)

executed = st.tuples(
    st.just("run"),
    st.tuples(
        st.integers(1, 12), st.integers(0, 12), st.integers(0, 90), st.sampled_from(["on", "off"])
    ),
)
said = st.sampled_from(
    ["pause", "resume", "approve", "reject", "freeze", "thaw", "extend", "resolve", "lower", "skip"]
)
steps = st.lists(
    st.one_of(
        executed,
        executed,
        st.tuples(st.just("wait"), st.integers(1, 40)),
        st.tuples(st.just("tick"), st.none()),
        st.tuples(st.just("tick"), st.none()),
        st.tuples(said, st.none()),
        st.tuples(st.just("approve"), st.none()),
        st.tuples(st.just("violate"), st.none()),
        st.tuples(st.just("abort"), st.integers(0, 9)),
    ),
    min_size=5,
    max_size=40,
)


stretches = st.tuples(st.just("stretch"), st.tuples(st.integers(5, 40), st.integers(0, 6)))
unwatched = st.lists(st.one_of(stretches, stretches, st.tuples(said, st.none())), max_size=4)
"""Traffic that nobody looks at meanwhile: whoever does later, finds other rules ahead of it."""


class History:
    """What happened, step by step."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.plane = ControlPlane("memory://", clock=self.clock)
        self.plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
        started = self.plane.rollouts.start(plan(), flag=FLAG, actor=ENGINEER)
        self.rolling = Rolling(Service(self.plane, self.clock), started.id)
        self.units = 0

    def does(self, steps: Sequence[Step]) -> None:
        for name, what in steps:
            try:
                self._does(name, what)
            except ControlPlaneError:
                continue  # It was refused: nothing happened.

    def _does(self, name: str, what: Any) -> None:
        plane, id_ = self.plane, self.rolling.id
        match name:
            case "run":
                self._runs(*what)
            case "stretch":
                minutes, failed = what
                for _ in range(minutes):
                    self.clock.advance(MINUTE)
                    self._runs(8, failed, 0, "on")
            case "wait":
                self.clock.advance(what * MINUTE)
            case "tick":
                self.clock.advance(MINUTE)
                plane.tick()
            case "violate":
                plane.executions.record([batch(violations={"order": 1}, unit="v")])
            case "pause" | "resume":
                getattr(plane.rollouts, name)(id_, actor=ON_CALL, reason="so")
            case "approve" | "reject":
                proposal = self.rolling.now.proposal
                if proposal is not None:
                    getattr(plane.rollouts, name)(proposal.id, actor=ON_CALL, reason="so")
            case "freeze":
                plane.freezes.declare(reason="peak", actor=ON_CALL)
            case "thaw":
                for freeze in plane.freezes.all():
                    plane.freezes.lift(freeze.id, actor=ON_CALL, reason="over")
            case "extend":
                plane.rollouts.extend_bake(id_, by="5m", actor=ON_CALL, reason="to be sure")
            case "skip":
                plane.rollouts.skip(id_, actor="somebody", reason="we must")
            case "resolve":
                resolve_all(plane)
            case "lower":
                plane.flags.set_percentage(FLAG, 5, actor=ON_CALL)
            case "abort" if what == 0:
                plane.rollouts.abort(id_, actor=ON_CALL, reason="enough")
            case _:
                pass

    def _runs(self, count: int, failed: int, late: int, cohort: str) -> None:
        """Some of them told late."""
        at = self.clock.now - late * MINUTE
        batches = []
        for n in range(count):
            self.units += 1
            unit = f"u{self.units % 40}"
            batches.append(batch(cohort, failed=n < failed, unit=unit, occurred_at=at))
        self.plane.executions.record(batches)

    def rehearse(self, *rulebooks: Rulebook) -> list[Outcome]:
        return list(self.plane.rehearse(rulebooks=rulebooks, rollout=self.rolling.id).outcomes)


@settings(max_examples=40)
@given(steps)
def test_what_was_in_force_decides_it_alike(taken: list[Step]) -> None:
    history = History()
    history.does(taken)
    ran, renamed = history.rehearse(RAN, RENAMED)
    for found in (ran, renamed):
        note(str(found))
        assert (found.answer, found.stops, found.beyond) == ("same", (), None)
        assert found.departures == ()
    assert ran.identical == ran.decisions


@settings(max_examples=30)
@given(unwatched, stretches, steps, st.data())
def test_what_is_recorded_later_alters_no_earlier_decision(
    before: list[Step], bad: Step, after: list[Step], data: st.DataObject
) -> None:
    taken = [*before, ("stretch", (30, 0)), ("stretch", (20, 6)), bad, *after]
    cut = data.draw(st.integers(len(before) + 2, len(taken)))
    shorter, longer = History(), History()
    shorter.does(taken[:cut])
    head = shorter.plane.head().position
    longer.does(taken)
    books = (STRICTER, TIGHTER, LOOSER)
    found = shorter.rehearse(*books)
    known = [_known(one, head) for one in found]
    assert known == [_known(one, head) for one in longer.rehearse(*books)]
    assert any(known), "the bad stretch stops a stricter plan, whatever comes later"


def _known(found: Outcome, head: int) -> list[Any]:
    """What was decided strictly before a position."""
    places = [*found.stops, *([found.beyond] if found.beyond else []), *found.departures]
    return [one for one in places if one.position < head]


def test_what_happened_before_and_was_told_later_is_invisible_to_what_was_decided() -> None:
    known, planted = History(), History()
    for history in (known, planted):
        for minute in range(1, 90):
            history.clock.advance(MINUTE)
            history._runs(10, 4 if minute > 40 else 0, 0, "on")
    (stop,) = known.rehearse(STRICTER)[0].stops
    assert stop.kind == "rolled_back"
    # Half of them had failed from the very first minute on, and nobody had told.
    planted.clock.advance(HOUR)
    for late in range(60, 149):
        planted._runs(10, 10, late, "on")
    found = planted.rehearse(STRICTER)[0]
    assert found.stops == (stop,)
    assert found.answer == "exact"
