"""The OpenAPI document, for whoever may read."""

import re
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from controlplane.http.examples import illustrate
from controlplane.http.models.problem import Problem
from controlplane.http.policy import POLICY, Rule, stream_of
from controlplane.http.route import router
from controlplane.http.versions import STREAMS

routes = router("document")


@routes.get("/openapi.json", include_in_schema=False)
def openapi_document(request: Request) -> JSONResponse:
    """What can be asked here, as OpenAPI 3.1 has it."""
    return JSONResponse(document(request.app))


def document(app: Any) -> dict[str, Any]:
    """The OpenAPI document of an application."""
    found: dict[str, Any] = app.openapi()
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    schemas.setdefault("Problem", Problem.model_json_schema())
    found["components"]["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    found["security"] = [{"bearer": []}, {"key": []}]
    for path, operations in found["paths"].items():
        for operation in operations.values():
            rule = POLICY[operation["operationId"]]
            _ruled(operation, rule, path)
            if rule.command or operation["operationId"] in _TAGGED:
                _tagged(operation)
            illustrate(operation)
    return found


def _ruled(operation: dict[str, Any], rule: Rule, path: str) -> None:
    """Say of an operation what holds for it by the policy table."""
    operation["x-permission"] = rule.permission
    if rule.permission is None:
        operation["security"] = []
    if rule.command:
        names = dict.fromkeys(re.findall(r"{(\w+)}", path), "")
        parameters = [_KEY, _VERSION] if stream_of(names) is not None else [_KEY]
        given = operation.setdefault("parameters", [])
        given += [one for one in parameters if one not in given]


def _tagged(operation: dict[str, Any]) -> None:
    """Say of what shows a thing that has versions that it is tagged."""
    for status in ("200", "201"):
        answer = operation["responses"].get(status, {})
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
        if schema.get("$ref", "").rpartition("/")[2] in _VERSIONED:
            answer["headers"] = answer.get("headers", {}) | {"ETag": _TAG}


_TAGGED = ("get_flag", "get_rollout", "get_alert")
_VERSIONED = [form.__name__ for form in STREAMS]
_TAG = {
    "description": "The version of what is shown, for If-Match.",
    "schema": {"type": "string", "pattern": '^"[0-9]{1,18}"$'},
    "example": '"7"',
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The command is done once, however often it is sent under the same key.",
    "schema": {"type": "string", "maxLength": 255},
}
_VERSION = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of what was read: the command is done only if it is still that.",
    "schema": {"type": "string", "pattern": '^"[0-9]{1,18}"$'},
    "example": '"7"',
}
