"""Answers: the control plane's own, from memory, and never an exception."""

from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane.client import Client
from events import Audience, Condition, Variant
from tests.client.conftest import FLAG, MakeClient, until

UNITS = [f"user-{n}" for n in range(200)]


def test_the_answers_are_those_of_the_control_plane(client: Client, served: ControlPlane) -> None:
    beta = Audience("beta", (Condition("group", "in", ("beta", "internal")),))
    served.flags.set_percentage(FLAG, 12.5, actor="ana")
    served.flags.set_percentage(FLAG, 60, audience=beta, actor="ana")
    position = served.flags.get(FLAG).position
    until(lambda: client.status().position == position)
    for attributes in ({}, {"group": "beta"}, {"group": 7}):
        for unit in UNITS:
            answer = client.evaluate(FLAG, unit, attributes)
            assert answer == served.flags.explain(FLAG, unit, attributes)
            assert client.is_enabled(FLAG, unit, attributes) is answer.enabled


def test_an_unknown_flag_is_off(client: Client) -> None:
    assert not client.is_enabled("no-such-flag", "user-17")
    answer = client.evaluate("no-such-flag", "user-17")
    assert (answer.enabled, answer.reason) == (False, "FLAG_NOT_FOUND")


def test_a_number_is_the_unit_it_is_written_as(client: Client) -> None:
    number: Any = 17
    assert client.is_enabled(FLAG, number) is client.is_enabled(FLAG, "17")
    assert client.evaluate(FLAG, number) == client.evaluate(FLAG, "17")


class Spiteful:
    def get(self, _name: str) -> object:
        raise RuntimeError("no attribute of mine")

    def __str__(self) -> str:
        raise RuntimeError("no name of mine")


@pytest.mark.parametrize(
    ("flag", "unit", "attributes"),
    [([], "u", {}), (FLAG, Spiteful(), {}), ("narrow", "u", Spiteful()), ("narrow", "u", None)],
)
def test_nothing_that_is_asked_raises(
    client: Client, served: ControlPlane, flag: Any, unit: Any, attributes: Any
) -> None:
    served.flags.create("narrow", owner="o", actor="ana")
    beta = Audience("beta", (Condition("group", "equals", "beta"),))
    served.flags.enable("narrow", percentage=100, audience=beta, actor="ana")
    until(lambda: client.is_enabled("narrow", "u", {"group": "beta"}))
    assert not client.is_enabled(flag, unit, attributes)
    answer = client.evaluate(flag, unit, attributes)
    assert (answer.enabled, answer.reason) == (False, "ERROR")


@pytest.mark.parametrize(
    ("url", "token", "reason"),
    [
        ("", "", "no address"),
        ("plane.example", "", "no address"),
        ("ftp://plane.example", "", "no address"),
        ("https://", "", "no address"),
        ("https://plane.example:port", "", "[Pp]ort"),
        ("https://ana:secret@plane.example", "", "give a token"),
        ("https://plane.example", "two\nlines", "no token has"),
        ("https://plane.example", "schlüssel", "no token has"),
    ],
)
def test_what_cannot_be_an_address_or_a_token_is_refused_at_once(
    url: str, token: str, reason: str, client_of: MakeClient
) -> None:
    with pytest.raises(ValueError, match=reason):
        client_of(url, token=token)


def test_values_are_those_of_the_control_plane(client: Client, served: ControlPlane) -> None:
    variants = [Variant("blue", "#00f", 3), Variant("red", "#f00", 1), Variant("plain", "#fff", 0)]
    served.flags.create("banner", owner="o", actor="ana")
    served.flags.define_variants(
        "banner", kind="string", variants=variants, default="plain", actor="ana"
    )
    served.flags.enable("banner", percentage=60, actor="ana")
    position = served.flags.get("banner").position
    until(lambda: client.status().position == position)
    told = {unit: client.value("banner", unit) for unit in UNITS}
    assert told == {unit: served.flags.value("banner", unit) for unit in UNITS}
    assert set(told.values()) == {"#00f", "#f00", "#fff"}
    assert all(client.evaluate("banner", unit).value == told[unit] for unit in UNITS)


def test_what_has_no_value_has_the_default(client: Client, served: ControlPlane) -> None:
    assert client.value("no-such-flag", "u", default="mine") == "mine"
    served.flags.set_percentage(FLAG, 50, actor="ana")
    until(lambda: client.evaluate(FLAG, None).reason == "UNIT_MISSING")
    assert client.value(FLAG, None, default="mine") == "mine"
    assert client.value(FLAG, Spiteful(), default="mine") == "mine"  # type: ignore[arg-type]  # why: what is not text


def test_what_is_done_to_an_object_is_not_done_to_the_flag(
    client: Client, served: ControlPlane
) -> None:
    served.flags.create("limits", owner="o", actor="ana")
    some = [Variant("some", {"most": [1]})]
    served.flags.define_variants(
        "limits", kind="object", variants=some, default="some", actor="ana"
    )
    until(lambda: client.value("limits", "u") == {"most": [1]})
    client.value("limits", "u")["most"].append(2)
    client.evaluate("limits", "u").value.clear()
    assert client.value("limits", "u") == {"most": [1]}
