"""Snapshots that are thrown away while others are being taken leave nothing wrong behind."""

from typing import Any

import pytest

from controlplane import ControlPlane
from events.event import Event, RecordedEvent
from tests.journeys.traffic import ENGINEER, FLAG, batch

MANY = 2500


@pytest.fixture
def long_log(plane: ControlPlane) -> ControlPlane:
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    for _ in range(MANY // 500):
        plane.executions.record([batch() for _ in range(500)])
    return plane


def test_what_is_taken_while_all_is_thrown_away_is_not_kept(
    long_log: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = long_log._core.history
    read = history.log.read

    def interrupted(after: int, limit: int) -> list[RecordedEvent[Event]]:
        if after == 1000:
            monkeypatch.setattr(history.log, "read", read, raising=False)
            long_log.projections.rebuild("flags")
        return read(after, limit)

    monkeypatch.setattr(history.log, "read", interrupted, raising=False)
    long_log.projections.take_snapshots()
    assert [flag.name for flag in long_log.as_of(MANY + 1).flags.all()] == [FLAG]
    assert long_log.projections.verify().identical


def test_who_looks_while_it_is_thrown_away_looks_again(
    long_log: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_log.projections.take_snapshots()
    snapshots = long_log._core.history.snapshots
    scan = snapshots.scan

    def forgotten(*asked: Any) -> Any:
        monkeypatch.setattr(snapshots, "scan", scan)
        snapshots.forget()
        return scan(*asked)

    monkeypatch.setattr(snapshots, "scan", forgotten)
    assert [flag.name for flag in long_log.as_of(MANY + 1).flags.all()] == [FLAG]
