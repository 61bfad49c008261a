"""What a flag can answer: how it is defined, and what is refused."""

import json
from typing import Any

import pytest

from controlplane import flags
from controlplane.errors import (
    FlagIsArchived,
    FlagIsOn,
    FlagNotFound,
    InvalidInput,
    RolloutInCharge,
)
from controlplane.variants import DefineVariants
from events import Event
from events.codec import encode
from events.flags import ON_AND_OFF, Variant
from projections.flags import FLAGS
from tests.controlplane.decider import Decider
from tests.projections.flag_events import (
    archived,
    attached,
    created,
    defined,
    detached,
    disabled,
    enabled,
    exposed,
)

BLUE, RED, PLAIN = Variant("blue", "#00f", 50), Variant("red", "#f00", 50), Variant("plain", "", 0)


def given(*history: Event) -> Any:
    return Decider(
        FLAGS, "checkout", lambda flag, command, _now: flags.decide(flag, command)
    ).given(*history)


def define(kind: Any, *variants: Any, default: str = "") -> DefineVariants:
    return DefineVariants(kind=kind, variants=variants, default=default or variants[0].name)


COLOURS = define("string", BLUE, RED, PLAIN, default="plain")
coloured = defined("string", BLUE, RED, PLAIN, default="plain")


# Defining


@pytest.mark.parametrize("history", [(created,), (created, enabled, exposed(25), disabled)])
def test_a_flag_that_is_off_may_be_given_any_kind(history: tuple[Event, ...]) -> None:
    given(*history).when(COLOURS).then(coloured).then_asking_again_changes_nothing()
    given(*history, coloured).when(define("number", Variant("one", 1))).then(
        defined("number", Variant("one", 1))
    )


def test_while_it_is_on_weights_and_values_may_change_and_the_kind_may_not() -> None:
    on = (created, coloured, enabled, exposed(25))
    given(*on).when(define("string", BLUE, PLAIN)).then(defined("string", BLUE, PLAIN))
    given(*on).when(define("boolean", *ON_AND_OFF)).then_it_is_refused(
        FlagIsOn, "expect strings.*switch it off"
    )


def test_what_a_flag_without_variants_answers_is_defined_already() -> None:
    given(created).when(define("boolean", *ON_AND_OFF, default="off")).then_nothing_happens()
    given(created).when(define("boolean", *ON_AND_OFF, default="on")).then(
        defined("boolean", *ON_AND_OFF, default="on")
    )


def test_while_a_rollout_is_in_charge_what_it_judges_stays_what_it_is() -> None:
    running = (created, coloured, attached, enabled, exposed(10))
    for command in (define("string", BLUE, PLAIN), define("number", Variant("one", 1))):
        given(*running).when(command).then_it_is_refused(RolloutInCharge, "checkout-r1")
        given(*running, disabled).when(command).then_it_is_refused(RolloutInCharge)
    given(*running).when(COLOURS).then_nothing_happens()
    given(*running, detached).when(define("string", BLUE)).then(defined("string", BLUE))


def test_only_a_flag_that_is_there_and_not_archived_has_variants() -> None:
    given().when(COLOURS).then_it_is_refused(FlagNotFound)
    given(created, archived).when(COLOURS).then_it_is_refused(FlagIsArchived)
    given(created, coloured, archived).when(COLOURS).then_it_is_refused(FlagIsArchived)


@pytest.mark.parametrize(
    "other",
    [
        define("string", RED, BLUE, PLAIN, default="plain"),
        define("string", BLUE, RED, PLAIN, default="red"),
        define("string", BLUE, RED, Variant("plain", "", 1), default="plain"),
        define("string", BLUE, RED, Variant("plain", " ", 0), default="plain"),
        define("string", BLUE, RED, Variant("Plain", "", 0), default="Plain"),
    ],
)
def test_another_order_default_weight_value_or_name_is_another_definition(
    other: DefineVariants,
) -> None:
    assert given(created, coloured).when(other).events


def test_integers_and_floats_are_not_the_same_though_they_are_equal() -> None:
    integers = define("number", Variant("one", 1), Variant("two", 2))
    floats = define("number", Variant("one", 1.0), Variant("two", 2))
    (event,) = given(created).when(integers).events
    assert given(created, event).when(floats).events
    assert (
        given(created, defined("object", Variant("a", {"n": 1})))
        .when(define("object", Variant("a", {"n": True})))
        .events
    )


# Names and weights


@pytest.mark.parametrize("name", ["a", "0", "Treatment-B_2.1", "a" * 100])
def test_letters_digits_dots_dashes_and_underscores_make_a_name(name: str) -> None:
    assert given(created).when(define("number", Variant(name, 1))).events


@pytest.mark.parametrize("name", ["", " a", "a b", "-a", "a:1", "a=1", "ä", "a\n", "a" * 101, 7])
def test_any_other_name_is_refused(name: Any) -> None:
    given(created).when(define("number", Variant(name, 1))).then_it_is_refused(
        InvalidInput, "variant name"
    )


@pytest.mark.parametrize("weight", [-1, 1.0, 1.5, True, "1", None])
def test_a_weight_is_a_whole_number(weight: Any) -> None:
    given(created).when(define("number", Variant("a", 1, weight))).then_it_is_refused(
        InvalidInput, "variant a: a weight is 0, 1, 2"
    )


def many(count: int, weight: int = 1) -> DefineVariants:
    return define("number", *(Variant(f"v{n}", n, weight) for n in range(count)))


@pytest.mark.parametrize(
    ("command", "because"),
    [
        (define("number", BLUE, default="blue"), "answers numbers"),
        (define("colour", BLUE), "'colour' is no kind: boolean, string, number, object"),
        (define(None, BLUE), "None is no kind"),
        (define("string", BLUE, RED, default="green"), "'green' is none of the variants"),
        (define("string", BLUE, RED, BLUE), "variant blue is there twice"),
        (define("string", PLAIN), "needs a variant with a weight"),
        (DefineVariants(kind="string", variants=(), default=""), "needs a variant"),
        (define("string", ("a", "b", 1), default="a"), "is no Variant"),
        (many(51), "51 variants: a flag has 50 at most"),
        (many(1, 10**10_000), "the weights sum up to more than"),
        (many(2, 2**30), "the weights sum up to more than 2147483647"),
    ],
)
def test_a_definition_that_does_not_hold_together_is_refused(
    command: DefineVariants, because: str
) -> None:
    given(created).when(command).then_it_is_refused(InvalidInput, because)


def test_the_most_of_everything_is_kept() -> None:
    (event,) = given(created).when(many(50)).events
    assert len(event.variants) == 50
    assert given(created).when(many(1, 2**31 - 1)).events


def test_what_was_decided_can_be_recorded_and_read_as_any_json() -> None:
    (event,) = given(created).when(COLOURS).events
    assert json.loads(encode(event))["variants"][0] == {
        "name": "blue",
        "value": "#00f",
        "weight": 50,
    }
