"""`controlplane replay`: a player for people, a line a frame for machines."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.live import Live

from controlplane.cli.keys import keyboard, suspend
from controlplane.cli.output import Json, console, opened, print_json, progress
from controlplane.cli.past import place
from controlplane.cli.player import SPEEDS, Player, Stop
from controlplane.cli.retaken import print_retaken
from controlplane.cli.screen import screen
from controlplane.cli.texts import short, to_json
from controlplane.errors import InvalidInput
from controlplane.history.bundles import open_file
from controlplane.history.replaying import Recorded, Replay, Scene
from controlplane.history.retaking import retake_story
from controlplane.plane.core import moment
from controlplane.plane.moments import When
from controlplane.replaying_views import retaken_view, scene_view
from controlplane.sentences import sentence
from events.alerts import AlertEvent
from events.executions import BatchExecuted
from projections.replay import position_at

_LOOKS_SECONDS = 0.5
"""How often the screen is drawn anew though nothing happens: it may have been resized."""
_TOLD_EVERY = 1000


def replay(
    of: Annotated[
        str | None,
        typer.Argument(metavar="WHAT", help="INC-1, a rollout, or a file. Default: a time."),
    ] = None,
    *,
    since: Annotated[str | None, typer.Option(help="A moment, or a log position.")] = None,
    until: Annotated[str | None, typer.Option(help="A moment, or a log position.")] = None,
    flag: Annotated[str | None, typer.Option(help="Only what is about this flag.")] = None,
    at: Annotated[
        str | None, typer.Option(help="Where to begin: a moment, or a log position.")
    ] = None,
    speed: Annotated[int, typer.Option(help=f"{', '.join(map(str, SPEEDS))} times.")] = SPEEDS[1],
    check: Annotated[
        bool, typer.Option("--check", help="Take every decision again; exit with 1 if one differs.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Go through an incident, a rollout or a time again, event by event. Nothing is changed."""
    if speed not in SPEEDS:
        raise InvalidInput(reason=f"a replay plays at {', '.join(map(str, SPEEDS))} times")
    with _story(of, since, until, flag) as found:
        if check:
            _check(found, as_json=as_json)
        elif as_json or not (sys.stdin.isatty() and console.is_terminal):
            _print_frames(found, _begin(found, at))
        else:
            play(found, _begin(found, at), speed)


@contextmanager
def _story(
    of: str | None, since: str | None, until: str | None, flag: str | None
) -> Iterator[Replay]:
    """What is to be replayed; for a file no database is opened."""
    if of is not None and Path(of).is_file():
        if (since, until, flag) != (None, None, None):
            raise InvalidInput(reason=f"{of} is replayed whole: leave out --since, --until, --flag")
        yield open_file(Path(of))
        return
    if of is not None and ("/" in of or of.endswith(".jsonl")):
        raise InvalidInput(reason=f"there is no file {of}")
    with opened() as plane:
        yield plane.replay(of, since=_place(since), until=_place(until), flag=flag)


def _check(found: Replay, *, as_json: bool) -> None:
    with progress("deciding again") as moved:
        retaken = retake_story(found, moved)
    if as_json:
        print_json(retaken_view(retaken))
    else:
        print_retaken(retaken)
    if not retaken.identical:
        raise typer.Exit(1)


def _place(text: str | None) -> When | None:
    return None if text is None else place(text)


def _begin(found: Replay, at: str | None) -> int:
    """The log position to begin at."""
    if at is None:
        return found.start + 1
    begin = place(at)
    if not isinstance(begin, int):
        begin = position_at(found.history.log, moment(begin) or 0)
    if not found.start < begin <= found.end:
        lies = f"from log position {found.start + 1} to {found.end}"
        raise InvalidInput(reason=f"{at} lies outside {found.title}, which goes {lies}")
    return begin


def _print_frames(found: Replay, begin: int) -> None:
    _take_snapshots(found, begin)
    for scene in found.scenes(after=begin - 1):
        sys.stdout.write(to_json(scene_view(scene)) + "\n")


def _take_snapshots(found: Replay, upto: int) -> None:
    """Those that frames rest on: whoever waits for them is told."""
    with progress("taking snapshots") as moved:
        found.history.take_snapshots(upto, moved)


def play(found: Replay, begin: int, speed: int) -> None:
    """Show it until whoever watches leaves."""
    if console.is_dumb_terminal:
        raise InvalidInput(reason="this terminal (TERM) can show no player; use --json")
    with progress("reading") as moved:
        stops = [*_stops(found, moved)]
    if not stops:
        raise InvalidInput(reason=f"nothing happened in {found.title}")
    _take_snapshots(found, found.end)  # One may jump to the end.
    player = Player(stops, zero=found.zero or stops[0].at, speed=speed)
    player.seek(begin)
    while not player.left:
        _watch(player, found)
        if player.away:
            suspend()
            player.away = False


def _watch(player: Player, found: Replay) -> None:
    """Show it until whoever watches leaves, or does something else in between."""
    scene: Scene | None = None
    with keyboard() as ask, Live(console=console, screen=True, auto_refresh=False) as live:
        while not (player.left or player.away):
            if scene is None or scene.event.position != player.stop.position:
                scene = found.scene(found.history.log.read(player.stop.position - 1, 1)[0])
            live.update(screen(player, scene, found.title, console.size), refresh=True)
            pause = player.pause_seconds()
            pressed = ask(_LOOKS_SECONDS if pause is None else pause)
            for key in pressed:
                player.press(key)
            if not pressed and pause is not None:
                player.tick()


def _stops(found: Replay, moved: Callable[[int, int], None]) -> Iterator[Stop]:
    first, last = found.start, found.end
    for number, event in enumerate(found.events()):
        if number % _TOLD_EVERY == 0:
            moved(event.position - first, last - first)
        yield _stop(event, found.flag or "")


def _stop(event: Recorded, flag: str) -> Stop:
    is_execution = isinstance(event.event, BatchExecuted)
    is_alert = isinstance(event.event, AlertEvent)
    is_by_hand = event.actor.kind in ("person", "token")
    return Stop(
        position=event.position,
        at=event.recorded_at,
        line=short(sentence(event.event), flag),
        is_execution=is_execution,
        is_notable=is_alert or (is_by_hand and not is_execution),
        by=event.stream if is_alert and not is_by_hand else event.actor.id,
    )
