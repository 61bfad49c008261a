"""What the client knows: whole, never going back by itself, and each flag for itself."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.bucketing import compile_flag, explain
from controlplane.client.known import KnownFlags
from projections.flags import Flag
from tests.client.flags import flag, sent, snapshot


def answers(known: KnownFlags, name: str, unit: str = "u") -> tuple[bool, bool]:
    evaluate = known.compiled.get(name)
    return evaluate is not None and evaluate(unit, {}), known.explain(name, unit, {}).enabled


def test_before_anything_is_known_everything_is_off_and_says_so() -> None:
    known = KnownFlags()
    answer = known.explain("f", "u", {})
    assert (known.ready, answer.enabled, answer.reason) == (False, False, "NOT_READY")


def test_a_snapshot_replaces_everything_and_names_what_differs() -> None:
    known = KnownFlags()
    assert known.replace(snapshot(5, flag("a", 1), flag("b", 2), flag("c", 3))) == ("a", "b", "c")
    changed = known.replace(snapshot(7, flag("a", 1), flag("b", 7, percentage=0), flag("d", 6)))
    assert changed == ("b", "c", "d")
    assert [answers(known, name)[0] for name in "abcd"] == [True, False, False, True]
    assert known.explain("c", "u", {}).reason == "FLAG_NOT_FOUND"
    assert (known.state.environment, known.state.position) == ("production", 7)


def test_one_flag_is_replaced_as_it_stands_and_moves_the_position() -> None:
    known = KnownFlags()
    known.replace(snapshot(5, flag("a", 1), flag("b", 2)))
    assert known.update(sent(flag("a", 8, percentage=0)), 8) == ("a",)
    assert (answers(known, "a"), answers(known, "b")) == ((False, False), (True, True))
    assert known.state.position == 8


def test_what_is_older_than_what_is_known_changes_nothing() -> None:
    known = KnownFlags()
    known.replace(snapshot(9, flag("a", 8, percentage=0)))
    for position in (3, 8):
        assert known.update(sent(flag("a", position)), position) == ()
    assert answers(known, "a") == (False, False)
    assert known.state.position == 9


def test_only_a_whole_snapshot_goes_back() -> None:
    known = KnownFlags()
    known.replace(snapshot(9, flag("a", 8, percentage=0)))
    known.replace(snapshot(4, flag("a", 3)))
    assert (answers(known, "a"), known.state.position) == ((True, True), 4)


@given(st.permutations(range(1, 9)))
def test_in_whatever_order_flags_come_the_newest_of_each_counts(order: list[int]) -> None:
    known = KnownFlags()
    known.replace(snapshot(0))
    for position in order:
        name = "even" if position % 2 == 0 else "odd"
        known.update(sent(flag(name, position, percentage=position)), position)
    newest = {name: entry.flag.percentage for name, entry in known.state.entries.items()}
    assert (newest, known.state.position) == ({"even": 8.0, "odd": 7.0}, 8)


@pytest.mark.parametrize(
    "strange",
    [
        sent(flag("x", 3, algorithm="sha-512/of-the-future")),
        sent(
            flag("x", 3), exposures=[{"audience": {"name": "a", "moon": "full"}, "percentage": 5}]
        ),
        sent(flag("x", 3), exposures=[{"audience": {"name": "a"}, "percentage": 500}]),
        b'{"name":"x","position":3}',
    ],
    ids=["algorithm", "condition", "percentage", "nothing"],
)
def test_a_flag_that_is_not_understood_is_off_and_the_others_go_on(strange: bytes) -> None:
    known = KnownFlags()
    known.replace(snapshot(5, flag("x", 1), flag("y", 1)))
    known.update(strange, 6)
    assert (answers(known, "x"), answers(known, "y")) == ((False, False), (True, True))
    answer = known.explain("x", "u", {})
    assert (answer.reason, answer.position) == ("NOT_UNDERSTOOD", 3)
    assert list(known.problems()) == ["x"]
    known.update(sent(flag("x", 7)), 7)
    assert (answers(known, "x"), known.problems()) == ((True, True), {})


def test_fields_of_a_later_release_are_kept_for_when_they_are_understood() -> None:
    known = KnownFlags()
    known.replace(snapshot(5, sent(flag("a", 1), colour="green")))
    assert answers(known, "a") == (True, True)
    assert b'"colour":"green"' in msgspec.json.encode(known.state.snapshot())


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"name":1}'])
def test_what_is_no_flag_at_all_is_refused_and_changes_nothing(data: bytes) -> None:
    known = KnownFlags()
    known.replace(snapshot(5, flag("a", 1)))
    before = known.state
    with pytest.raises(msgspec.DecodeError):
        known.update(data, 6)
    with pytest.raises(msgspec.DecodeError):
        known.replace(snapshot(6, data or b"1"))
    assert known.state is before


@given(st.text(max_size=8), st.floats(0, 100).map(lambda p: round(p, 3)))
def test_answers_are_those_of_the_control_plane(unit: str, percentage: float) -> None:
    one: Flag = flag("a", 1, percentage=percentage)
    known = KnownFlags()
    known.replace(snapshot(1, one))
    assert known.compiled["a"](unit, {}) == compile_flag(one)(unit, {})
    assert known.explain("a", unit, {}) == explain(one, unit)
