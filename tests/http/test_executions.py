"""Executions over HTTP: kept in one transaction, refused one by one, counted once."""

import gzip
import json
from typing import Any
from uuid import UUID

import pytest

from controlplane import ControlPlane
from events.event import Actor
from events.executions import BatchExecuted
from tests.http.callers import client, holding
from tests.journeys.traffic import ENGINEER, FLAG, batch

INGEST = "/api/v1/executions"
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
def flagged(scraped: ControlPlane) -> ControlPlane:
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    return scraped


def recorded(plane: ControlPlane) -> int:
    return len(plane.events(type=BatchExecuted.TYPE))


def ndjson(*lines: Any) -> bytes:
    return b"\n".join(
        line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines
    )


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ([batch(), batch()], 2),
        ({"executions": [batch(), batch(), batch()]}, 3),
        (batch(), 1),
        ([], 0),
        ({"executions": []}, 0),
    ],
)
def test_executions_come_in_any_form(flagged: ControlPlane, body: Any, count: int) -> None:
    answer = holding(flagged, "ingestor").post(INGEST, json=body)
    assert answer.status_code == 200
    position = flagged.head().position if count else 0
    assert answer.json() == {
        "accepted": count,
        "duplicates": 0,
        "refused": [],
        "position": position,
    }
    assert recorded(flagged) == count


def test_each_is_its_tokens_owners_and_no_command(flagged: ControlPlane) -> None:
    holding(flagged, "ingestor").post(INGEST, json=[batch()], headers={"Idempotency-Key": "k"})
    (event,) = flagged.events(type=BatchExecuted.TYPE)
    assert event.actor == Actor(kind="token", id="ben", name="ben")
    assert not flagged.events(type="access.command_accepted")


def test_what_is_wrong_is_refused_alone(flagged: ControlPlane) -> None:
    wrong = [7, None, [], {}, batch(flag="nonsense"), batch(unit=""), batch(id="x" * 100_000)]
    answer = client(flagged, dev=True).post(INGEST, json=[batch(), *wrong, batch()])
    assert answer.status_code == 200
    told = answer.json()
    assert told["accepted"] == recorded(flagged) == 2
    assert [refusal["index"] for refusal in told["refused"]] == [1, 2, 3, 4, 5, 6, 7]
    assert "no flag 'nonsense'" in told["refused"][4]["reason"]
    assert all(0 < len(refusal["reason"]) <= 500 for refusal in told["refused"])


def test_sent_again_each_counts_once(flagged: ControlPlane) -> None:
    body = [batch(id=str(UUID(int=n))) for n in range(3)]
    asking = holding(flagged, "ingestor")
    first = asking.post(INGEST, json=body).json()
    again = asking.post(INGEST, json=[*body, batch()]).json()
    assert (first["accepted"], first["duplicates"]) == (3, 0)
    assert (again["accepted"], again["duplicates"]) == (4, 3)
    assert flagged.metrics.total(FLAG).executions == 4


@pytest.mark.parametrize("media_type", ["application/x-ndjson", "Application/X-NDJSON; charset=x"])
def test_a_line_that_is_not_json_is_refused_by_its_index(
    flagged: ControlPlane, media_type: str
) -> None:
    lines = [batch(), b"{", b"", batch(), b"\xff", b'"\xff"', b"[" * 100_000, b"7", batch(), b""]
    answer = client(flagged, dev=True).post(
        INGEST, content=ndjson(*lines), headers={"Content-Type": media_type}
    )
    assert answer.status_code == 200
    assert answer.json()["accepted"] == recorded(flagged) == 3
    assert [refusal["index"] for refusal in answer.json()["refused"]] == [1, 4, 5, 6, 7]


def test_carriage_returns_and_an_empty_body_of_lines_are_taken(flagged: ControlPlane) -> None:
    asking = client(flagged, dev=True)
    two = ndjson(batch(), batch()).replace(b"\n", b"\r\n") + b"\r\n"
    assert asking.post(INGEST, content=two, headers=NDJSON).json()["accepted"] == 2
    assert asking.post(INGEST, content=b"", headers=NDJSON).json()["accepted"] == 0


def test_they_may_be_packed(flagged: ControlPlane) -> None:
    packed = gzip.compress(ndjson(*[batch()] * 1000))
    headers = NDJSON | {"Content-Encoding": "gzip"}
    answer = client(flagged, dev=True).post(INGEST, content=packed, headers=headers)
    assert answer.json()["accepted"] == recorded(flagged) == 1000


@pytest.mark.parametrize("by_line", [False, True])
def test_ten_thousand_at_once_and_no_more(flagged: ControlPlane, *, by_line: bool) -> None:
    def body(count: int) -> bytes:
        many = [7] * count
        return ndjson(*many) if by_line else json.dumps(many).encode()

    asking, headers = client(flagged, dev=True), NDJSON if by_line else {}
    assert asking.post(INGEST, content=body(10_000), headers=headers).status_code == 200
    answer = asking.post(INGEST, content=body(10_001), headers=headers)
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["title"] == "Too many executions"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b'"\xff"', 400),
        (b'["\\ud800"]', 400),
        (b"[" * 100_000, 400),
        (b"[NaN]", 400),
        (b"7", 422),
        (b"null", 422),
        (b'{"executions": 7}', 422),
        (b'{"executions": {}}', 422),
        (b'{"executions": [], "more": 1}', 422),
    ],
)
def test_a_body_that_holds_no_executions_is_refused(
    flagged: ControlPlane, body: bytes, status: int
) -> None:
    answer = client(flagged, dev=True).post(INGEST, content=body)
    assert (answer.status_code, answer.json()["status"]) == (status, status)


def test_a_token_for_some_flags_records_executions_of_these_alone(flagged: ControlPlane) -> None:
    flagged.flags.create("checkout", owner="web", actor=ENGINEER)
    asking = holding(flagged, "ingestor", scopes=("flag:batch-*",))
    many = [batch(flag="checkout"), batch(), {"flag": 7}, batch(flag="nonsense"), batch()]
    for answer in (
        asking.post(INGEST, json=many).json(),
        asking.post(INGEST, content=ndjson(*many), headers=NDJSON).json(),
    ):
        assert answer["accepted"] == 2
        reasons = {refusal["index"]: refusal["reason"] for refusal in answer["refused"]}
        assert reasons.keys() == {0, 2, 3}
        # Whether there is such a flag is not told.
        assert reasons[0].replace("checkout", "nonsense") == reasons[3]


def test_it_takes_an_ingestor(flagged: ControlPlane) -> None:
    assert holding(flagged, "operator", "approver").post(INGEST, json=[]).status_code == 403
    assert client(flagged).post(INGEST, json=[]).status_code == 401
    assert client(flagged, dev=True).get(INGEST).status_code == 405


def test_no_token_gets_into_the_log_by_an_execution(flagged: ControlPlane) -> None:
    text = flagged.access.issue(owner="ben", roles="ingestor", actor=ENGINEER).text
    answer = client(flagged, token=text).post(INGEST, json=[batch(error=f"401 for {text}")])
    assert (answer.status_code, recorded(flagged)) == (422, 0)
