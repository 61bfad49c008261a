from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.errors import InvalidInput
from controlplane.targeting import check, holds, matches, version_key
from events import EVERYONE, Audience, Condition
from events.flags import Operator

OPERATORS = Operator.__args__
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
anything = scalars | st.lists(scalars) | st.tuples(scalars) | st.binary() | st.builds(object)


@pytest.mark.parametrize(
    ("operator", "value", "matching", "others"),
    [
        ("equals", "beta", ["beta"], ["Beta", "beta ", "", 1]),
        ("equals", 1, [1, 1.0], [True, "1", 2]),
        ("equals", True, [True], [1, "True", False]),
        ("not_equals", "beta", ["b2", 1, True], ["beta"]),
        ("not_equals", 1, [True, 2, "1"], [1, 1.0]),
        ("in", ("a", 1), ["a", 1], ["b", True, "1"]),
        ("not_in", ("a", 1), ["b", True], ["a", 1]),
        ("prefix", "eu-", ["eu-", "eu-west"], ["EU-", "us-eu-", 1]),
        ("lt", 5, [4, 4.9, -1], [5, 6, "4", True]),
        ("lte", 5, [5, 5.0, 4], [5.1, "5"]),
        ("gt", 5, [6, 5.1], [5, "6", float("nan")]),
        ("gte", 0, [0, 1], [-0.1, False, True]),
        ("version_lt", "2.10", ["2.9.9", "2.10.0-rc.1", "v2.9"], ["2.10", "2.10.0", "3", "new"]),
        ("version_lte", "2.10.0", ["2.10", "2.10.0+build.7"], ["2.10.1", "2.11.0-rc.1"]),
        ("version_gt", "1.0.0-rc.1", ["1.0.0-rc.2", "1.0.0"], ["1.0.0-rc.1", "1.0.0-beta", "0.9"]),
        ("version_gte", "1.2", ["1.2", "1.2.0", "1.10", " 1.3 "], ["1.1.9", "", 1.2, 2]),
    ],
)
def test_a_condition_holds_for_these_and_not_for_those(
    operator: Operator, value: Any, matching: list[Any], others: list[Any]
) -> None:
    condition = Condition("about", operator, value)
    assert check(Audience("some", (condition,)))
    assert [one for one in matching if not holds(condition, {"about": one})] == []
    assert [one for one in others if holds(condition, {"about": one})] == []


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("attributes", [{}, {"about": None}, {"other": "x"}])
def test_a_missing_attribute_fails_every_test(operator: Operator, attributes: Any) -> None:
    assert not holds(Condition("about", operator, "1"), attributes)


@given(st.sampled_from(OPERATORS), scalars | st.tuples(scalars), anything)
def test_attributes_and_values_of_any_kind_raise_nothing(
    operator: Operator, value: Any, found: Any
) -> None:
    assert holds(Condition("about", operator, value), {"about": found}) in (True, False)


def test_endless_digits_are_no_version_and_raise_nothing() -> None:
    assert version_key("1" * 5000) is None
    assert version_key("1.0-" + "1" * 5000) is None


def test_all_conditions_must_hold_and_without_any_everyone_matches() -> None:
    both = Audience("both", (Condition("group", "equals", "beta"), Condition("age", "gte", 18)))
    assert matches(both, {"group": "beta", "age": 18})
    assert not matches(both, {"group": "beta", "age": 17})
    assert not matches(both, {"age": 18})
    assert matches(EVERYONE, {})


@pytest.mark.parametrize(
    ("operator", "value", "needs"),
    [
        ("equals", ("a",), "one value"),
        ("equals", float("nan"), "finite numbers"),
        ("in", "a", "a list of values"),
        ("in", (), "a list of values"),
        ("not_in", (1.0, float("inf")), "finite numbers"),
        ("prefix", "", "a text"),
        ("prefix", 5, "a text"),
        ("lt", "5", "a number"),
        ("gt", True, "a number"),
        ("gte", float("inf"), "finite numbers"),
        ("version_gt", "new", "a version"),
        ("version_gt", 2.1, "a version as text"),
    ],
)
def test_a_condition_that_could_not_hold_as_meant_is_refused(
    operator: Operator, value: Any, needs: str
) -> None:
    with pytest.raises(InvalidInput, match=f"audience some: about {operator} needs {needs}"):
        check(Audience("some", (Condition("about", operator, value),)))


def test_an_audience_has_a_name_and_everyone_is_everyone() -> None:
    with pytest.raises(InvalidInput, match="needs a name"):
        check(Audience(" "))
    with pytest.raises(InvalidInput, match="everyone has no conditions"):
        check(Audience("everyone", (Condition("group", "equals", "beta"),)))
    assert check(EVERYONE) is EVERYONE


# Versions

IN_ORDER = [
    *("0.9", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2"),
    *("1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1-0", "1.0.1", "1.2", "1.10", "2-x", "2"),
]


def test_versions_are_ordered_as_semantic_versioning_orders_them() -> None:
    assert sorted(set(IN_ORDER), key=version_key) == IN_ORDER
    assert len({version_key(version) for version in IN_ORDER}) == len(IN_ORDER)


numbers = st.tuples(*[st.integers(0, 12)] * 3)
identifiers = st.integers(0, 12).map(str) | st.from_regex(r"[a-c][0-9a-c-]{0,2}", fullmatch=True)
versions = st.tuples(numbers, st.lists(identifiers, max_size=3))


def text_of(version: tuple[Any, list[str]]) -> str:
    numbers, pre = version
    return ".".join(map(str, numbers)) + ("-" + ".".join(pre) if pre else "")


def comes_before(one: tuple[Any, list[str]], other: tuple[Any, list[str]]) -> bool:
    """Semantic Versioning 2.0, section 11, sentence by sentence."""
    if one[0] != other[0]:
        return bool(one[0] < other[0])
    if not one[1] or not other[1]:
        return bool(one[1]) and not other[1]
    for mine, theirs in zip(one[1], other[1], strict=False):
        if mine == theirs:
            continue
        if mine.isdigit() and theirs.isdigit():
            return int(mine) < int(theirs)
        if mine.isdigit() or theirs.isdigit():
            return mine.isdigit()
        return mine < theirs
    return len(one[1]) < len(other[1])


@given(versions, versions)
def test_versions_have_a_total_order(one: Any, other: Any) -> None:
    left, right = version_key(text_of(one)), version_key(text_of(other))
    assert left is not None
    assert right is not None
    assert (left < right) == comes_before(one, other)
    assert (left == right) == (one == other)


@pytest.mark.parametrize("text", ["", "v", "1.", ".1", "1..2", "1.2-", "a.b", "1 2", "-1", 1, None])
def test_what_is_no_version_has_no_place_in_it(text: Any) -> None:
    assert version_key(text) is None
