"""A client of OFREP that is not ours, against a server that listens."""

from collections.abc import Iterator
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from controlplane import ControlPlane
from controlplane.http.gate import GateSettings
from events.flags import Audience, Condition, FlagKind, Value, Variant
from tests.http.listening import OPEN, listening
from tests.journeys.traffic import ENGINEER, FLAG

BETA = Audience("beta", (Condition("group", "equals", "beta"),))
USER = EvaluationContext("user-17", {"group": "beta", "tags": ["a", "b"], "age": 7, "deep": {}})


@pytest.fixture
def asking(kept: ControlPlane) -> Iterator[OpenFeatureClient]:
    with listening(kept, OPEN) as server:
        provider = OFREPProvider(server.url)
        api.set_provider(provider)
        yield api.get_client()
        provider.session.close()
        api.clear_providers()


def answers(plane: ControlPlane, name: str, kind: FlagKind, value: Value, default: Value) -> None:
    """A flag that gives everybody of beta a value, and others another one."""
    plane.flags.create(name, owner="o", actor=ENGINEER)
    variants = [Variant("given", value, 1), Variant("default", default, 0)]
    plane.flags.define_variants(
        name, kind=kind, variants=variants, default="default", actor=ENGINEER
    )
    plane.flags.enable(name, percentage=100, audience=BETA, actor=ENGINEER)


def test_booleans_while_they_change(kept: ControlPlane, asking: OpenFeatureClient) -> None:
    found = asking.get_boolean_details(FLAG, True, USER)  # noqa: FBT003  why: their API
    assert (found.value, found.variant, found.reason) == (False, "off", Reason.DISABLED)
    for percentage in (100, 0.001, 50, 100):
        flag = kept.flags.enable(FLAG, percentage=percentage, actor=ENGINEER)
        found = asking.get_boolean_details(FLAG, False, USER)  # noqa: FBT003  why: their API
        assert found.error_code is None
        assert found.value is kept.flags.is_enabled(FLAG, "user-17")
        assert found.reason == (Reason.STATIC if percentage == 100 else Reason.SPLIT)
        assert found.flag_metadata["position"] == flag.position
    kept.flags.disable(FLAG, actor=ENGINEER)
    assert asking.get_boolean_value(FLAG, True, USER) is False  # noqa: FBT003  why: their API


@pytest.mark.parametrize(
    ("kind", "ask", "value", "default", "code_default"),
    [
        ("string", "string", "blue", "red", "code"),
        ("string", "string", "", "😀\u2028\n", "code"),
        ("number", "integer", 42, -1, 0),
        ("number", "integer", 2**53 - 1, 0, 7),
        ("number", "float", 1.0, 2.0, 0.5),
        ("number", "float", 0.1, 1e300, 0.5),
        ("object", "object", {"a": [1, 2.0, None, {"b": "c"}]}, {}, {"x": 1}),
    ],
)
def test_values_of_every_kind(
    kept: ControlPlane,
    asking: OpenFeatureClient,
    kind: FlagKind,
    ask: str,
    value: Any,
    default: Any,
    code_default: Any,
) -> None:
    answers(kept, "typed", kind, value, default)
    details = getattr(asking, f"get_{ask}_details")
    found = details("typed", code_default, USER)
    assert (found.value, type(found.value)) == (value, type(value))
    assert (found.variant, found.reason) == ("given", Reason.TARGETING_MATCH)
    other = details("typed", code_default, EvaluationContext("user-17", {"group": "other"}))
    assert (other.value, type(other.value)) == (default, type(default))
    assert (other.variant, other.reason) == ("default", Reason.DEFAULT)
    kept.flags.disable("typed", actor=ENGINEER)
    found = details("typed", code_default, USER)
    assert (found.value, found.variant, found.reason) == (default, "default", Reason.DISABLED)


def test_weighted_variants_are_drawn_as_the_python_api_draws_them(
    kept: ControlPlane, asking: OpenFeatureClient
) -> None:
    kept.flags.create("theme", owner="o", actor=ENGINEER)
    variants = [Variant("red", "r", 1), Variant("blue", "b", 1), Variant("none", "", 0)]
    kept.flags.define_variants(
        "theme", kind="string", variants=variants, default="none", actor=ENGINEER
    )
    kept.flags.enable("theme", percentage=60, actor=ENGINEER)
    seen = set()
    for n in range(40):
        found = asking.get_string_details("theme", "code", EvaluationContext(f"user-{n}"))
        assert found.value == kept.flags.value("theme", f"user-{n}")
        assert found.reason == Reason.SPLIT
        seen.add(found.variant)
    assert seen == {"red", "blue", "none"}


def test_what_cannot_be_answered_leaves_the_default_of_the_code(
    kept: ControlPlane, asking: OpenFeatureClient
) -> None:
    kept.flags.enable(FLAG, percentage=50, actor=ENGINEER)
    for default in (True, False):
        missing = asking.get_boolean_details("no-such-flag", default, USER)
        assert (missing.value, missing.error_code) == (default, ErrorCode.FLAG_NOT_FOUND)
        for nobody in (None, EvaluationContext(), EvaluationContext("", {"group": "x"})):
            found = asking.get_boolean_details(FLAG, default, nobody)
            assert (found.value, found.error_code) == (default, ErrorCode.TARGETING_KEY_MISSING)
            assert FLAG in (found.error_message or "")
        wrong = asking.get_string_details(FLAG, "code", USER)
        assert (wrong.value, wrong.error_code) == ("code", ErrorCode.TYPE_MISMATCH)


def test_without_a_unit_what_is_the_same_for_all_is_answered(
    kept: ControlPlane, asking: OpenFeatureClient
) -> None:
    kept.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    for nobody in (None, EvaluationContext(), EvaluationContext("", {"group": "x"})):
        found = asking.get_boolean_details(FLAG, False, nobody)  # noqa: FBT003  why: their API
        assert (found.value, found.reason) == (True, Reason.STATIC)


def test_a_token_is_sent_as_ofrep_has_it(kept: ControlPlane) -> None:
    text = kept.access.issue(owner="ben", roles="viewer", actor=ENGINEER).text
    kept.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    with listening(kept, GateSettings()) as server:
        for headers, value in (
            ({"Authorization": f"Bearer {text}"}, True),
            ({"X-API-Key": text}, True),
            ({"X-API-Key": text[:-1] + "x"}, False),
            ({}, False),
        ):
            provider = OFREPProvider(server.url, headers_factory=lambda given=headers: given)
            api.set_provider(provider)
            assert api.get_client().get_boolean_value(FLAG, False, USER) is value  # noqa: FBT003  why: their API
            provider.session.close()
        api.clear_providers()
