"""What a flag answers a unit, compiled and explained: one and the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from controlplane.bucketing import draw, explain, needs_unit
from controlplane.errors import UnitMissing
from controlplane.values import compile_value
from events import EVERYONE
from events.flags import ON_AND_OFF, FlagKind, Variant
from projections.flags import FLAGS, Exposure, Flag
from tests.projections.flag_events import (
    BETA,
    archived,
    created,
    disabled,
    enabled,
    exposed,
    weighing,
)
from tests.projections.histories import about_flags, audiences, definitions
from tests.projections.recording import told

units = st.text(st.characters(), max_size=20)  # lone surrogates, too
shares = st.sampled_from([0.0, 50.0, 100.0]) | st.floats(0, 100).map(lambda p: round(p, 3))
exposures = st.lists(st.builds(Exposure, audiences, shares), max_size=4).map(tuple)
attributes = st.dictionaries(
    st.just("group"), st.sampled_from(["beta", "b2", "internal", 1, None]), max_size=1
)


def serving(
    *variants: Variant,
    percentage: float = 100.0,
    kind: FlagKind = "number",
    default: str = "0",
) -> Flag:
    return Flag(
        "checkout",
        exists=True,
        salt="checkout",
        enabled=True,
        exposures=(Exposure(EVERYONE, percentage),),
        kind=kind,
        variants=variants,
        default=default,
    )


# What existed before there were variants


@given(st.lists(about_flags, max_size=8), units, attributes)
def test_a_flag_that_nobody_gave_variants_is_told_as_before(
    history: list[Any], unit: str, about: Any
) -> None:
    old = [event for event in history if event.TYPE != "flag.variants_defined"]
    flag = FLAGS.fold("checkout", told(created, *old))
    found = explain(flag, unit, about)
    assert (found.variant, found.value) == (("on", True) if found.enabled else ("off", False))
    assert found.draw is None
    assert compile_value(flag)(unit, about) is found.enabled


@pytest.mark.parametrize(("unit", "inside"), [("unit-1", True), ("unit-2", False)])
def test_the_buckets_of_a_flag_stay_when_it_is_given_variants(unit: str, *, inside: bool) -> None:
    flag = FLAGS.fold("checkout", told(created, enabled, exposed(50)))
    for given_ in (flag, replace(flag, kind="number", variants=weighing(0, 1, 2), default="0")):
        assert explain(given_, unit).enabled is inside


# Compiled, and explained


flags = st.builds(
    lambda flag, defined, archived: replace(
        flag,
        kind=defined.kind,
        variants=defined.variants,
        default=defined.default,
        archived=archived,
    ),
    st.builds(
        Flag,
        st.just("checkout"),
        exists=st.just(value=True),
        salt=st.just("checkout"),
        enabled=st.sampled_from([True, True, True, False]),
        exposures=exposures,
    ),
    definitions(),
    st.sampled_from([False, False, False, True]),
)


@given(flags, units, attributes)
def test_the_compiled_value_is_the_explained_one(flag: Flag, unit: str, about: Any) -> None:
    assert repr(compile_value(flag)(unit, about)) == repr(explain(flag, unit, about).value)


@given(flags, attributes, units)
def test_without_a_unit_there_is_an_answer_where_every_unit_has_the_same(
    flag: Flag, about: Any, unit: str
) -> None:
    if needs_unit(flag, about):
        for ask in (explain, lambda flag, *of: compile_value(flag)(*of)):
            with pytest.raises(UnitMissing, match="checkout answers by unit"):
                ask(flag, None, about)
        return
    found, one = explain(flag, None, about), explain(flag, unit, about)
    assert repr(compile_value(flag)(None, about)) == repr(found.value) == repr(one.value)
    assert (found.enabled, found.variant, found.reason) == (one.enabled, one.variant, one.reason)
    assert found.openfeature_reason == one.openfeature_reason


@given(flags, attributes, units)
def test_it_is_split_where_the_unit_matters_and_only_there(
    flag: Flag, about: Any, unit: str
) -> None:
    assert (explain(flag, unit, about).openfeature_reason == "SPLIT") == needs_unit(flag, about)


def test_what_one_does_to_its_object_no_other_sees() -> None:
    flag = serving(Variant("0", {"sizes": [1, 2]}), kind="object")
    evaluate = compile_value(flag)
    for found in (evaluate("u", {}), explain(flag, "u").value, evaluate(None, {})):
        assert found == {"sizes": [1, 2]}
        found["sizes"].append(3)


ONE, TWO = weighing(1), weighing(1, 1)
ALL, HALF = Exposure(EVERYONE, 100.0), Exposure(EVERYONE, 50.0)


@pytest.mark.parametrize(
    ("variants", "served", "group", "reason"),
    [
        (ONE, [ALL], "", "STATIC"),
        (ONE, [HALF], "", "SPLIT"),
        (TWO, [ALL], "", "SPLIT"),
        (weighing(0, 1, 0), [ALL], "", "STATIC"),
        (ONE, [Exposure(EVERYONE, 0.0)], "", "DEFAULT"),
        (ONE, [], "", "DEFAULT"),
        (ONE, [Exposure(BETA, 100.0)], "", "DEFAULT"),
        (ONE, [Exposure(BETA, 100.0)], "beta", "TARGETING_MATCH"),
        (TWO, [Exposure(BETA, 100.0)], "beta", "SPLIT"),
        (ONE, [Exposure(BETA, 50.0)], "beta", "SPLIT"),
        (ONE, [Exposure(BETA, 100.0), HALF], "beta", "TARGETING_MATCH"),
        (ONE, [Exposure(BETA, 100.0), ALL], "beta", "STATIC"),
        (TWO, [Exposure(BETA, 0.0)], "beta", "DEFAULT"),
    ],
)
def test_openfeature_is_told_what_decided(
    variants: Any, served: list[Exposure], group: str, reason: str
) -> None:
    flag = replace(serving(*variants), exposures=tuple(served))
    assert explain(flag, "unit-1", {"group": group}).openfeature_reason == reason


@pytest.mark.parametrize("end", [[], [enabled, exposed(100), disabled], [enabled, archived]])
def test_openfeature_is_told_that_a_flag_is_off(end: list[Any]) -> None:
    found = explain(FLAGS.fold("checkout", told(created, *end)), None)
    assert (found.openfeature_reason, found.variant, found.value) == ("DISABLED", "off", False)


def test_a_flag_that_is_not_there_answers_nothing() -> None:
    found = explain(FLAGS.initial("checkout"), None)
    assert (found.openfeature_reason, found.kind, found.variant, found.value) == (
        *("ERROR", None),
        *(None, None),
    )


def test_an_explanation_carries_the_draw_and_the_weights() -> None:
    flag = serving(*weighing(30, 20), percentage=50.0)
    found = explain(flag, "unit-1")
    assert (found.draw, found.weights) == (draw("checkout", "unit-1", 50), 50)
    assert found.sentence.endswith(f"(50 % of everyone), draw {found.draw} of 50: {found.variant}")
    outside = explain(flag, "unit-2")
    assert (outside.enabled, outside.draw, outside.weights) == (False, None, None)


def test_without_a_unit_the_sentence_has_no_bucket() -> None:
    found = explain(serving(*ON_AND_OFF, kind="boolean", default="off"), None)
    assert (found.enabled, found.variant, found.bucket) == (True, "on", None)
    assert found.sentence == "100 % of everyone"
