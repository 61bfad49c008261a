from typing import Any

from events.event import Actor
from events.freezes import FREEZE_STREAM, FreezeDeclared, FreezeLifted, Window
from events.timestamps import HOUR
from projections.freezes import FREEZES, Freeze, Freezes
from tests.projections.recording import START, Told, told

WEEKEND = Window(
    rrule="FREQ=WEEKLY;BYDAY=FR",
    starts="2026-11-27T16:00:00",
    duration_us=63 * HOUR,
    timezone="Europe/Berlin",
)


def declared(number: int, **facts: Any) -> FreezeDeclared:
    given = {"name": "", "reason": "INC-7", "flags": (), "ends_at": None, "window": None} | facts
    return FreezeDeclared(freeze=f"freeze-{number}", starts_at=START, **given)


def lifted(number: int) -> FreezeLifted:
    return FreezeLifted(freeze=f"freeze-{number}", reason="over")


def freezes_after(*history: Told, actor: Actor | None = None) -> Freezes:
    events = told(*history, actor=actor or Actor.person("ann"))
    assert {FREEZES.key(event) for event in events} <= {FREEZE_STREAM}
    return FREEZES.fold(FREEZE_STREAM, events)


def ids(freezes: Freezes) -> list[str]:
    return [freeze.id for freeze in freezes.standing]


def test_at_first_nothing_is_frozen() -> None:
    assert freezes_after() == Freezes()


def test_what_was_declared_stands_as_it_was_declared() -> None:
    event = declared(1, name="weekend", flags=("checkout",), ends_at=START + HOUR, window=WEEKEND)
    assert freezes_after(event).standing == (
        Freeze(
            id="freeze-1",
            name="weekend",
            reason="INC-7",
            flags=("checkout",),
            starts_at=START,
            ends_at=START + HOUR,
            window=WEEKEND,
            declared_by="ann",
            position=1,
        ),
    )


def test_they_stand_in_the_order_in_which_they_were_declared() -> None:
    assert ids(freezes_after(declared(1), declared(2), declared(3))) == [
        "freeze-1", "freeze-2", "freeze-3",
    ]  # fmt: skip


def test_a_lifted_one_is_gone_and_its_number_is_not_given_again() -> None:
    freezes = freezes_after(declared(1), declared(2), lifted(1))
    assert (ids(freezes), freezes.declared) == (["freeze-2"], 2)


def test_lifting_what_does_not_stand_changes_nothing() -> None:
    assert freezes_after(declared(1), lifted(7)) == freezes_after(declared(1))


def test_one_whose_end_has_passed_stands_until_it_is_lifted() -> None:
    assert ids(freezes_after(declared(1, ends_at=START - HOUR), declared(2))) == [
        "freeze-1", "freeze-2",
    ]  # fmt: skip


def test_who_has_no_name_is_known_by_id() -> None:
    (freeze,) = freezes_after(declared(1), actor=Actor(kind="token", id="ci")).standing
    assert freeze.declared_by == "ci"
