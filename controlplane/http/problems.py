"""What went wrong, as RFC 9457 has it: `application/problem+json`, with what to do about it."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from controlplane.access_errors import TooManyRequests
from controlplane.advice import over_http
from controlplane.errors import ControlPlaneError

MEDIA_TYPE = "application/problem+json"
_RETRY_SECONDS = 2


def problem(error: ControlPlaneError) -> Response:
    """The answer to what was refused."""
    headers = {}
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.details["retry_after"])
    elif error.status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(_RETRY_SECONDS)
    return answer(type(error).__name__, error.status, over_http(error), headers=headers)


def invalid(error: RequestValidationError) -> Response:
    """The answer to a request that is not of the form that its route takes.

    What was sent is not repeated: there may be a secret in it.
    """
    errors = [
        {"where": "/".join(str(part) for part in one["loc"]), "problem": one["msg"]}
        for one in error.errors()[:20]
    ]
    unreadable = any(one["type"] in ("json_invalid", "string_unicode") for one in error.errors())
    status = HTTPStatus.BAD_REQUEST if unreadable else HTTPStatus.UNPROCESSABLE_ENTITY
    said = "; ".join(f"{one['where']}: {one['problem']}" for one in errors)
    if any(one["loc"][0] == "path" for one in error.errors()):
        detail = f"There can be nothing of that name: {said}"
        return answer("NotFound", HTTPStatus.NOT_FOUND, detail, errors=errors)
    return answer("InvalidRequest", status, f"The request is not valid: {said}", errors=errors)


def answer(
    name: str,
    status: HTTPStatus,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """A problem by its name, as in `FlagNotFound`."""
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()
    content = {
        "type": f"urn:controlplane:problem:{words.replace(' ', '-')}",
        "title": words.capitalize(),
        "status": status.value,
        "detail": detail,
        **more,
    }
    given = dict(headers or {})
    if status is HTTPStatus.UNAUTHORIZED:
        given["WWW-Authenticate"] = "Bearer"
    text = json.dumps(content, ensure_ascii=False)
    # Half of a surrogate pair in what is quoted must not make an answer impossible: so escaped,
    # it is what JSON has for it.
    return Response(text.encode(errors="backslashreplace"), status.value, given, MEDIA_TYPE)
