"""What a replay looks like: the state at the present event, the events around it, its changes."""

from rich.console import Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from controlplane.cli.player import Player, Stop
from controlplane.cli.texts import clean, relative, short, shown, styled, when
from controlplane.pictures import Picture, Standing
from controlplane.replaying import Scene
from events.timestamps import Timestamp
from projections.changes import Change

_KEYS = (
    "←/→ event   n/p alert or person   Home/End   Space play   1 2 3 speed   e executions   q quit"
)
_BAR = 24
_MOST_CHANGES = 6
_FRAME_LINES = 2
_HEADER, _FOOTER = 3, 1
_TOLD = _MOST_CHANGES + 1 + _FRAME_LINES


def screen(player: Player, scene: Scene, title: str, zero: Timestamp, height: int) -> Layout:
    """One picture of the whole; `zero`: the moment that times are told from."""
    layout = Layout()
    layout.split_column(
        Layout(_header(player, title, zero), size=_HEADER),
        Layout(name="body"),
        Layout(_told(scene), size=_TOLD),
        Layout(Text(_KEYS, style="dim", no_wrap=True, overflow="ellipsis"), size=_FOOTER),
    )
    rows = max(1, height - _HEADER - _FOOTER - _TOLD - _FRAME_LINES)
    layout["body"].split_row(Layout(_state(scene.picture)), Layout(_events(player, zero, rows)))
    return layout


def _header(player: Player, title: str, zero: Timestamp) -> RenderableType:
    stop, count = player.stop, len(player.stops)
    state = f"▶ {player.speed}×" if player.playing else f"❚❚ {player.speed}×"
    line = Text.assemble(
        (title, "bold"), "   ", when(stop.at), "  ", (relative(stop.at - zero), "bold cyan"),
        ("   event ", "dim"), f"{player.place + 1} of {count}",
        ("   log position ", "dim"), f"{stop.position}", "   ",
        (state, "bold green" if player.playing else "bold"),
    )  # fmt: skip
    line.no_wrap, line.overflow = True, "ellipsis"
    bar = ProgressBar(total=max(1, count - 1), completed=player.place)
    return Group(line, bar, Text())


def _state(seen: Picture | None) -> Panel:
    if seen is None:
        return Panel(Text("This event is about no flag.", style="dim"), title="state")
    parts: list[RenderableType] = [_exposure(seen), Text(), _numbers(seen)]
    if seen.rollout is not None:
        parts += [Text(), *_rollout(seen.rollout)]
    parts += [Text(), *_alerts(seen)]
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


def _numbers(seen: Picture) -> Text:
    rate = "no data" if seen.error_rate is None else f"{seen.error_rate:.1%}"
    p95 = "no data" if seen.p95_us is None else f"{seen.p95_us / 1000:.1f} ms"
    bad = bool(seen.failed)
    return Text.assemble(
        ("error rate ", "dim"), (rate, "bold red" if bad else ""),
        ("   P95 ", "dim"), p95,
        ("   new path ", "dim"), f"{seen.executions} in 5 min",
    )  # fmt: skip


def _rollout(standing: Standing) -> list[RenderableType]:
    state = standing.state.replace("_", " ")
    head = Text.assemble(
        (standing.rollout, "bold"),
        ": ",
        state,
        ", ",
        clean(standing.wave),
        f" at {standing.percentage:g} %",
    )
    if not standing.criteria:
        return [head, clean(standing.sentence)]
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0), expand=True)
    table.add_column(no_wrap=True, min_width=max(len(one.criterion) for one in standing.criteria))
    table.add_column(no_wrap=True, min_width=max(len(one.verdict) for one in standing.criteria))
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for one in standing.criteria:
        table.add_row(clean(one.criterion), styled(one.verdict), clean(one.sentence))
    return [head, table]


def _alerts(seen: Picture) -> list[RenderableType]:
    if not seen.alerts:
        return [Text("no alert is open", style="dim")]
    lines: list[RenderableType] = []
    if seen.incidents:
        lines.append(Text(", ".join(seen.incidents), style="bold"))
    for one in seen.alerts:
        by = f", acknowledged by {one.acknowledged_by}" if one.acknowledged_by else ""
        lasted = relative(seen.at - one.raised_at)
        name = short(one.id, seen.flag)
        text = Text.assemble(styled(one.severity), f" {lasted} ", clean(name), clean(by))
        text.no_wrap, text.overflow = True, "ellipsis"
        lines.append(text)
    return lines


def _events(player: Player, zero: Timestamp, rows: int) -> Panel:
    """The events around the present one, which stands a third down; what comes later is grey."""
    found = [n for n, stop in enumerate(player.stops) if _listed(player, n, stop)]
    at = next((place for place, n in enumerate(found) if n >= player.place), len(found) - 1)
    first = max(0, min(at - rows // 3, len(found) - rows))
    lines = [_line(player, n, zero) for n in found[first : first + rows]]
    return Panel(Group(*lines), title="events", title_align="left")


def _listed(player: Player, number: int, stop: Stop) -> bool:
    return player.executions or not stop.is_execution or number == player.place


def _line(player: Player, number: int, zero: Timestamp) -> Text:
    stop = player.stops[number]
    mark = "▶ " if number == player.place else "  "
    text = Text.assemble(mark, f"{relative(stop.at - zero):>9}  ", clean(stop.line))
    if number == player.place:
        text.stylize("bold reverse")
    elif number > player.place:
        text.stylize("dim")
    elif stop.is_notable:
        text.stylize("bold")
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _told(scene: Scene) -> Panel:
    """The present event, who did it, and what it altered."""
    event = scene.event
    lines = [_changed(change) for change in scene.changes[:_MOST_CHANGES]]
    more = len(scene.changes) - _MOST_CHANGES
    if more > 0:
        lines[-1] = Text(f"… and {more + 1} more", style="dim")
    if not lines:
        lines = [Text("It altered nothing that is told here.", style="dim")]
    title = f"{event.type} by {event.actor.name or event.actor.id}"
    return Panel(Group(*lines), title=clean(title), title_align="left")


def _changed(change: Change) -> Text:
    text = Text.assemble(
        (f"{change.projection} ", "dim"), clean(change.key), (f" {change.fact} ", "dim"),
        clean(shown(change.before)), " → ", (clean(shown(change.after)).plain, "bold"),
    )  # fmt: skip
    text.no_wrap, text.overflow = True, "ellipsis"
    return text
