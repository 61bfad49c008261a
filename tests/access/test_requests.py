"""A command from outside is recorded with what it led to, and done once under one key."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

from controlplane import ControlPlane
from controlplane.access_errors import KeyReused, PreconditionFailed
from controlplane.errors import FlagNotFound, RolloutInCharge
from controlplane.plane.denials import Denials
from controlplane.plans import FOUR_WAVES
from controlplane.requests import Request, current, requested, version_of
from events.access import CommandAccepted, CommandDenied, DenialsSuppressed
from events.event import Actor
from events.flags import flag_stream
from events.timestamps import SECOND
from tests.conftest import Clock
from tests.journeys.traffic import ENGINEER, FLAG

TOKEN = "3f9c0a1b2c3d"  # noqa: S105  why: an id, no secret


def asked(**facts: object) -> Request:
    usual: dict[str, object] = {
        "command": "set_percentage",
        "method": "POST",
        "path": f"/api/v1/flags/{FLAG}/percentage",
        "token": TOKEN,
        "address": "10.0.0.7",
        "owner": ENGINEER,
        "fingerprint": "f1",
    }
    return Request(**(usual | facts))  # type: ignore[arg-type]  # why: facts are of its fields


@pytest.fixture
def flagged(plane: ControlPlane) -> ControlPlane:
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    plane.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    return plane


def under(request: Request, command: Callable[[], object]) -> object:
    with requested(request):
        return command()


def test_what_a_command_led_to_names_it_as_its_cause(flagged: ControlPlane) -> None:
    under(asked(), lambda: flagged.flags.set_percentage(FLAG, 20, actor=ENGINEER))
    accepted, moved = flagged.events(newest_first=True, limit=2)[::-1]
    assert accepted.event == CommandAccepted(
        command="set_percentage",
        method="POST",
        path=f"/api/v1/flags/{FLAG}/percentage",
        token=TOKEN,
        address="10.0.0.7",
        changed=True,
        fingerprint="",
        result="",
    )
    assert (accepted.causation_id, moved.causation_id) == (None, accepted.id)
    assert (moved.type, moved.position) == ("flag.exposure_changed", accepted.position + 1)


def test_a_command_that_changes_nothing_is_recorded_all_the_same(flagged: ControlPlane) -> None:
    under(asked(), lambda: flagged.flags.set_percentage(FLAG, 10, actor=ENGINEER))
    (newest,) = flagged.events(newest_first=True, limit=1)
    assert isinstance(newest.event, CommandAccepted)
    assert newest.event.changed is False


def test_a_command_that_is_refused_leaves_nothing(flagged: ControlPlane) -> None:
    before, request = flagged.head(), asked(key="k")
    with pytest.raises(FlagNotFound):
        under(request, lambda: flagged.flags.disable("nowhere", actor=ENGINEER))
    assert flagged.head() == before
    assert not request.recorded
    assert current() is None


def test_under_one_key_it_is_done_once(flagged: ControlPlane) -> None:
    flagged.flags.disable(FLAG, actor=ENGINEER)
    for again in (False, True, True):
        request = asked(key="k", fingerprint="start")
        rollout = under(
            request, lambda: flagged.rollouts.start(FOUR_WAVES, flag=FLAG, actor=ENGINEER)
        )
        assert request.replayed is again
        assert rollout == flagged.rollouts.get(f"{FLAG}-r1")
    with pytest.raises(RolloutInCharge):
        flagged.rollouts.start(FOUR_WAVES, flag=FLAG, actor=ENGINEER)


def test_what_was_refused_may_be_sent_again_under_its_key(flagged: ControlPlane) -> None:
    def disable() -> object:
        return under(asked(key="k"), lambda: flagged.flags.disable("later", actor=ENGINEER))

    with pytest.raises(FlagNotFound):
        disable()
    flagged.flags.create("later", owner="patch-team", actor=ENGINEER)
    disable()


def test_a_key_is_not_for_two_commands_but_two_people_may_choose_the_same(
    flagged: ControlPlane,
) -> None:
    def move(percentage: int, **facts: object) -> object:
        request = asked(key="k", **facts)
        return under(
            request, lambda: flagged.flags.set_percentage(FLAG, percentage, actor=ENGINEER)
        )

    move(20)
    with pytest.raises(KeyReused):
        move(30, fingerprint="f2")
    move(40, fingerprint="f2", owner="somebody-else")
    assert flagged.flags.get(FLAG).percentage == 40


def test_sent_twice_at_the_same_time_it_is_done_once(flagged: ControlPlane) -> None:
    def restless(number: int) -> bool:
        request = asked(key="k")
        under(request, lambda: flagged.flags.set_percentage(FLAG, 20, actor=f"p{number}"))
        return request.replayed

    with ThreadPoolExecutor(8) as pool:
        tasks = [pool.submit(copy_context().run, restless, number) for number in range(8)]
        replayed = [task.result() for task in tasks]
    assert replayed.count(False) == 1
    assert len(flagged.events(type="access.command_accepted")) == 1


def test_what_was_changed_since_it_was_read_is_left_alone(flagged: ControlPlane) -> None:
    about = flag_stream(FLAG)
    read = version_of(flagged.log, about)
    flagged.flags.set_percentage(FLAG, 15, actor="somebody-else")
    before = flagged.head()
    with pytest.raises(PreconditionFailed, match=f"at version {read + 1}, not {read}"):
        under(
            asked(expects=read, about=about),
            lambda: flagged.flags.set_percentage(FLAG, 20, actor=ENGINEER),
        )
    assert flagged.head() == before
    under(
        asked(expects=read + 1, about=about),
        lambda: flagged.flags.set_percentage(FLAG, 20, actor=ENGINEER),
    )
    assert flagged.flags.get(FLAG).percentage == 20


# -- denials --------------------------------------------------------------------------------------

DENIED = CommandDenied(
    command="approve_proposal",
    method="POST",
    path="/api/v1/proposals/x/approve",
    token="",
    address="10.0.0.7",
    status=401,
    problem="NotAuthenticated",
    reason="Nobody said who asks",
)


def test_a_flood_of_denials_is_counted_not_recorded(plane: ControlPlane, clock: Clock) -> None:
    denials = plane.access.denials
    for _ in range(500):
        denials.record(DENIED, Actor.system("stranger"))
    recorded = plane.events(type="access.command_denied")
    assert len(recorded) == 20
    began = clock.now
    clock.advance(60 * SECOND)
    denials.record(DENIED, Actor.system("stranger"))
    (suppressed,) = plane.events(type="access.denials_suppressed")
    assert suppressed.event == DenialsSuppressed(count=480, since=began)


def test_a_flood_from_one_hides_nobody_else(plane: ControlPlane) -> None:
    denials = plane.access.denials
    for _ in range(500):
        denials.record(DENIED, Actor.system("stranger"))
    other = CommandDenied(
        **{name: getattr(DENIED, name) for name in DENIED.__struct_fields__}
        | {"address": "10.0.0.8"}
    )
    denials.record(other, Actor.system("stranger"))
    assert plane.events(newest_first=True, limit=1)[0].event == other


def test_what_was_counted_is_told_in_the_end(plane: ControlPlane) -> None:
    denials: Denials = plane.access.denials
    for _ in range(21):
        denials.record(DENIED, Actor.system("stranger"))
    denials.settle()
    denials.settle()
    (told,) = plane.events(type="access.denials_suppressed")
    assert told.event.count == 1  # type: ignore[attr-defined]  # why: of that type
