"""The provider, asked through OpenFeature's own client."""

from collections.abc import Iterator
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.exception import ErrorCode, ProviderNotReadyError
from openfeature.flag_evaluation import FlagEvaluationDetails, Reason
from openfeature.provider import ProviderStatus

from controlplane import ControlPlane
from controlplane.bucketing import explain
from controlplane.client import Client
from controlplane.client.openfeature import ControlPlaneProvider
from events import EVERYONE, Audience, Condition, Variant
from tests.client.conftest import FLAG, MakeClient, until
from tests.client.flags import flag, sent, snapshot
from tests.client.scripted import STAY, STREAM, scripted, whole
from tests.client.standin import StandIn
from tests.client.test_following import free_port

BETA = Audience("beta", (Condition("group", "equals", "beta"),))
ANA = EvaluationContext("ana")
BETA_ANA = EvaluationContext("ana", {"group": "beta"})


@pytest.fixture(autouse=True)
def nobody_listens_after() -> Iterator[None]:
    yield
    api.clear_providers()


def hears(event: ProviderEvent) -> list[EventDetails]:
    found: list[EventDetails] = []
    api.add_handler(event, found.append)
    return found


def over(client: Client, **options: float) -> OpenFeatureClient:
    api.set_provider_and_wait(ControlPlaneProvider(client, **options))
    return api.get_client()


@pytest.fixture
def features(client: Client) -> OpenFeatureClient:
    return over(client)


def reaches(client: Client, served: ControlPlane) -> None:
    last = max(flag.position for flag in served.flags.all())
    until(lambda: client.status().position >= last)


@pytest.mark.parametrize(
    ("percentage", "audience", "context", "reason", "value"),
    [
        (100, EVERYONE, ANA, Reason.STATIC, True),
        (100, EVERYONE, None, Reason.STATIC, True),
        (100, BETA, BETA_ANA, Reason.TARGETING_MATCH, True),
        (50, BETA, BETA_ANA, Reason.SPLIT, None),
        (50, EVERYONE, ANA, Reason.SPLIT, None),
        (100, BETA, ANA, Reason.DEFAULT, False),
        (0, EVERYONE, ANA, Reason.DEFAULT, False),
        (0, EVERYONE, None, Reason.DEFAULT, False),
    ],
)
def test_the_reason_says_what_decided(
    features: OpenFeatureClient,
    client: Client,
    served: ControlPlane,
    percentage: float,
    audience: Audience,
    context: EvaluationContext | None,
    reason: Reason,
    value: bool | None,  # noqa: FBT001  why: a case
) -> None:
    served.flags.create("f", owner="o", actor="ana")
    served.flags.enable("f", percentage=percentage, audience=audience, actor="ana")
    reaches(client, served)
    details = features.get_boolean_details("f", default_value=True, evaluation_context=context)
    assert (details.reason, details.error_code) == (reason, None)
    unit, attributes = (context.targeting_key, context.attributes) if context else (None, {})
    expected = explain(served.flags.get("f"), unit, attributes)
    assert details.value is expected.enabled is (expected.enabled if value is None else value)
    assert details.variant == ("on" if expected.enabled else "off")


def test_a_flag_that_is_off_is_off_whatever_the_default(
    features: OpenFeatureClient, client: Client, served: ControlPlane
) -> None:
    served.flags.disable(FLAG, actor="ana")
    reaches(client, served)
    details = features.get_boolean_details(FLAG, default_value=True, evaluation_context=ANA)
    assert (details.value, details.reason, details.variant) == (False, Reason.DISABLED, "off")


def test_metadata_says_why(features: OpenFeatureClient, served: ControlPlane) -> None:
    details = features.get_boolean_details(FLAG, default_value=False, evaluation_context=ANA)
    answer = served.flags.explain(FLAG, "ana")
    assert details.flag_metadata == {
        "position": served.flags.get(FLAG).position,
        "audience": "everyone",
        "percentage": 100.0,
        "bucket": answer.bucket,
        "threshold": 100_000,
        "sentence": answer.sentence,
        "reason": "STATIC",
    }


VALUES: list[tuple[Any, Any]] = [
    ("string", "blue"),
    ("number", 7),
    ("number", 7.5),
    ("object", {"a": [1, {"b": None}]}),
    ("boolean", True),
]


def ask(features: OpenFeatureClient, kind: str, default: Any) -> FlagEvaluationDetails[Any]:
    asked = getattr(features, f"get_{kind}_details")
    details: FlagEvaluationDetails[Any] = asked("f", default, EvaluationContext("ana"))
    return details


@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_a_value_is_given_to_who_asks_for_its_kind_and_to_nobody_else(
    features: OpenFeatureClient, client: Client, served: ControlPlane, kind: Any, value: Any
) -> None:
    served.flags.create("f", owner="o", actor="ana")
    variants = [Variant("one", value), Variant("rest", value, 0)]
    served.flags.define_variants("f", kind=kind, variants=variants, default="rest", actor="ana")
    served.flags.enable("f", percentage=100, actor="ana")
    reaches(client, served)
    fits = {
        "string": ["string"],
        "object": ["object"],
        "boolean": ["boolean"],
        "number": ["integer", "float"] if isinstance(value, int) else ["float"],
    }[kind]
    defaults: dict[str, Any] = {
        "string": "default",
        "object": {"default": 1},
        "boolean": False,
        "integer": -1,
        "float": -1.5,
    }
    for asked, default in defaults.items():
        details = ask(features, asked, default)
        if asked in fits:
            assert (details.value, details.variant, details.error_code) == (value, "one", None)
            assert type(details.value) is (float if asked == "float" else type(value))
        else:
            assert (details.value, details.error_code) == (default, ErrorCode.TYPE_MISMATCH)
            assert details.reason == Reason.ERROR
            assert f"answers a {kind}" in str(details.error_message)


def test_an_unknown_flag_gives_the_default(features: OpenFeatureClient) -> None:
    details = features.get_boolean_details("no-such", default_value=True, evaluation_context=ANA)
    assert (details.value, details.reason) == (True, Reason.ERROR)
    assert details.error_code == ErrorCode.FLAG_NOT_FOUND


@pytest.mark.parametrize(
    "context", [None, EvaluationContext(""), EvaluationContext(None, {"a": 1})]
)
def test_where_the_answer_depends_on_the_unit_there_must_be_a_targeting_key(
    features: OpenFeatureClient,
    client: Client,
    served: ControlPlane,
    context: EvaluationContext | None,
) -> None:
    served.flags.set_percentage(FLAG, 50, actor="ana")
    reaches(client, served)
    details = features.get_boolean_details(FLAG, default_value=True, evaluation_context=context)
    assert (details.value, details.error_code) == (True, ErrorCode.TARGETING_KEY_MISSING)


def test_a_flag_that_is_not_understood_gives_the_default(client_of: MakeClient) -> None:
    strange = sent(flag("a", 1, algorithm="of-the-future"))
    with scripted([STREAM, whole(snapshot(1, strange)), STAY]) as server:
        features = over(client_of(server.url))
        details = features.get_boolean_details("a", default_value=True, evaluation_context=ANA)
    assert (details.value, details.error_code) == (True, ErrorCode.PARSE_ERROR)


def test_what_cannot_be_asked_at_all_gives_the_default(features: OpenFeatureClient) -> None:
    flag: Any = ["no", "name"]
    details = features.get_boolean_details(flag, default_value=True, evaluation_context=ANA)
    assert (details.value, details.error_code) == (True, ErrorCode.GENERAL)


def test_without_flags_it_is_not_ready_and_becomes_so_when_they_come(
    served: ControlPlane, client_of: MakeClient
) -> None:
    port = free_port()
    client = client_of(f"http://127.0.0.1:{port}")
    with pytest.raises(ProviderNotReadyError):
        over(client, ready_timeout_seconds=0.05)
    features = api.get_client()
    assert features.get_provider_status() == ProviderStatus.ERROR
    details = features.get_boolean_details(FLAG, default_value=True, evaluation_context=ANA)
    assert (details.value, details.error_code) == (True, ErrorCode.PROVIDER_NOT_READY)
    ready = hears(ProviderEvent.PROVIDER_READY)
    with StandIn(served, port):
        until(lambda: ready)
        assert features.get_provider_status() == ProviderStatus.READY
        assert features.get_boolean_details(FLAG, default_value=False).reason == Reason.STATIC


def test_who_listens_hears_which_flags_changed(
    features: OpenFeatureClient, served: ControlPlane
) -> None:
    changes = hears(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED)
    served.flags.disable(FLAG, actor="ana")
    until(lambda: changes)
    assert (changes[0].flags_changed, changes[0].provider_name) == ([FLAG], "controlplane")
    assert features.get_boolean_value(FLAG, default_value=True) is False


def test_while_the_server_is_away_too_long_answers_are_stale(
    served: ControlPlane, client_of: MakeClient
) -> None:
    stale, port = hears(ProviderEvent.PROVIDER_STALE), free_port()
    with StandIn(served, port) as server:
        features = over(client_of(server, stale_after_seconds=0.3))
        assert features.get_boolean_details(FLAG, default_value=False).reason == Reason.STATIC
    until(lambda: stale)
    assert features.get_provider_status() == ProviderStatus.STALE
    details = features.get_boolean_details(FLAG, default_value=False)
    assert (details.value, details.reason) == (True, Reason.STALE)
    assert details.flag_metadata["reason"] == "STATIC"
    with StandIn(served, port):
        until(lambda: features.get_provider_status() == ProviderStatus.READY)
        assert features.get_boolean_details(FLAG, default_value=False).reason == Reason.STATIC


def test_who_comes_while_it_is_stale_is_told_too(
    served: ControlPlane, client_of: MakeClient
) -> None:
    with StandIn(served) as server:
        client = client_of(server, stale_after_seconds=0.1)
        assert client.wait_until_ready(5)
    until(lambda: client.stale)
    features = over(client)
    until(lambda: features.get_provider_status() == ProviderStatus.STALE)


def test_shut_down_it_tells_nothing_more_and_leaves_the_client_open(
    client: Client, served: ControlPlane
) -> None:
    over(client)
    changes = hears(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED)
    api.shutdown()
    served.flags.disable(FLAG, actor="ana")
    until(lambda: not client.is_enabled(FLAG, "u"))
    assert client.status().connected
    assert changes == []
