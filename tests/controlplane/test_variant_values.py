"""Which values a flag may answer, and that they come out of the log as they went in."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from controlplane import flags
from controlplane.errors import InvalidInput
from controlplane.variants import DefineVariants
from events.codec import decode, encode
from events.flags import Value, Variant, VariantsDefined
from projections.flags import FLAGS
from tests.controlplane.decider import Decider, Decision
from tests.events.strategies import JSON
from tests.projections.flag_events import created


def refused_or_kept(kind: Any, *values: Any) -> Decision:
    variants = tuple(Variant(f"v{n}", value) for n, value in enumerate(values))
    command = DefineVariants(kind=kind, variants=variants, default="v0")
    telling = Decider(FLAGS, "checkout", lambda flag, command, _: flags.decide(flag, command))
    return telling.given(created).when(command)


def stored(kind: Any, *values: Any) -> list[Any]:
    """The values as they are after they went through the log."""
    (event,) = refused_or_kept(kind, *values).events
    text = encode(event)
    back = decode(event.TYPE, event.SCHEMA_VERSION, text)
    assert isinstance(back, VariantsDefined)
    assert encode(back) == text
    assert repr(back) == repr(event), "what is decided is what is read"
    return [variant.value for variant in back.variants]


def test_a_flag_with_one_float_answers_floats_alone() -> None:
    assert repr(stored("number", 1, 2.5, 0)) == "[1.0, 2.5, 0.0]"
    assert repr(stored("number", 1, 2, 0)) == "[1, 2, 0]"
    assert repr(stored("number", -0.0, 5e-324, 1e22, 1e16)) == "[-0.0, 5e-324, 1e+22, 1e+16]"


def test_the_largest_integers_stay_what_they_are() -> None:
    largest = 2**53 - 1
    assert stored("number", largest, -largest) == [largest, -largest]
    assert stored("object", {"n": [largest]}) == [{"n": [largest]}]


@for_all(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_floats_survive_bit_for_bit(values: list[float]) -> None:
    assert [value.hex() for value in stored("number", *values)] == [v.hex() for v in values]


@for_all(st.lists(st.text(), min_size=1, max_size=5))
def test_texts_survive_letter_for_letter(values: list[str]) -> None:
    assert stored("string", *values) == values


@for_all(st.dictionaries(st.text(), JSON, max_size=4))
def test_objects_survive_whole_or_are_refused(value: dict[str, Any]) -> None:
    decision = refused_or_kept("object", value)
    if decision.refusal is None:
        assert msgspec.json.encode(stored("object", value)[0], order="sorted") == (
            msgspec.json.encode(value, order="sorted")
        )
    else:
        decision.then_it_is_refused(InvalidInput, r"2\^53")


def test_an_object_that_is_changed_later_does_not_change_the_flag() -> None:
    value: dict[str, Any] = {"sizes": [1, 2]}
    (event,) = refused_or_kept("object", value).events
    value["sizes"].append(3)
    assert event.variants[0].value == {"sizes": [1, 2]}


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return {"a": value}


@pytest.mark.parametrize(
    ("kind", "value", "because"),
    [
        ("boolean", 1, "answers booleans, not 1"),
        ("boolean", "true", "answers booleans"),
        ("boolean", None, "answers booleans"),
        ("string", 1, "answers strings"),
        ("string", b"raw", "answers strings"),
        ("string", "\ud800", "lone surrogates"),
        ("string", datetime(2026, 1, 1, tzinfo=UTC), "answers strings"),
        ("number", True, "answers numbers"),
        ("number", "1", "answers numbers"),
        ("number", Decimal(1), "answers numbers"),
        ("number", float("nan"), "nan is no number that JSON has"),
        ("number", float("-inf"), "-inf is no number"),
        ("number", 2**53, r"beyond 2\^53 - 1"),
        ("object", [1], "answers objects"),
        ("object", "{}", "answers objects"),
        ("object", {"a": {"b": [float("inf")]}}, "inf is no number"),
        ("object", {"id": -(2**53)}, r"beyond 2\^53 - 1"),
        ("object", {1: "a"}, "names in an object are text, not 1"),
        ("object", {"a": {None: 1}}, "names in an object are text, not None"),
        ("object", {"a": object()}, "is no JSON"),
        ("object", {"a": {1, 2}}, "is no JSON"),
        ("object", {"\udfff": 1}, "lone surrogates"),
        ("object", nested(40), "more than 32 deep"),
        ("number", nested(100_000), "answers numbers"),
        ("object", nested(100_000), "more than 32 deep"),
    ],
)
def test_a_value_that_a_client_could_not_be_told_is_refused(
    kind: Any, value: Any, because: str
) -> None:
    refused_or_kept(kind, value).then_it_is_refused(InvalidInput, f"variant v0: .*{because}")


@pytest.mark.parametrize(
    ("kind", "because"), [("number", r"beyond 2\^53 - 1"), ("string", "thousands of digits")]
)
def test_a_number_too_long_to_be_written_is_refused_like_any_other(kind: Any, because: str) -> None:
    refused_or_kept(kind, 10**10_000).then_it_is_refused(InvalidInput, because)


def test_what_is_nested_as_deep_as_may_be_is_kept() -> None:
    assert stored("object", nested(31)) == [nested(31)]


def test_a_value_has_up_to_eight_kibibytes_of_json() -> None:
    assert stored("string", "x" * 8190) == ["x" * 8190]
    for value in ("x" * 8191, "ß" * 4096, "\n" * 4096):
        refused_or_kept("string", value).then_it_is_refused(
            InvalidInput, "bytes of JSON, more than 8192"
        )


@for_all(JSON)
def test_whatever_is_given_for_a_value_it_is_kept_or_refused(value: Any) -> None:
    for kind in ("boolean", "string", "number", "object"):
        decision = refused_or_kept(kind, value)
        if decision.refusal is None:
            kept = decision.events[0].variants[0].value
            assert msgspec.convert(kept, Value) == value
        else:
            decision.then_it_is_refused(InvalidInput, "variant v0: ")
