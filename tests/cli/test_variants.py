"""What a flag can answer, as it is typed and told."""

import json

import pytest

from tests.cli.conftest import Terminal
from tests.journeys.traffic import FLAG

COLOURS = ["--variant", "blue:50=#00f", "--variant", "red:50=#f00", "--variant", "plain:0=#fff"]
DEFINE = ("flags", "define-variants", FLAG)


def define(terminal: Terminal, kind: str, *variants: str, default: str) -> list[object]:
    """The values as they are kept."""
    words = [word for variant in variants for word in ("--variant", variant)]
    flag = terminal.data(*DEFINE, "--kind", kind, *words, "--default", default)
    return [one["value"] for one in flag["variants"]]


def test_variants_are_defined_shown_and_told(flagged: Terminal) -> None:
    said = flagged.says(*DEFINE, "--kind", "string", *COLOURS, "--default", "plain")
    words = "strings by weight: blue 50, red 50, plain 0; plain to the rest"
    assert said == f"{FLAG} answers {words}\n"
    assert f"answers: {words}\n" in flagged.says("flags", "show", FLAG)
    assert f"{FLAG} answers {words}" in flagged.says("flags", "history", FLAG)
    rows = [row.split() for row in flagged.says("flags", "variants", FLAG).splitlines()]
    assert rows == [
        [FLAG, "answers", "strings"],
        ["variant", "weight", "share", "value"],
        ["blue", "50", "50", "%", '"#00f"'],
        ["red", "50", "50", "%", '"#f00"'],
        ["plain", "0", "0", "%", "default", '"#fff"'],
    ]


def test_json_has_kind_default_and_every_variant(flagged: Terminal) -> None:
    flag = flagged.data(*DEFINE, "--kind", "string", *COLOURS, "--default", "plain")
    assert (flag["kind"], flag["default"]) == ("string", "plain")
    assert flag["variants"][0] == {"name": "blue", "value": "#00f", "weight": 50}
    assert flagged.data("flags", "show", FLAG) == flag
    view = flagged.data("flags", "variants", FLAG)
    assert (view["flag"], view["kind"], view["default"]) == (FLAG, "string", "plain")
    assert view["variants"][1] == flag["variants"][1] | {"share": 50.0}


def test_an_explanation_tells_the_variant_and_its_value(flagged: Terminal) -> None:
    explain = ("flags", "explain", FLAG, "user-17")
    flagged.says(*DEFINE, "--kind", "string", *COLOURS, "--default", "plain")
    off = f'{FLAG} is off, plain = "#fff", for user-17: the flag is disabled'
    assert flagged.says(*explain).startswith(off)
    flagged.says("flags", "enable", FLAG, "--percentage", "100")
    found = flagged.data(*explain)
    assert found["variant"] == {"#00f": "blue", "#f00": "red"}[found["value"]]
    assert (found["kind"], found["openfeature_reason"]) == ("string", "SPLIT")
    told = f'{FLAG} is on, {found["variant"]} = "{found["value"]}", for user-17: bucket'
    assert flagged.says(*explain).startswith(told)
    assert f"draw {found['draw']} of 100: {found['variant']}" in flagged.says(*explain)


def test_on_and_off_are_told_as_on_and_off(flagged: Terminal) -> None:
    explain = ("flags", "explain", FLAG, "user-17")
    assert flagged.says(*explain).startswith(f"{FLAG} is off for user-17: the flag is disabled")
    flagged.says("flags", "enable", FLAG, "--percentage", "100")
    assert flagged.says(*explain).startswith(f"{FLAG} is on for user-17: bucket")
    assert f"{FLAG} answers booleans" in flagged.says("flags", "variants", FLAG)


def test_a_value_is_written_as_its_kind_is(flagged: Terminal) -> None:
    strings = ["a=x:1=y", "b=", 'c="2.10"', "d=2.10", 'e="x', r'f="\n"', "g={}"]
    assert define(flagged, "string", *strings, default="a") == [
        *("x:1=y", "", "2.10", "2.10", '"x', "\n", "{}"),
    ]
    assert repr(define(flagged, "number", "a=1", "b:0=-2", default="a")) == "[1, -2]"
    assert repr(define(flagged, "number", "a=1", "b=2.5e3", default="a")) == "[1.0, 2500.0]"
    assert define(flagged, "boolean", "y:3=true", "n=false", default="n") == [True, False]
    assert define(flagged, "object", 'a={"size": [1, null]}', default="a") == [{"size": [1, None]}]


def test_a_weight_that_is_not_written_is_one(flagged: Terminal) -> None:
    define(flagged, "number", "a=1", "b:3=2", "c:0=3", default="c")
    weights = [one["weight"] for one in flagged.data("flags", "variants", FLAG)["variants"]]
    assert weights == [1, 3, 0]


def test_what_was_typed_wrongly_is_refused_in_a_line(flagged: Terminal) -> None:
    def refused(kind: str, *variants: str, default: str = "a") -> str:
        words = [word for variant in variants for word in ("--variant", variant)]
        return flagged.refuses(*DEFINE, "--kind", kind, *words, "--default", default)

    for text in ("a", "=1", "a:=1", "a:x=1", "a:-1=1", "a:1.5=1", "a:1:2=x", "a:²=1"):
        assert "write NAME=VALUE or NAME:WEIGHT=VALUE" in refused("number", text)
    assert "variant a: the flag answers numbers, not 'x'" in refused("number", "a=x")
    assert "variant a: the flag answers booleans, not 1" in refused("boolean", "a=1")
    assert "variant a: the flag answers objects, not [1]" in refused("object", "a=[1]")
    assert "nan is no number" in refused("number", "a=NaN")
    assert "inf is no number" in refused("number", "a=1e999")
    assert "answers objects" in refused("object", "a=" + "[" * 50_000)
    assert "an object has each of its names once" in refused("object", 'a={"b": 1, "b": 2}')
    assert "the weights sum up" in refused("number", f"a:{'9' * 20}=1")
    assert "the default 'z' is none" in refused("number", "a=1", default="z")
    assert "Create it, or see" in flagged.refuses("flags", "variants", "nonsense")


def test_another_kind_needs_the_flag_switched_off(flagged: Terminal) -> None:
    flagged.says("flags", "enable", FLAG, "--percentage", "5")
    words = (*DEFINE, "--kind", "string", *COLOURS, "--default", "plain")
    assert f"controlplane flags disable {FLAG} --reason WHY" in flagged.refuses(*words)


@pytest.mark.parametrize("text", ["\x1b[31m", "[red]", "\u202e"])
def test_a_value_does_not_steer_the_terminal(flagged: Terminal, text: str) -> None:
    define(flagged, "string", f"a={text}", default="a")
    for words in (("flags", "variants", FLAG), ("flags", "explain", FLAG, "user-17")):
        said = flagged.says(*words)
        assert "\x1b" not in said
        assert "\u202e" not in said
    found = json.loads(flagged.says("flags", "variants", FLAG, "--json"))
    assert found["variants"][0]["value"] == text
