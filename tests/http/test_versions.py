"""What a command answers is tagged, so that the next one needs no reading in between."""

import asyncio

import msgspec
import pytest
from fastapi import Request, Response

from controlplane import ControlPlane
from controlplane.http.app import create_app
from controlplane.http.models.flags import Flag
from controlplane.http.versions import STREAMS, tagging
from controlplane.views import flag_view
from tests.http.callers import QUICK, as_, client
from tests.journeys.traffic import ENGINEER, FLAG

FLAGS, ROLLOUTS = "/api/v1/flags", "/api/v1/rollouts"


def test_commands_are_chained_by_what_each_answered(scraped: ControlPlane) -> None:
    ana, ben = as_(scraped, "ana", "approver"), as_(scraped, "ben", "approver")
    plan = QUICK | {"start": {"needed": 1}}
    answer = ana.post(FLAGS, json={"name": FLAG, "owner": "patch-team"})
    for method, path, body in (
        ("PATCH", f"{FLAGS}/{FLAG}", {"tags": ["patches"]}),
        ("POST", f"{FLAGS}/{FLAG}/enable", {"percentage": 5}),
        ("POST", f"{FLAGS}/{FLAG}/enable", {"percentage": 5}),  # It changes nothing.
        ("POST", f"{FLAGS}/{FLAG}/disable", {}),
    ):
        headers = {"If-Match": answer.headers["ETag"]}
        answer = ana.request(method, path, json=body, headers=headers)
        assert answer.is_success, answer.text
    answer = ana.post(f"{ROLLOUTS}/drafts", json={"flag": FLAG, "plan": plan})
    one = f"{ROLLOUTS}/{FLAG}-r1"
    for asking, step, body in (
        (ana, "submit", {}),
        (ben, "approve-start", {}),
        (ana, "start", {}),
        (ben, "pause", {"reason": "look first"}),
        (ben, "abort", {}),
        (ana, "retry", {}),
    ):
        headers = {"If-Match": answer.headers["ETag"]}
        answer = asking.post(f"{one}/{step}", json=body, headers=headers)
        assert answer.is_success, answer.text
    assert answer.json()["id"] == f"{FLAG}-r2"
    assert answer.headers["ETag"] == ana.get(f"{ROLLOUTS}/{FLAG}-r2").headers["ETag"]


def test_a_command_that_was_done_before_is_tagged_as_it_stands_by_now(
    scraped: ControlPlane,
) -> None:
    asking = client(scraped, dev=True)
    made = {"name": FLAG, "owner": "patch-team"}
    for _ in "12":
        answer = asking.post(FLAGS, json=made, headers={"Idempotency-Key": "make"})
        assert answer.headers["ETag"] == asking.get(f"{FLAGS}/{FLAG}").headers["ETag"]
        scraped.flags.enable(FLAG, percentage=5, actor=ENGINEER)


def test_a_tag_says_no_more_than_the_answer(scraped: ControlPlane) -> None:
    """Else somebody would overwrite what they have not seen."""
    shown = flag_view(scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER))

    async def answers(_request: Request) -> Response:
        scraped.flags.enable(FLAG, percentage=5, actor="somebody else")
        return Response(msgspec.json.encode(shown))

    request = Request({"type": "http", "app": create_app(scraped)})
    answer = asyncio.run(tagging(answers, STREAMS[Flag])(request))  # type: ignore[arg-type]  # why: a coroutine is one
    assert answer.headers["ETag"] == '"1"'


@pytest.mark.parametrize("path", ["/api/v1/freezes", "/api/v1/tokens"])
def test_what_has_no_version_has_no_tag(scraped: ControlPlane, path: str) -> None:
    body = {"reason": "r"} if "freezes" in path else {"owner": "ben", "roles": ["viewer"]}
    answer = client(scraped, dev=True).post(path, json=body)
    assert (answer.status_code, "ETag" in answer.headers) == (201, False)
