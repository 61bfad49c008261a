"""`GET /metrics` on the API's port too: by token, and over TLS where the API has it."""

from http import HTTPStatus
from typing import Any

from fastapi import Request, Response

from controlplane.http import problems
from controlplane.http.route import router
from controlplane.scrapes import Scrapes

routes = router("metrics", prefix="")

_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
}


@routes.get("/metrics", response_class=Response, responses=_TEXT)
def scrape_metrics(request: Request) -> Response:
    """Give the metrics in the format that Prometheus asks for; 503 while they would be wrong."""
    scrapes: Scrapes = request.app.state.scrapes
    if (refusal := scrapes.refusal()) is not None:
        status = HTTPStatus.SERVICE_UNAVAILABLE
        return problems.answer("CatchingUp", status, refusal, headers={"Retry-After": "5"})
    text, content_type = scrapes.text(request.headers.get("Accept", ""))
    return Response(text, media_type=content_type)
