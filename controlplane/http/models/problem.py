"""Problems, after RFC 9457."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

_MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong, and what to do."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:controlplane:problem:flag-not-found"])
    title: str = Field(examples=["Flag not found"])
    status: int = Field(examples=[404])
    detail: str = Field(
        examples=["There is no rollout checkout-r1. See which there are: GET /api/v1/rollouts."]
    )


def _described(text: str, **headers: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": text,
        "content": {_MEDIA_TYPE: {"schema": schema}},
        "headers": {name: {"schema": {"type": kind}} for name, kind in headers.items()},
    }


PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: _described("The request cannot be read."),
    401: _described("Nobody known asks: send a token.", **{"WWW-Authenticate": "string"}),
    403: _described("The token, or the person, may not do this."),
    404: _described("There is no such thing, or not for this token."),
    405: _described("There is nothing that this method could do here."),
    408: _described("The body did not come in time."),
    409: _described("As things stand this cannot be done."),
    412: _described("It was changed since the version in If-Match."),
    413: _described("The body is too large."),
    415: _described("The body's encoding is not known."),
    422: _described("Some of what was sent is not valid."),
    429: _described("Too many at once.", **{"Retry-After": "integer"}),
    503: _described(
        "The event log cannot be reached now, or there are too many connections.",
        **{"Retry-After": "integer"},
    ),
}
"""What any route may answer besides what it is for."""
