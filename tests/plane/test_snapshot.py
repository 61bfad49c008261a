"""The flags in memory: one that makes no sense harms no other, and executions cost them nothing."""

from typing import Any

import pytest

from controlplane import ControlPlane
from events.chain import Head
from events.errors import LogUnavailable
from events.event import Actor, NewEvent
from events.flags import EVERYONE, ExposureChanged, flag_stream
from events.log import Query
from tests.journeys.traffic import ENGINEER, FLAG, batch

UNITS = [f"user-{number}" for number in range(200)]


def not_understood(plane: ControlPlane) -> None:
    """An exposure that no release would record: percentages go in steps of 0.001."""
    changed = ExposureChanged(flag="odd", audience=EVERYONE, before=100, after=0.00001, reason="")
    new = NewEvent(
        stream=flag_stream("odd"),
        event=changed,
        id="00000000-0000-0000-0000-00000000ffff",
        occurred_at=plane.clock(),
        actor=Actor.person(ENGINEER),
    )
    plane.log.append([new])


@pytest.fixture
def odd(kept: ControlPlane) -> ControlPlane:
    """Two flags that are on for everyone."""
    kept.flags.create("odd", owner="patch-team", actor=ENGINEER)
    for name in ("odd", FLAG):
        kept.flags.enable(name, percentage=100, actor=ENGINEER)
    return kept


def answers(plane: ControlPlane, flag: str) -> list[bool]:
    return [plane.flags.is_enabled(flag, unit) for unit in UNITS]


def test_a_flag_that_cannot_be_understood_is_off_and_the_others_go_on(
    odd: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    not_understood(odd)
    with ControlPlane(odd.url, clock=odd.clock) as other:
        assert not any(answers(other, "odd"))
        assert all(answers(other, FLAG))
        assert "flag odd cannot be understood; it is off" in caplog.messages
        other.flags.disable(FLAG, actor=ENGINEER)
        assert not any(answers(other, FLAG))


def test_understood_again_it_answers_as_if_nothing_had_been(odd: ControlPlane) -> None:
    assert all(answers(odd, "odd"))
    not_understood(odd)
    odd.flags.describe("odd", description="what is this?", actor=ENGINEER)
    assert not any(answers(odd, "odd"))
    odd.flags.set_percentage("odd", 50, actor=ENGINEER)
    found = answers(odd, "odd")
    assert any(found)
    assert found == [odd.flags.explain("odd", unit).enabled for unit in UNITS]
    with ControlPlane(odd.url, clock=odd.clock) as other:
        assert answers(other, "odd") == found


def test_executions_recorded_since_cost_the_flags_nothing(
    flagged: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, asked = flagged.log.search, []

    def noted(query: Query) -> Any:
        asked.append(query.after)
        return search(query)

    monkeypatch.setattr(flagged.log, "search", noted)
    for _ in range(3):
        flagged.executions.record([batch()] * 1000)
        head = flagged.head().position
        for _ in range(5):
            flagged.flags.explain(FLAG, "user-17")
        assert asked[-1] == head - 1000
    assert len(asked) == 3


def test_many_changes_at_once_are_all_seen(kept: ControlPlane) -> None:
    names = [f"flag-{number}" for number in range(700)]
    with ControlPlane(kept.url, clock=kept.clock) as other:
        for name in names:
            kept.flags.create(name, owner="o", actor=ENGINEER)
            kept.flags.enable(name, percentage=100, actor=ENGINEER)
        assert all(other.flags.is_enabled(name, "user-17") for name in names)


# -- listeners -------------------------------------------------------------------------------------


def test_listeners_are_told_once_the_flags_hold_the_change(kept: ControlPlane) -> None:
    snapshot = kept.flags.snapshot
    told: list[tuple[frozenset[str], dict[str, float]]] = []

    def listener(names: frozenset[str]) -> None:
        assert {*snapshot.flags} == {*snapshot.compiled} == {*snapshot.values}
        told.append((names, {name: snapshot.flags[name].percentage for name in names}))

    snapshot.listeners.append(listener)
    kept.flags.create("other", owner="o", actor=ENGINEER)
    kept.flags.enable(FLAG, percentage=7, actor=ENGINEER)
    kept.executions.record([batch()])
    snapshot.refresh()
    assert told == [(frozenset({"other"}), {"other": 0.0}), (frozenset({FLAG}), {FLAG: 7.0})]
    assert [*snapshot.flags] == ["other", FLAG]
    assert snapshot.epoch == 0


def test_a_listener_that_fails_keeps_nothing_from_anybody(
    kept: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[frozenset[str]] = []
    kept.flags.snapshot.listeners += [lambda _: 1 / 0, told.append]  # type: ignore[list-item,return-value]  # why: one that fails
    kept.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    assert kept.flags.is_enabled(FLAG, "user-17")
    assert told == [frozenset({FLAG})]
    assert "a listener failed; the flags go on" in caplog.messages


def test_a_restored_database_is_another_epoch(
    kept: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = kept.flags.snapshot
    kept.flags.create("gone", owner="o", actor=ENGINEER)
    told: list[frozenset[str]] = []
    snapshot.listeners.append(told.append)
    with monkeypatch.context() as restored:
        then = kept.log.read(0, 1)
        restored.setattr(kept.log, "head", lambda: Head(1, b""))
        restored.setattr(kept.log, "search", lambda query: [e for e in then if query.after < 1])
        snapshot.refresh()
        assert [*snapshot.flags] == [FLAG]
        assert told == [frozenset({FLAG, "gone"})]
        assert snapshot.epoch == 1


def test_what_was_known_is_answered_from_until_the_restored_log_is_read(
    kept: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    assert kept.flags.is_enabled(FLAG, "user-17")

    def away(_query: Query) -> Any:
        raise LogUnavailable(cause="away")

    with monkeypatch.context() as restored:
        restored.setattr(kept.log, "head", lambda: Head(1, b""))
        restored.setattr(kept.log, "search", away)
        with pytest.raises(LogUnavailable):
            kept.flags.snapshot.refresh()
        assert kept.flags.is_enabled(FLAG, "user-17")
        assert kept.flags.snapshot.epoch == 0
