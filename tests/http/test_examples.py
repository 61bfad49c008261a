"""The examples of the OpenAPI document: all there, as its schemas say, told by the API itself."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from controlplane import ControlPlane
from controlplane.http.app import create_app
from controlplane.http.document import document
from controlplane.http.policy import POLICY
from tests.http.telling import told

NO_JSON = {
    *("export_incident", "rollout_report", "scrape_metrics"),
    *("stream_events", "stream_flags", "stream_ofrep"),
}
SCHEMA_ITSELF = {"plan_schema"}


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    with ControlPlane("memory://") as plane:
        return document(create_app(plane))


def contents(openapi: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body that is JSON: of requests, and of answers that are no problem."""
    for operations in openapi["paths"].values():
        for operation in operations.values():
            name = operation["operationId"]
            asked = operation.get("requestBody", {}).get("content", {})
            answers = [
                answer.get("content", {})
                for status, answer in operation["responses"].items()
                if status.startswith("2")
            ]
            for where, content in (("asked", asked), *(("answered", one) for one in answers)):
                for media_type, shown in content.items():
                    if name not in NO_JSON | SCHEMA_ITSELF:
                        yield f"{name} {where}, {media_type}", shown


def test_every_body_and_every_answer_has_an_example(openapi: dict[str, Any]) -> None:
    without = [
        where for where, shown in contents(openapi) if not shown.keys() & {"example", "examples"}
    ]
    assert without == [], "tell it in tests/http/telling.py, then: python -m tests.http.telling"


def test_every_example_is_as_its_schema_says(openapi: dict[str, Any]) -> None:
    wrong = {}
    for where, shown in contents(openapi):
        examples = [one["value"] for one in shown.get("examples", {}).values()]
        examples += [shown["example"]] if "example" in shown else []
        schema = {**shown.get("schema", {}), "components": openapi["components"]}
        for example in examples:
            try:
                jsonschema_rs.Draft202012Validator(schema).validate(example)
            except jsonschema_rs.ValidationError as error:
                wrong[where] = str(error)[:500]
    assert wrong == {}, "after a change: python -m tests.http.telling"


def test_their_story_can_still_be_told_and_every_command_of_it_sent_twice(
    openapi: dict[str, Any],
) -> None:
    with told() as story:
        assert set(story.keys) == {name for name, rule in POLICY.items() if rule.command}
        names = {
            operation["operationId"]
            for operations in openapi["paths"].values()
            for operation in operations.values()
        }
        assert names - story.told.keys() == NO_JSON | SCHEMA_ITSELF


def test_it_says_where_the_api_is(openapi: dict[str, Any]) -> None:
    assert [server["url"] for server in openapi["servers"]] == ["/", "http://localhost:9000"]


def test_schemas_have_names_of_their_own(openapi: dict[str, Any]) -> None:
    assert [name for name in openapi["components"]["schemas"] if "__" in name] == []
