"""What a replay looks like: the state at the present event, the events around it, its changes."""

from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from controlplane.cli.legend import all_keys, last_line
from controlplane.cli.player import Player
from controlplane.cli.room import FOOTER, FRAME_COLUMNS, FRAME_LINES, Room
from controlplane.cli.texts import clean, relative, short, shown, styled, when
from controlplane.durations import rough_duration
from controlplane.history.pictures import RECENT_MINUTES, Picture, Standing
from controlplane.history.replaying import Scene
from controlplane.sentences import sentence
from events.timestamps import MINUTE
from projections.changes import Change

_BAR = 24
_PAPER = Console(quiet=True)
"""Texts are wrapped on it, none is shown."""
_TIME_OF_DAY = slice(11, None)
_ROOMY_LINES = 15
_MARKS = {"PASS": "✓", "FAIL": "✗", "INCONCLUSIVE": "?", "NO_DATA": "–", "ERROR": "!"}
"""Verdicts, where there is no room for words."""


def screen(player: Player, scene: Scene, title: str, size: tuple[int, int]) -> Layout:
    """One picture of the whole."""
    room = Room(*size)
    layout = Layout()
    first = Layout(_header(player, title, room), size=room.header)
    last = Layout(last_line(room.width, player.prompt), size=FOOTER)
    if player.tells_keys:
        between = [Layout(all_keys(room.height - room.header - FOOTER))]
    else:
        between = [Layout(_told(scene, room), size=room.told, minimum_size=1)]
        if room.body:
            between.insert(0, _body(player, scene, room))
    layout.split_column(first, *between, last)
    return layout


def _body(player: Player, scene: Scene, room: Room) -> Layout:
    body = Layout(size=room.body)
    state = Layout(_state(scene.picture, room, player.digits))
    if not room.events:
        body.update(state.renderable)
        return body
    events = Layout(_events(player, max(1, room.events - FRAME_LINES)))
    if room.is_side_by_side:
        body.split_row(state, events)
    else:
        events.size = room.events
        body.split_column(state, events)
    return body


def _header(player: Player, title: str, room: Room) -> RenderableType:
    stop, count = player.stop, len(player.stops)
    state = f"▶ {player.speed}×" if player.playing else f"❚❚ {player.speed}×"
    gap, place = ("   ", "log position ") if room.is_wide else ("  ", "position ")
    moment = when(stop.at) if room.is_side_by_side else when(stop.at)[_TIME_OF_DAY]
    # The least important stands last: that is what a narrow screen cuts off.
    line = Text.assemble(
        clean(title), gap,
        (state, "bold green" if player.playing else "bold"), gap,
        (relative(stop.at - player.zero, player.digits), "bold cyan"), gap,
        ("event ", "dim"), f"{player.place + 1} of {count}", gap,
        moment, gap,
        (place, "dim"), f"{stop.position}",
    )  # fmt: skip
    line.stylize("bold", 0, len(clean(title)))
    line.no_wrap, line.overflow = True, "ellipsis"
    bar = ProgressBar(total=max(1, count - 1), completed=player.place)
    return Group(line, bar, Text())


def _state(seen: Picture | None, room: Room, digits: int) -> Panel:
    if seen is None:
        return Panel(Text("This event is about no flag.", style="dim"), title="state")
    columns, lines = room.state
    gap: list[RenderableType] = [Text()] if lines >= _ROOMY_LINES else []
    parts = [_exposure(seen), *gap, _numbers(seen, columns), *gap, *_alerts(seen, digits)]
    if seen.rollout is not None:
        parts += [*gap, *_rollout(seen.rollout, seen.flag, columns)]
    return Panel(Group(*parts), title=clean(seen.flag), title_align="left")


def _exposure(seen: Picture) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    state = Text("on", style="bold green") if seen.enabled else Text("off", style="bold red")
    if not seen.exposures:
        table.add_row(state, Text("nobody gets the new code", style="dim"))
    for one in seen.exposures:
        bar = ProgressBar(total=100, completed=one.percentage, width=_BAR)
        table.add_row(state, bar, Text(f"{one.percentage:g} %"), clean(one.audience))
        state = Text()
    return table


def _numbers(seen: Picture, columns: int) -> Text:
    rate = "no data" if seen.error_rate is None else f"{seen.error_rate:.1%}"
    p95 = "no data" if seen.p95_us is None else f"{seen.p95_us / 1000:.1f} ms"
    bad = bool(seen.failed)
    how_many = f"{seen.executions} in {RECENT_MINUTES} min"
    whole = f"error rate {rate}   P95 {p95}   new path {how_many}"
    return Text.assemble(
        ("error rate ", "dim"), (rate, "bold red" if bad else ""),
        ("   P95 ", "dim"), p95,
        "   " if len(whole) <= columns else "\n",
        ("new path ", "dim"), how_many,
        no_wrap=True, overflow="ellipsis",
    )  # fmt: skip


def _rollout(standing: Standing, flag: str, columns: int) -> list[RenderableType]:
    head = Text.assemble(
        clean(short(standing.rollout, flag)), ": ", clean(standing.state.replace("_", " ")),
        ", ", clean(standing.wave), f" at {standing.percentage:g} %",
        no_wrap=True, overflow="ellipsis", style="bold",
    )  # fmt: skip
    if not standing.criteria:
        return [head, clean(standing.sentence)]
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), expand=True)
    names = max(len(one.criterion) for one in standing.criteria)
    verdicts = max(len(one.verdict) for one in standing.criteria)
    in_marks = columns - names - verdicts < _BAR
    table.add_column(no_wrap=True, min_width=names)
    table.add_column(no_wrap=True, min_width=1 if in_marks else verdicts)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for one in standing.criteria:
        verdict = styled(one.verdict)
        if in_marks:
            verdict = Text(_MARKS.get(one.verdict, "?"), style=verdict.style)
        table.add_row(clean(one.criterion), verdict, clean(one.sentence))
    return [head, table]


def _alerts(seen: Picture, digits: int) -> list[RenderableType]:
    if not seen.alerts:
        return [Text("no alert is open", style="dim")]
    lines: list[RenderableType] = []
    if seen.incidents:
        incidents = clean(", ".join(seen.incidents))
        incidents.stylize("bold")
        lines.append(incidents)
    for one in seen.alerts:
        by = f", acknowledged by {one.acknowledged_by}" if one.acknowledged_by else ""
        lasted = relative(seen.at - one.raised_at, digits)
        name = short(one.id, seen.flag)
        text = Text.assemble(styled(one.severity), f" {lasted} ", clean(name), clean(by))
        text.no_wrap, text.overflow = True, "ellipsis"
        lines.append(text)
    return lines


def _events(player: Player, rows: int) -> Panel:
    """The events around the present one; what comes later is grey."""
    lines = [_line(player, number) for number in player.around(rows)]
    return Panel(Group(*lines), title="events", title_align="left")


def _line(player: Player, number: int) -> Text:
    stop = player.stops[number]
    mark = "▶ " if number == player.place else "  "
    digits = player.digits
    since = f"{relative(stop.at - player.zero, digits):>{9 + digits}}"
    text = Text.assemble(mark, f"{since}  ", clean(stop.line))
    if number == player.place:
        text.stylize("bold reverse")
    elif number > player.place:
        text.stylize("dim")
    elif stop.is_notable:
        text.stylize("bold")
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _told(scene: Scene, room: Room) -> Panel:
    """The present event in full, who did it, when it happened, and what it altered."""
    event = scene.event
    title = f"{event.type} by {event.actor.name or event.actor.id}"
    late_us = event.recorded_at - event.occurred_at
    if late_us >= MINUTE:
        title += f", recorded {rough_duration(late_us)} after it happened"
    lines = [*_said(scene, room), *_altered(scene, room)]
    return Panel(Group(*lines), title=clean(title), title_align="left")


def _said(scene: Scene, room: Room) -> list[Text]:
    said = short(sentence(scene.event.event), scene.picture.flag if scene.picture else "")
    columns = max(1, room.width - FRAME_COLUMNS)
    wrapped = clean(said).wrap(_PAPER, columns, overflow="fold")
    lines = wrapped[: room.sentence]
    if len(wrapped) > room.sentence:
        lines[-1].truncate(max(1, columns - 1))
        lines[-1].append("…")
    for line in lines:
        line.stylize("bold")
    return lines + [Text()] * (room.sentence - len(lines))


def _altered(scene: Scene, room: Room) -> list[Text]:
    room_for = room.changes
    if not room_for:
        return []
    flag = scene.picture.flag if scene.picture else ""
    lines = [_changed(change, flag) for change in scene.changes[:room_for]]
    more = len(scene.changes) - room_for
    if more > 0:
        lines[-1] = Text(f"… and {more + 1} more", style="dim")
    return lines or [Text("It altered nothing that is told here.", style="dim")]


def _changed(change: Change, flag: str) -> Text:
    of = short(change.key.removeprefix("alert-"), flag)
    text = Text.assemble(
        (f"{change.projection} ", "dim"), clean("" if of == flag else f"{of} "),
        (f"{change.fact} ", "dim"),
        clean(shown(change.before)), " → ", (clean(shown(change.after)).plain, "bold"),
    )  # fmt: skip
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
