"""Whatever happens, answers, and is killed: each event wanted arrives, or is a dead letter."""

from collections.abc import Iterator
from contextlib import closing
from itertools import cycle
from typing import Literal
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane import ControlPlane
from controlplane.outgoing.delivery import LONGEST_WAIT, Outcome
from controlplane.webhooks import names_for
from events.log import Query
from events.webhooks import WebhookPaused
from projections.webhooks import Webhook
from tests.conftest import Clock
from tests.plane.conftest import secret
from tests.plane.outbox import ATTEMPTS, DELIVERED, FAILED, GONE, Outbox, turn
from tests.projections.histories import about_alerts, about_flags, executions
from tests.projections.recording import At, new

Fate = Literal["delivered", "failed", "gone", "killed"]
FATES: list[Fate] = ["delivered", "delivered", "failed", "failed", "gone", "killed"]
happenings = st.builds(At, st.just(0), st.one_of(about_flags, about_alerts, executions))
patterns = st.lists(
    st.sampled_from(["flag.*", "flag.created", "alert.*", "execution.batch_executed"]),
    min_size=1,
    max_size=3,
    unique=True,
)


class Killed(BaseException):
    """The process is no more: after it was sent, and before that was noted."""


class World(Outbox):
    """In which each attempt has a fate."""

    def __init__(self, fates: list[Fate]) -> None:
        super().__init__(self.meet)
        self._fates = cycle([*fates, "delivered"])
        self.arrived: list[int] = []

    def meet(self, _webhook: Webhook, _event: object) -> Outcome:
        fate = next(self._fates)
        if fate in ("delivered", "killed"):
            self.arrived.append(self.positions()[-1])
        if fate == "killed":
            raise Killed
        return {"delivered": DELIVERED, "failed": FAILED, "gone": GONE}[fate]


@pytest.fixture(scope="module", autouse=True)
def _secret() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        secret(monkeypatch)
        yield


@settings(max_examples=80)
@given(
    before=st.lists(happenings, max_size=4),
    parts=st.lists(st.lists(happenings, max_size=12), min_size=1, max_size=3),
    fates=st.lists(st.sampled_from(FATES), max_size=8),
    types=patterns,
    page=st.integers(1, 4),
)
def test_each_event_wanted_arrives_in_order_or_is_a_dead_letter(
    before: list[At], parts: list[list[At]], fates: list[Fate], types: list[str], page: int
) -> None:
    clock = Clock()
    world = World(fates)
    with (
        ControlPlane("memory://", clock=clock) as plane,
        patch("controlplane.plane.turns._PAGE", page),
    ):
        plane.log.append([new(one) for one in before])
        webhook = plane.webhooks.register(
            "https://hooks.example/", types=types, secret="deploys", actor="ann"  # noqa: S106  why: a name
        )  # fmt: skip
        for part in parts:
            plane.log.append([new(one) for one in part])
            deliver_all(plane, world, clock)
        names = names_for(webhook)
        wanted = [
            event.position
            for event in plane.log.search(Query(after=webhook.after))
            if event.type in names
        ]
        dead = [letter.position for letter in plane.webhooks.dead_letters()]
        firsts = list(dict.fromkeys(world.arrived))
        assert firsts == sorted(firsts)
        assert sorted({*firsts, *dead}) == wanted
        assert set(world.positions()) == set(wanted)
        for position in dead:
            assert world.positions().count(position) >= ATTEMPTS
        ids = {int(event["sequence"]): event["id"] for _, event in world.sent}
        assert all(event["id"] == ids[int(event["sequence"])] for _, event in world.sent)


def deliver_all(plane: ControlPlane, world: World, clock: Clock) -> None:
    """Turn after turn, each by another process, until nothing is left."""
    while True:
        before = len(world.sent)
        with closing(world.deliverer(plane)) as deliverer:
            turn(deliverer)
        clock.advance(LONGEST_WAIT)
        if plane.webhooks.get("webhook-1").paused is not None:
            assert isinstance(plane.events(newest_first=True, limit=1)[0].event, WebhookPaused)
            plane.webhooks.resume("webhook-1", actor="ann")
        elif len(world.sent) == before:
            return
