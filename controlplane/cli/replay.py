"""`controlplane replay`: a player for people, a line a frame for machines."""

import sys
from typing import Annotated

import typer
from rich.live import Live

from controlplane.cli.keys import keyboard
from controlplane.cli.output import Json, console, opened
from controlplane.cli.past import place
from controlplane.cli.player import SPEEDS, Player, Stop
from controlplane.cli.screen import screen
from controlplane.cli.texts import short, to_json
from controlplane.errors import InvalidInput
from controlplane.plane.moments import When
from controlplane.replaying import Recorded, Replay
from controlplane.replaying_views import scene_view
from controlplane.sentences import sentence
from events.alerts import AlertEvent
from events.executions import BatchExecuted

_LOOKS_SECONDS = 0.5
"""How often the screen is drawn anew though nothing happens: it may have been resized."""


def replay(
    of: Annotated[
        str | None,
        typer.Argument(metavar="WHAT", help="INC-1, a rollout, or a file. Default: a time."),
    ] = None,
    *,
    since: Annotated[str | None, typer.Option(help="A moment, or a log position.")] = None,
    until: Annotated[str | None, typer.Option(help="A moment, or a log position.")] = None,
    flag: Annotated[str | None, typer.Option(help="Only what is about this flag.")] = None,
    at: Annotated[int | None, typer.Option(min=1, help="The log position to begin at.")] = None,
    speed: Annotated[int, typer.Option(help=f"{', '.join(map(str, SPEEDS))} times.")] = SPEEDS[1],
    as_json: Json = False,
) -> None:
    """Go through an incident, a rollout or a time again, event by event. Nothing is changed."""
    if speed not in SPEEDS:
        raise InvalidInput(reason=f"a replay plays at {', '.join(map(str, SPEEDS))} times")
    with opened() as plane:
        found = plane.replay(of, since=_place(since), until=_place(until), flag=flag)
        if as_json or not (sys.stdin.isatty() and console.is_terminal):
            _print_frames(found, at)
        else:
            play(found, at, speed)


def _place(text: str | None) -> When | None:
    return None if text is None else place(text)


def _print_frames(found: Replay, at: int | None) -> None:
    for scene in found.scenes(after=(at or 1) - 1):
        sys.stdout.write(to_json(scene_view(scene)) + "\n")


def play(found: Replay, at: int | None, speed: int) -> None:
    """Show it until whoever watches leaves."""
    stops = [_stop(event, found.flag or "") for event in found.events()]
    if not stops:
        raise InvalidInput(reason=f"nothing happened in {found.title}")
    player = Player(stops, speed=speed)
    if at is not None:
        player.seek(at)
    zero = found.zero or stops[0].at
    with keyboard() as ask, Live(console=console, screen=True, auto_refresh=False) as live:
        while not player.left:
            event = found.history.log.read(player.stop.position - 1, 1)[0]
            seen = screen(player, found.scene(event), found.title, zero, console.size.height)
            live.update(seen, refresh=True)
            pause = player.pause_seconds()
            pressed = ask(_LOOKS_SECONDS if pause is None else pause)
            for key in pressed:
                player.press(key)
            if not pressed and pause is not None:
                player.tick()


def _stop(event: Recorded, flag: str) -> Stop:
    is_execution = isinstance(event.event, BatchExecuted)
    return Stop(
        position=event.position,
        at=event.recorded_at,
        line=short(sentence(event.event), flag),
        is_execution=is_execution,
        is_notable=isinstance(event.event, AlertEvent)
        or (event.actor.kind in ("person", "token") and not is_execution),
    )
