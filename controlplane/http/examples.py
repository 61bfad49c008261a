"""What was once asked and answered, for the OpenAPI document.

Told by the tests, which hold it to the schemas: python -m tests.http.telling.
"""

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

FILE = "examples.json"


@cache
def told() -> dict[str, dict[str, Any]]:
    """By operation: what was `asked`, and what was `answered` by media type."""
    text = files("controlplane.http").joinpath(FILE).read_bytes()
    found: dict[str, dict[str, Any]] = msgspec.json.decode(text)
    return found


def illustrate(operation: dict[str, Any]) -> None:
    """Show the examples of an operation where it has none of its own."""
    example = told().get(operation["operationId"], {})
    if "asked" in example:
        for content in operation["requestBody"]["content"].values():
            _show(content, example["asked"])
    main = next((status for status in operation["responses"] if status.startswith("2")), None)
    answers = operation["responses"][main].get("content", {}) if main else {}
    for media_type, answered in example.get("answered", {}).items():
        if media_type in answers:
            _show(answers[media_type], answered)


def _show(content: dict[str, Any], example: Any) -> None:
    if not content.keys() & {"example", "examples"}:
        content["example"] = example
