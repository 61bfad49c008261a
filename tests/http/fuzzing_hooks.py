"""What Schemathesis is told about this API beyond its OpenAPI document."""

import json
import os
import re
from typing import Any

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData

OWN_TOKEN = "FUZZED_TOKEN"  # noqa: S105  why: a variable's name
NOBODYS = "0" * 12
VERSION = re.compile(r'"[0-9]{1,18}"')


@schemathesis.serializer("application/x-ndjson")
def lines(_context: Any, value: Any) -> bytes:
    """What was generated, a line each."""
    return value.encode(errors="replace") if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.hook
def before_call(_context: Any, case: Any, **_more: Any) -> None:
    """Do not saw off the branch: the token that all is asked by stays.

    Nor stop at the door: a version that was made up is hardly ever the right one, so most go.
    """
    if (case.path_parameters or {}).get("token") == os.environ[OWN_TOKEN]:
        case.path_parameters["token"] = NOBODYS
    version = str((case.headers or {}).get("If-Match", ""))
    if VERSION.fullmatch(version) and int(version.strip('"')) % 8:
        del case.headers["If-Match"]


@schemathesis.hook
def filter_failure(_context: Any, failure: Any, _case: Any, response: Any) -> bool:
    """What has the right form may still be refused for what it says; not for its form.

    A line of NDJSON that is wrong is refused by its index. To JSON Schema 1.0 is an integer, and
    a bound of 2^63 - 1 is not exact.
    """
    if isinstance(failure, AcceptedNegativeData):
        return "/executions" not in response.request.url
    if not isinstance(failure, RejectedPositiveData):
        return True
    told: dict[str, Any] = response.json()
    if not str(told.get("type")).endswith("invalid-request"):
        return response.status_code == 400 and "errorCode" not in told
    return "valid integer" not in told["detail"] and "less than or equal" not in told["detail"]
