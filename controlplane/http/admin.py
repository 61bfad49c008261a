"""`POST /admin/flags`: a percentage for everyone, in one line of curl."""

import json

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool

from controlplane.errors import InvalidInput
from controlplane.http.calls import Asking, Json, Plane, refuse_unseen
from controlplane.http.models.flags import Flag
from controlplane.http.route import router
from controlplane.views import flag_view

routes = router("admin", prefix="/admin")


class Served(BaseModel):
    """A flag, and how many per cent of everyone are served the new code."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(min_length=1, max_length=100, examples=["batch-patches-v1"])
    percentage: float = Field(ge=0, le=100, examples=[10])
    reason: str = Field(default="", max_length=2000)


_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": Served.model_json_schema()}},
    }
}


@routes.post("/flags", response_model=Flag, openapi_extra=_BODY)
async def admin_flags(request: Request, plane: Plane, asking: Asking) -> Json:
    """Serve everyone at a percentage; the flag is made if need be, and off at 0.

    The body is JSON, whatever its content type: curl -d says that it is a form.
    """
    served = _parsed(await request.body())
    refuse_unseen(asking, served.name)
    flag = await run_in_threadpool(
        plane.flags.serve,
        served.name,
        served.percentage,
        actor=asking.actor,
        reason=served.reason,
        may_raise=asking.may("flags.raise"),
    )
    return flag_view(flag)


def _parsed(body: bytes) -> Served:
    try:
        return Served.model_validate(json.loads(body))
    except ValidationError as error:
        said = "; ".join(f"{'/'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
        raise InvalidInput(reason=f"the body is not valid: {said}") from error
    except ValueError as error:
        raise InvalidInput(
            reason='the body is JSON, as in {"name": "batch-patches-v1", "percentage": 10}'
        ) from error
