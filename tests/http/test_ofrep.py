"""OFREP, word by word: what is asked, what is told, what is cached, what is wrong."""

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from controlplane import ControlPlane
from controlplane.http.ofrep_answers import NotUnderstoodError, context_of, matches, resolution
from events.event import Actor, NewEvent
from events.flags import EVERYONE, Audience, Condition, ExposureChanged, Variant, flag_stream
from projections.flags import Exposure, Flag
from tests.http.callers import client, holding
from tests.journeys.traffic import ENGINEER, FLAG, batch

ONE = "/ofrep/v1/evaluate/flags/"
ALL = "/ofrep/v1/evaluate/flags"
BETA = Audience("beta", (Condition("group", "equals", "beta"),))


@pytest.fixture
def asking(kept: ControlPlane) -> TestClient:
    """Somebody on this machine."""
    return client(kept, dev=True)


def body(unit: str | None = "user-17", **attributes: Any) -> dict[str, Any]:
    key = {} if unit is None else {"targetingKey": unit}
    return {"context": key | attributes}


def one(asking: TestClient, flag: str = FLAG, **said: Any) -> dict[str, Any]:
    answer = asking.post(ONE + flag, json=body(**said))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def short(found: dict[str, Any]) -> tuple[Any, ...]:
    return found["value"], found["variant"], found["reason"]


# -- one flag --------------------------------------------------------------------------------------


def test_each_reason_has_its_occasion(kept: ControlPlane, asking: TestClient) -> None:
    assert short(one(asking)) == (False, "off", "DISABLED")
    kept.flags.enable(FLAG, percentage=100, audience=BETA, actor=ENGINEER)
    assert short(one(asking)) == (False, "off", "DEFAULT")
    assert short(one(asking, group="beta")) == (True, "on", "TARGETING_MATCH")
    kept.flags.set_percentage(FLAG, 50, actor=ENGINEER)
    assert one(asking)["reason"] == "SPLIT"
    kept.flags.set_percentage(FLAG, 100, actor=ENGINEER)
    assert short(one(asking)) == (True, "on", "STATIC")
    kept.flags.archive(FLAG, actor=ENGINEER)
    assert short(one(asking)) == (False, "off", "DISABLED")


def test_an_answer_says_what_it_rests_on(kept: ControlPlane, asking: TestClient) -> None:
    flag = kept.flags.enable(FLAG, percentage=50, actor=ENGINEER)
    why = kept.flags.explain(FLAG, "user-17")
    assert one(asking) == {
        "key": FLAG,
        "value": why.enabled,
        "variant": "on" if why.enabled else "off",
        "reason": "SPLIT",
        "metadata": {"position": flag.position, "audience": "everyone", "sentence": why.sentence},
    }


def test_it_answers_as_the_python_api_does(kept: ControlPlane, asking: TestClient) -> None:
    kept.flags.enable(FLAG, percentage=30, actor=ENGINEER)
    kept.flags.set_percentage(FLAG, 60, audience=BETA, actor=ENGINEER)
    for n in range(50):
        group = "beta" if n % 2 else "other"
        expected = kept.flags.is_enabled(FLAG, f"user-{n}", {"group": group})
        assert one(asking, unit=f"user-{n}", group=group)["value"] is expected


def test_numbers_are_of_the_kind_they_were_defined_as(
    kept: ControlPlane, asking: TestClient
) -> None:
    for name, value in (("whole", 1), ("broken", 1.0)):
        kept.flags.create(name, owner="o", actor=ENGINEER)
        variants = [Variant("a", value, 1), Variant("b", value + 1, 0)]
        kept.flags.define_variants(
            name, kind="number", variants=variants, default="b", actor=ENGINEER
        )
        kept.flags.enable(name, percentage=100, actor=ENGINEER)
    assert b'"value":1,' in asking.post(ONE + "whole", json=body()).content
    assert b'"value":1.0,' in asking.post(ONE + "broken", json=body()).content
    everything = asking.post(ALL, json=body()).content
    assert b'"value":1,' in everything
    assert b'"value":1.0,' in everything


def test_a_flag_that_is_not_there_is_told_so(asking: TestClient) -> None:
    for key in ("nothing", "%00", "ünïcode", "x" * 500):
        answer = asking.post(ONE + key, json=body())
        assert answer.status_code == 404
        found = answer.json()
        assert found["errorCode"] == "FLAG_NOT_FOUND"
        assert found["errorDetails"].startswith("There is no flag ")
        assert found["key"] == found["errorDetails"].removeprefix("There is no flag ")


def test_a_unit_is_needed_only_where_it_matters(kept: ControlPlane, asking: TestClient) -> None:
    nobody: list[dict[str, Any]] = [
        {"content": b""},
        {"content": b"  "},
        {"json": {}},
        {"json": {"context": {}}},
        {"json": {"context": None}},
        {"json": {"context": {"targetingKey": ""}}},
        {"json": {"context": {"targetingKey": None, "group": "other"}}},
    ]
    for said in nobody:
        assert asking.post(ONE + FLAG, **said).json()["reason"] == "DISABLED"
    kept.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    for said in nobody:
        assert asking.post(ONE + FLAG, **said).json()["value"] is True
    kept.flags.set_percentage(FLAG, 50, actor=ENGINEER)
    for said in nobody:
        answer = asking.post(ONE + FLAG, **said)
        assert answer.status_code == 400
        assert answer.json()["errorCode"] == "TARGETING_KEY_MISSING"
        assert answer.json()["key"] == FLAG
        assert FLAG in answer.json()["errorDetails"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "PARSE_ERROR"),
        (b"nonsense", "PARSE_ERROR"),
        (b"[]", "PARSE_ERROR"),
        (b'{"context": NaN}', "PARSE_ERROR"),
        (b'{"context": {"x": 1e999}}', "PARSE_ERROR"),
        (b'{"context": {"x": "\xff"}}', "PARSE_ERROR"),
        (b'{"context": {"x": "\\ud800"}}', "PARSE_ERROR"),
        (b'{"context": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "PARSE_ERROR"),
        (b'{"context": {"x": ' + b"[" * 5000 + b"]" * 5000 + b"}}", "PARSE_ERROR"),
        (b'{"context": {"x": ' + b"9" * 10_000 + b"}}", "PARSE_ERROR"),
        (b'{"context": []}', "INVALID_CONTEXT"),
        (b'{"context": "user-17"}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": 17}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": ["user-17"]}}', "INVALID_CONTEXT"),
    ],
)
def test_what_makes_no_sense_is_told_in_ofreps_words(
    asking: TestClient, content: bytes, code: str
) -> None:
    answer = asking.post(ONE + FLAG, content=content)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)
    assert answer.json()["key"] == FLAG
    assert answer.json()["errorDetails"]
    answer = asking.post(ALL, content=content)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)
    assert answer.json()["errorDetails"]


@pytest.mark.parametrize("type_", ["application/json", "text/plain", "application/x-nothing", ""])
def test_the_content_type_is_not_asked_for(asking: TestClient, type_: str) -> None:
    content = json.dumps(body()).encode()
    headers = {"Content-Type": type_}
    assert asking.post(ONE + FLAG, content=content, headers=headers).status_code == 200
    assert asking.post(ALL, content=content, headers=headers).status_code == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OPERATORS = st.sampled_from(
    [
        Condition("x", "equals", 1), Condition("x", "not_equals", "a"),
        Condition("x", "in", ("a", 1, True)), Condition("x", "not_in", ("a",)),
        Condition("x", "prefix", "a"), Condition("x", "lt", 1.5), Condition("x", "gte", 2),
        Condition("x", "version_lt", "2.10.1"), Condition("targetingKey", "prefix", "user"),
    ]
)  # fmt: skip


@given(condition=OPERATORS, attributes=st.dictionaries(st.sampled_from("xyz"), JSON), unit=JSON)
def test_no_context_makes_an_evaluation_fail(
    condition: Condition, attributes: dict[str, Any], unit: Any
) -> None:
    text = json.dumps({"context": {**attributes, "targetingKey": unit}})
    exposures = (Exposure(Audience("some", (condition,)), 50.0), Exposure(EVERYONE, 10.0))
    flag = Flag("f", exists=True, enabled=True, salt="f", exposures=exposures)
    try:
        context = context_of(text.encode())
    except NotUnderstoodError:
        return
    found = resolution(flag, context)
    assert found.get("errorCode") in (None, "TARGETING_KEY_MISSING")
    assert found.get("errorDetails") or found["variant"] in ("on", "off")


def test_a_flag_that_cannot_be_understood_fails_alone(
    kept: ControlPlane, asking: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    kept.flags.create("odd", owner="o", actor=ENGINEER)
    kept.flags.enable("odd", percentage=100, actor=ENGINEER)
    changed = ExposureChanged(flag="odd", audience=EVERYONE, before=1, after=0.00001, reason="")
    new = NewEvent(
        stream=flag_stream("odd"),
        event=changed,
        id="00000000-0000-0000-0000-00000000ffff",
        occurred_at=kept.clock(),
        actor=Actor.person(ENGINEER),
    )
    kept.log.append([new])
    caplog.set_level(logging.CRITICAL)
    kept.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    answer = asking.post(ONE + "odd", json=body())
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "GENERAL")
    odd, other = asking.post(ALL, json=body()).json()["flags"]
    assert (odd["errorCode"], other["value"]) == ("GENERAL", True)


# -- all flags -------------------------------------------------------------------------------------


def test_all_flags_at_once_and_where_to_hear_of_changes(
    kept: ControlPlane, asking: TestClient
) -> None:
    kept.flags.create("half", owner="o", actor=ENGINEER)
    kept.flags.enable("half", percentage=50, actor=ENGINEER)
    kept.flags.create("past", owner="o", actor=ENGINEER)
    kept.flags.archive("past", actor=ENGINEER)
    answer = asking.post(ALL, json=body())
    found = answer.json()
    assert found["flags"] == [one(asking, name) for name in (FLAG, "half", "past")]
    assert found["eventStreams"] == [
        {
            "type": "sse",
            "endpoint": {"requestUri": "/ofrep/v1/stream"},
            "inactivityDelaySec": 120,
        }
    ]
    assert found["metadata"] == {"environment": "production"}
    position = kept.flags.get("past").position
    assert answer.headers["ETag"].startswith(f'"{position}-')
    nobody = asking.post(ALL).json()["flags"]
    assert [item.get("errorCode") for item in nobody] == [None, "TARGETING_KEY_MISSING", None]


def test_what_a_client_has_already_is_not_sent_again(
    kept: ControlPlane, asking: TestClient
) -> None:
    tag = asking.post(ALL, json=body()).headers["ETag"]
    bare = tag.strip('"')
    for given_ in (tag, f"W/{tag}", f'"x", {tag}', f'"x",W/{tag}', "*", bare):
        answer = asking.post(ALL, json=body(), headers={"If-None-Match": given_})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["ETag"] == tag
    for given_ in ("", '"x"', f'"{bare}x"', '""'):
        answer = asking.post(ALL, json=body(), headers={"If-None-Match": given_})
        assert answer.status_code == 200
    kept.executions.record([batch()])
    assert asking.post(ALL, json=body()).headers["ETag"] == tag
    kept.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    answer = asking.post(ALL, json=body(), headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.json()["flags"][0]["value"] is True


def test_another_context_has_another_tag(asking: TestClient) -> None:
    said = [
        body(), body("user-18"), body(group="beta"), body(group=True), body(group=1),
        body(group="1"), {},
    ]  # fmt: skip
    tags = {asking.post(ALL, json=one).headers["ETag"] for one in said}
    assert len(tags) == len(said)


def test_what_a_client_heard_of_never_makes_it_keep_what_it_has(
    kept: ControlPlane, asking: TestClient
) -> None:
    first = asking.post(ALL, json=body())
    has = {"If-None-Match": first.headers["ETag"]}
    seconds = kept.clock() // 1_000_000
    for query, status in {
        "flagConfigEtag=1": 304,
        'flagConfigEtag="1-abc"': 304,
        f"flagConfigEtag={first.headers['ETag']}": 304,
        "flagConfigEtag=something": 304,
        f"flagConfigLastModified={seconds}": 304,
        "flagConfigLastModified=2020-01-01T00:00:00Z": 304,
        "flagConfigLastModified=nonsense": 304,
        "flagConfigEtag=2": 200,
        'flagConfigEtag=W/"77"': 200,
        f"flagConfigLastModified={seconds + 1}": 200,
        "flagConfigLastModified=2099-01-01T00:00:00+02:00": 200,
        "flagConfigLastModified=2099-01-01T00:00:00%2B02:00": 200,
    }.items():
        answer = asking.post(f"{ALL}?{query}", json=body(), headers=has)
        assert (query, answer.status_code) == (query, status)
        changed = asking.post(f"{ALL}?{query}", json=body("other"), headers=has)
        assert changed.status_code == 200


def test_who_heard_of_a_change_elsewhere_gets_it(kept: ControlPlane, asking: TestClient) -> None:
    before = asking.post(ALL, json=body())
    with ControlPlane(kept.url, clock=kept.clock) as other:
        flag = other.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    stale = asking.post(ALL, json=body())
    assert stale.json()["flags"][0]["value"] is False
    assert stale.headers["ETag"] == before.headers["ETag"]
    fresh = asking.post(f"{ALL}?flagConfigEtag={flag.position}", json=body())
    assert fresh.json()["flags"][0]["value"] is True


@given(tags=st.lists(st.from_regex(r"[0-9]{1,3}-[0-9a-f]{4}", fullmatch=True), max_size=4))
def test_a_list_of_tags_matches_where_one_of_it_does(tags: list[str]) -> None:
    etag = '"7-abcd"'
    listed = ", ".join(f'W/"{one}"' if n % 2 else f'"{one}"' for n, one in enumerate(tags))
    assert matches(listed, etag) is ("7-abcd" in tags)
    assert matches(f"{listed}, {etag}", etag)


# -- who may ask -----------------------------------------------------------------------------------


def test_a_token_for_some_flags_is_answered_about_these(kept: ControlPlane) -> None:
    kept.flags.create("secret", owner="o", actor=ENGINEER)
    narrowed = holding(kept, "viewer", scopes=("flag:batch-*",))
    assert [flag["key"] for flag in narrowed.post(ALL, json=body()).json()["flags"]] == [FLAG]
    assert narrowed.post(ONE + FLAG, json=body()).status_code == 200
    hidden = narrowed.post(ONE + "secret", json=body())
    missing = narrowed.post(ONE + "nowhere", json=body())
    assert hidden.status_code == missing.status_code == 404
    assert hidden.json() == json.loads(missing.text.replace("nowhere", "secret"))
    everything = holding(kept, "viewer")
    tags = [one.post(ALL, json=body()).headers["ETag"] for one in (narrowed, everything)]
    assert tags[0] != tags[1]


def test_evaluating_takes_a_permission(kept: ControlPlane) -> None:
    for path in (ONE + FLAG, ALL):
        assert client(kept).post(path, json=body()).status_code == 401
        assert holding(kept, "ingestor").post(path, json=body()).status_code == 403
