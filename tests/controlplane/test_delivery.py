"""What an answer means, and when it is tried again."""

from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook as Verifier

from controlplane.outgoing.delivery import LONGEST_WAIT, Outcome, Sender, is_due, wait_us
from controlplane.outgoing.keyring import Keyring
from controlplane.outgoing.posting import Answer, NoAnswer
from controlplane.settings import Settings
from events.timestamps import DAY, HOUR, MINUTE, SECOND
from projections.webhooks import Webhook
from tests.controlplane.test_signing import SECRET, now

KEYRING = Keyring({"CONTROLPLANE_WEBHOOK_SECRET_DEPLOYS": SECRET})
NOW = now()
EVENT = {"specversion": "1.0", "id": "0199a3c2-7f1e-7b6a-9d43-5f0c1e2d3b4a", "data": {"ä": 1}}


def hook(**facts: Any) -> Webhook:
    usual = {"id": "webhook-1", "url": "https://x.example/", "types": ("*",), "secret": "deploys"}
    more = {"description": "", "after": 0, "registered_by": "ann", "registered_at": 0}
    return Webhook(**usual | more | facts)


def outcome(answer: Answer | NoAnswer, **facts: Any) -> Outcome:
    def post(_url: str, _body: bytes, _headers: Mapping[str, str]) -> Answer | NoAnswer:
        return answer

    return Sender(post, KEYRING, lambda: NOW)(hook(**facts), EVENT)


def answered(status: int, retry_after: str = "") -> Answer:
    return Answer(status, retry_after, b"canary", is_whole=True)


def test_what_is_sent_is_the_cloudevent_signed_under_its_id() -> None:
    sent = []

    def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        sent.append((url, body, headers))
        return answered(204)

    sender = Sender(post, KEYRING, now)
    for _ in range(2):
        assert sender(hook(), EVENT) == Outcome("delivered", "answered 204 No Content")
    (url, body, headers), again = sent
    assert url == "https://x.example/"
    assert headers["webhook-id"] == again[2]["webhook-id"] == EVENT["id"]
    assert headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert Verifier(SECRET).verify(body, dict(headers)) == EVENT


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_two_hundred_and_something_is_delivered(status: int) -> None:
    assert outcome(answered(status)).kind == "delivered"
    dribbled = Answer(status, "", b"", is_whole=False)
    assert outcome(dribbled).kind == "delivered", "the status has been said"


@pytest.mark.parametrize(
    "status", [199, 300, 301, 302, 307, 400, 401, 404, 429, 500, 503, 599, 999]
)
def test_anything_else_is_tried_again(status: int) -> None:
    found = outcome(answered(status))
    assert found.kind == "failed"
    assert found.sentence.startswith(f"answered {status}")
    assert "canary" not in found.sentence


def test_gone_is_gone() -> None:
    assert outcome(answered(410)) == Outcome("gone", "answered 410 Gone")


def test_who_does_not_answer_is_tried_again() -> None:
    found = outcome(NoAnswer("no complete answer within 5 s"))
    assert found == Outcome("failed", "no complete answer within 5 s")


def test_what_cannot_be_signed_is_not_sent() -> None:
    found = outcome(answered(200), secret="other")  # noqa: S106  why: a name
    assert found.kind == "failed"
    assert found.sentence.startswith("not sent: secret other is not here")


# Again, later


@pytest.mark.parametrize(
    ("said", "waits"),
    [
        ("", 0), ("120", 120 * SECOND), (" 7 ", 7 * SECOND), ("-1", 0), ("1.5", 0), ("soon", 0),
        ("9" * 5000, 0), ("999999999", LONGEST_WAIT), ("²", 0),
        # Named: two processes that collect tests a second apart must find the same ones.
        pytest.param(formatdate(NOW // SECOND + 90, usegmt=True), 90 * SECOND, id="in 90 s"),
        pytest.param(formatdate(NOW // SECOND - 90, usegmt=True), 0, id="90 s ago"),
        ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT), ("Mon, 99 Zzz 2026", 0),
        ("Fri, 31 Dec 9999 23:59:59 -1200", 0),  # A year that UTC does not have.
        ("Wed, 21 Oct 2015 07:28:00", 0),
    ],
)  # fmt: skip
def test_who_asks_to_be_left_alone_is_understood(said: str, waits: int) -> None:
    assert outcome(answered(503, said)).retry_after_us == waits


def test_the_wait_doubles_up_to_four_hours() -> None:
    assert [wait_us(n, 1.0) // SECOND for n in range(1, 13)] == [
        10, 20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10240, 14400,
    ]  # fmt: skip
    assert wait_us(1, 0.0) == 7_500_000
    assert wait_us(100, 1.0) == wait_us(12, 1.0) == LONGEST_WAIT == 4 * HOUR


def test_by_default_it_is_tried_for_about_a_day() -> None:
    waits = range(1, Settings().webhook_attempts)
    shortest, longest = (sum(wait_us(n, chance) for n in waits) for chance in (0.0, 1.0))
    assert 0.75 * DAY < shortest < DAY < longest < 1.1 * DAY


chances = st.floats(0, 1, exclude_max=True)
attempts = st.integers(1, 200)


@given(attempts, chances, st.integers(0, 30 * DAY))
def test_nobody_is_asked_sooner_than_by_the_law_nor_later_than_the_longest_wait(
    attempts: int, chance: float, asked_for: int
) -> None:
    by_law = wait_us(attempts, chance)
    found = wait_us(attempts, chance, asked_for)
    assert by_law <= found <= LONGEST_WAIT
    assert found >= min(asked_for, LONGEST_WAIT)
    assert wait_us(attempts, 0.0) <= by_law <= wait_us(attempts, 1.0)
    assert by_law <= wait_us(attempts + 2, chance) or by_law == LONGEST_WAIT


@given(attempts, chances, st.integers(-DAY, DAY))
def test_it_is_due_when_its_wait_is_over_and_where_the_clock_was_set_back(
    attempts: int, chance: float, moved: int
) -> None:
    at = NOW + wait_us(attempts, chance)
    assert not is_due(at, NOW)
    assert is_due(at, at)
    assert is_due(at, at + abs(moved))
    assert is_due(at, at - LONGEST_WAIT - MINUTE)
    assert is_due(0, NOW)
