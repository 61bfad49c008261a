"""The OpenAPI document, for whoever may read."""

from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse

from controlplane.http.models.problem import Problem
from controlplane.http.route import router

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
    return found
