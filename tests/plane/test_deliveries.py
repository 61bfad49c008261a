"""What happened is delivered in order, at least once, each webhook by itself; whoever is killed."""

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from unittest.mock import patch

import pytest

from controlplane import ControlPlane
from controlplane.execution import Fence
from controlplane.outgoing.delivery import LONGEST_WAIT, Outcome
from controlplane.plane.core import fenced
from controlplane.plane.deliveries import Deliverer
from events.scheduler import SCHEDULER_STREAM
from events.timestamps import HOUR, SECOND
from projections.webhooks import Webhook
from tests.conftest import Clock
from tests.journeys.traffic import ENGINEER, ON_CALL, batch
from tests.plane.candidates import candidate
from tests.plane.conftest import secret
from tests.plane.outbox import ATTEMPTS, DELIVERED, FAILED, GONE, Outbox, turn

URL = "https://hooks.example/"


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def deliverer(plane: ControlPlane, outbox: Outbox) -> Iterator[Deliverer]:
    with closing(outbox.deliverer(plane)) as deliverer:
        yield deliverer


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    secret(monkeypatch)


def register(plane: ControlPlane, *types: str, n: int = 1, after: int | None = None) -> Webhook:
    return plane.webhooks.register(
        f"{URL}{n}",
        types=types or ("flag.*",),
        secret="deploys",  # noqa: S106  why: a name
        actor=ENGINEER,
        after=after,
    )


def flags(plane: ControlPlane, *names: str) -> list[int]:
    """Make some flags; the positions of the events."""
    for name in names:
        plane.flags.create(name, owner="patch-team", actor=ENGINEER)
    return [event.position for event in plane.events(type="flag.created")][-len(names) :]


def types_sent(outbox: Outbox) -> list[str]:
    return [event["type"] for _, event in outbox.sent]


def dead(plane: ControlPlane) -> list[tuple[str, int, str]]:
    return [(one.webhook, one.position, one.state) for one in plane.webhooks.dead_letters()]


def test_what_is_asked_for_is_sent_once_and_in_order(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer
) -> None:
    flags(plane, "before")
    register(plane, "flag.*", "freeze.declared")
    turn(deliverer)
    assert outbox.sent == []
    plane.flags.enable("before", percentage=10, actor=ENGINEER)
    plane.alerts.watch()
    frozen = plane.freezes.declare(reason="INC-7", actor=ON_CALL)
    plane.freezes.lift(frozen.id, actor=ON_CALL, reason="over")
    flags(plane, "after")
    for _ in range(3):
        turn(deliverer)
    assert types_sent(outbox) == [
        "flag.enabled", "flag.exposure_changed", "freeze.declared", "flag.created",
    ]  # fmt: skip
    assert outbox.positions() == sorted(outbox.positions())
    last = plane.events(type="flag.created")[-1]
    _, event = outbox.sent[-1]
    assert (event["id"], event["source"]) == (last.id, "/environments/production")
    standing = plane.webhooks.standing("webhook-1")
    assert (standing.position, standing.delivered_at) == (last.position, plane.clock())


def test_it_may_begin_with_the_past(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer
) -> None:
    first, second, third = flags(plane, "a", "b", "c")
    register(plane, after=first)
    turn(deliverer)
    assert outbox.positions() == [second, third]


def test_what_fails_is_tried_again_later_under_the_same_id_and_the_next_waits(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer, clock: Clock
) -> None:
    register(plane)
    first, second = flags(plane, "a", "b")
    outbox.answers(FAILED, FAILED)
    turn(deliverer)
    standing = plane.webhooks.standing("webhook-1")
    assert (standing.attempts, standing.error) == (1, FAILED.sentence)
    assert standing.next_attempt_at == clock.now + 10 * SECOND
    clock.advance(10 * SECOND - 1)
    turn(deliverer)
    assert outbox.positions() == [first]
    clock.advance(1)
    turn(deliverer)
    clock.advance(20 * SECOND)
    turn(deliverer)
    assert outbox.positions() == [first, first, first, second]
    assert len({event["id"] for _, event in outbox.sent}) == 2
    assert plane.webhooks.standing("webhook-1").error == ""


def test_who_asks_for_time_gets_it(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer, clock: Clock
) -> None:
    register(plane)
    flags(plane, "a")
    outbox.answers(Outcome("failed", "answered 429 Too Many Requests", HOUR))
    turn(deliverer)
    assert plane.webhooks.standing("webhook-1").next_attempt_at == clock.now + HOUR


def test_what_is_tried_too_often_is_a_dead_letter_and_the_next_goes_on(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer, clock: Clock
) -> None:
    register(plane)
    first, second = flags(plane, "a", "b")
    outbox.answers(*[FAILED] * ATTEMPTS)
    for _ in range(ATTEMPTS):
        turn(deliverer)
        clock.advance(HOUR)
    assert outbox.positions() == [*[first] * ATTEMPTS, second]
    (letter,) = plane.webhooks.dead_letters()
    assert (letter.position, letter.attempts, letter.event_type) == (first, 3, "flag.created")
    (recorded,) = plane.events(type="webhook.dead_lettered")
    assert (recorded.actor.kind, recorded.actor.id) == ("system", "webhooks")
    assert letter.event_id == outbox.sent[0][1]["id"]
    assert letter.error == FAILED.sentence


# Dead letters


def bury(plane: ControlPlane, outbox: Outbox, deliverer: Deliverer, clock: Clock) -> int:
    """An event that is a dead letter; its position."""
    register(plane)
    (position,) = flags(plane, "a")
    outbox.answers(*[FAILED] * ATTEMPTS)
    for _ in range(ATTEMPTS):
        turn(deliverer)
        clock.advance(HOUR)
    return position


def test_a_dead_letter_is_delivered_after_all(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer, clock: Clock
) -> None:
    position = bury(plane, outbox, deliverer, clock)
    (letter,) = plane.webhooks.redeliver("webhook-1", position, actor=ON_CALL)
    assert letter.state == "requested"
    turn(deliverer)
    assert outbox.positions() == [position] * (ATTEMPTS + 1)
    assert dead(plane) == []
    (recorded,) = plane.events(type="webhook.redelivered")
    assert recorded.actor.id == "webhooks"
    assert list(plane.webhooks._standings.all()) == ["webhook-1"]
    turn(deliverer)
    assert len(outbox.sent) == ATTEMPTS + 1


def test_a_dead_letter_that_fails_again_is_dead_again(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer, clock: Clock
) -> None:
    position = bury(plane, outbox, deliverer, clock)
    plane.webhooks.redeliver("webhook-1", actor=ON_CALL)
    outbox.answers(*[FAILED] * ATTEMPTS)
    (later,) = flags(plane, "later")
    outbox.answer = lambda _webhook, event: (
        FAILED if int(event["sequence"]) == position else DELIVERED
    )
    for _ in range(ATTEMPTS):
        assert dead(plane) == [("webhook-1", position, "requested")]
        turn(deliverer)
        clock.advance(HOUR)
    assert dead(plane) == [("webhook-1", position, "dead")]
    assert later in outbox.positions()
    plane.webhooks.redeliver("webhook-1", actor=ON_CALL)
    outbox.answers()
    turn(deliverer)
    assert dead(plane) == []


def test_what_was_asked_for_before_is_seen_by_who_takes_over(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer, clock: Clock
) -> None:
    position = bury(plane, outbox, deliverer, clock)
    plane.webhooks.redeliver("webhook-1", position, actor=ON_CALL)
    with closing(outbox.deliverer(plane)) as another:
        turn(another)
    assert dead(plane) == []
    turn(deliverer)  # It learned of the request, and sees that it is over.
    assert outbox.positions() == [position] * (ATTEMPTS + 1)


# Gone, paused, changed, removed


def test_who_is_gone_is_paused_and_goes_on_where_it_stood(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer
) -> None:
    register(plane)
    first, second = flags(plane, "a", "b")
    outbox.answers(GONE)
    for _ in range(3):
        turn(deliverer)
    assert outbox.positions() == [first]
    assert plane.webhooks.get("webhook-1").paused == "answered 410 Gone"
    (recorded,) = plane.events(type="webhook.paused")
    assert recorded.actor.id == "webhooks"
    plane.webhooks.resume("webhook-1", actor=ON_CALL)
    turn(deliverer)
    assert outbox.positions() == [first, first, second]
    assert dead(plane) == []


@pytest.mark.parametrize("mend", ["change", "resume"])
def test_who_mends_it_need_not_wait(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer, mend: str
) -> None:
    register(plane)
    flags(plane, "a")
    outbox.answers(FAILED, FAILED)
    turn(deliverer)
    if mend == "change":
        plane.webhooks.change("webhook-1", url=f"{URL}mended", actor=ON_CALL)
    else:
        plane.webhooks.pause("webhook-1", actor=ON_CALL, reason="INC-7")
        turn(deliverer)
        plane.webhooks.resume("webhook-1", actor=ON_CALL)
    assert len(outbox.sent) == 1
    turn(deliverer)
    assert len(outbox.sent) == 2
    assert plane.webhooks.standing("webhook-1").attempts == 1


def test_nothing_is_sent_to_who_was_removed(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer
) -> None:
    register(plane)
    flags(plane, "a")
    outbox.answers(FAILED)
    turn(deliverer)
    plane.webhooks.remove("webhook-1", actor=ON_CALL, reason="nobody reads it")
    flags(plane, "b")
    turn(deliverer)
    assert len(outbox.sent) == 1
    assert plane.webhooks._standings.all() == {}


def test_who_is_removed_while_it_is_sent_to_says_nothing_more(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer
) -> None:
    register(plane)
    flags(plane, "a")

    def remove(_webhook: object, _event: object) -> Outcome:
        plane.webhooks.remove("webhook-1", actor=ON_CALL, reason="nobody reads it")
        return GONE

    outbox.answer = remove
    turn(deliverer)
    assert plane.events(type="webhook.paused") == []


# No feedback


def test_what_delivering_leads_to_is_sent_to_nobody_who_did_not_name_it(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer, clock: Clock
) -> None:
    plane.webhooks.register(URL, everything=True, secret="deploys", actor=ENGINEER)  # noqa: S106  why: a name
    register(plane, "webhook.dead_lettered", "webhook.paused", n=2)
    register(plane, "webhook.dead_lettered", n=3)
    (position,) = flags(plane, "a")
    plane.executions.record([batch()])
    outbox.answer = lambda webhook, _event: FAILED if webhook.id != "webhook-3" else DELIVERED
    for _ in range(20):
        turn(deliverer)
        clock.advance(LONGEST_WAIT)
    to = {webhook: set[str]() for webhook, _ in outbox.sent}
    for webhook, event in outbox.sent:
        to[webhook].add(event["type"])
    assert to == {
        "webhook-1": {"flag.created"},
        "webhook-2": {"webhook.dead_lettered"},
        "webhook-3": {"webhook.dead_lettered"},
    }
    of_the_first, of_the_second = plane.events(type="webhook.dead_lettered")
    assert dead(plane) == [
        ("webhook-1", position, "dead"),
        ("webhook-2", of_the_first.position, "dead"),
    ]
    assert outbox.positions("webhook-3") == [of_the_first.position, of_the_second.position]


# Each by itself


def test_who_is_slow_delays_nobody_else(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer
) -> None:
    for n in (1, 2):
        register(plane, n=n)
    let_go, others = threading.Event(), threading.Semaphore(0)

    def answer(webhook: Webhook, _event: object) -> Outcome:
        if webhook.id == "webhook-1":
            assert let_go.wait(60)
        else:
            others.release()
        return DELIVERED

    outbox.answer = answer
    for name in ("a", "b", "c"):
        flags(plane, name)
        deliverer.look()
        assert others.acquire(timeout=60)
    assert len(outbox.positions("webhook-1")) == 1, "one request at a time"
    let_go.set()
    deliverer.wait()
    turn(deliverer)
    assert len(outbox.positions("webhook-1")) == 3


def test_who_closes_waits_for_what_is_under_way_and_begins_nothing_more(
    plane: ControlPlane, outbox: Outbox
) -> None:
    register(plane)
    first, _ = flags(plane, "a", "b")
    begun, let_go = threading.Event(), threading.Event()

    def answer(_webhook: Webhook, _event: object) -> Outcome:
        begun.set()
        assert let_go.wait(60)
        return DELIVERED

    outbox.answer = answer
    deliverer = outbox.deliverer(plane)
    deliverer.look()
    assert begun.wait(60)
    closing_ = threading.Thread(target=deliverer.close)
    closing_.start()
    while not deliverer._closed:
        pass
    let_go.set()
    closing_.join(60)
    assert outbox.positions() == [first]
    assert plane.webhooks.standing("webhook-1").position == first
    deliverer.look()
    assert outbox.positions() == [first]


def test_a_turn_ends_so_that_the_next_one_sees_what_changed(
    plane: ControlPlane, outbox: Outbox
) -> None:
    register(plane)
    positions = flags(plane, "a", "b", "c", "d")
    seconds = iter(range(0, 99, 2))
    with closing(outbox.deliverer(plane, monotonic=lambda: next(seconds))) as deliverer:
        turn(deliverer)
        assert outbox.positions() == positions[:2]
        turn(deliverer)
        turn(deliverer)
        assert outbox.positions() == positions


def test_a_fault_of_ours_stops_neither_the_others_nor_the_next_turn(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer, caplog: pytest.LogCaptureFixture
) -> None:
    for n in (1, 2):
        register(plane, n=n)
    (position,) = flags(plane, "a")

    def answer(webhook: Webhook, _event: object) -> Outcome:
        if webhook.id == "webhook-1":
            raise ZeroDivisionError
        return DELIVERED

    outbox.answer = answer
    turn(deliverer)
    assert outbox.positions("webhook-2") == [position]
    assert "webhook-1 could not be served" in caplog.text
    outbox.answers()
    turn(deliverer)
    assert outbox.positions("webhook-1") == [position, position]


# Killed, overtaken


def test_who_is_killed_before_it_was_noted_sends_it_again_under_the_same_id(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer
) -> None:
    register(plane)
    first, second = flags(plane, "a", "b")
    with patch.object(plane.webhooks._standings, "move", side_effect=SystemExit):
        turn(deliverer)
    turn(deliverer)
    assert outbox.positions() == [first, first, second]
    assert outbox.sent[0] == outbox.sent[1]


def test_who_was_overtaken_in_the_middle_ends_its_turn_and_moves_nothing_back(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer
) -> None:
    register(plane)
    positions = flags(plane, "a", "b", "c")
    with closing(outbox.deliverer(plane)) as other:
        meanwhile = [lambda: turn(other)]

        def answer(_webhook: object, _event: object) -> Outcome:
            if meanwhile:
                meanwhile.pop()()
            return DELIVERED

        outbox.answer = answer
        turn(deliverer)
    assert outbox.positions() == [positions[0], *positions]
    assert plane.webhooks.standing("webhook-1").position == positions[-1]


@pytest.mark.parametrize("outcome", [FAILED, GONE])
def test_who_lost_the_lease_records_nothing_more(
    plane: ControlPlane, outbox: Outbox, deliverer: Deliverer, outcome: Outcome
) -> None:
    register(plane)
    flags(plane, "a")
    one, other = candidate(plane, "a"), candidate(plane, "b")
    one.renew()
    standing = plane.webhooks.standing("webhook-1")
    plane.webhooks._standings.move("webhook-1", standing, replace(standing, attempts=ATTEMPTS - 1))

    def overtake(_webhook: object, _event: object) -> Outcome:
        one.resign()
        other.renew()
        return outcome

    outbox.answer = overtake
    assert one.look(lambda: turn(deliverer))
    assert len(outbox.sent) == 1
    assert len(plane.events(type="webhook.*")) == 1
    outbox.answer = lambda _webhook, _event: outcome
    with fenced(Fence(SCHEDULER_STREAM, 2)):
        turn(deliverer)
    assert len(plane.events(type="webhook.*")) == 2


def test_who_may_not_go_on_sends_nothing(plane: ControlPlane, outbox: Outbox) -> None:
    register(plane)
    flags(plane, "a")
    with closing(outbox.deliverer(plane, may_go_on=lambda: False)) as deliverer:
        turn(deliverer)
    assert outbox.sent == []
