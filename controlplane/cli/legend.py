"""What the keys of the player do, as it tells it: in its last line, and all of them for `?`."""

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from controlplane.cli.going_to import Prompt
from controlplane.cli.room import FRAME_LINES
from controlplane.cli.texts import clean

KEYS = (
    ("← →", "the event before, the next one"),
    ("p n", "the alert before, or what a person did; the next one (also Shift with ← →)"),
    ("Home End", "the first event, the last one"),
    ("g", "go to a log position, a moment, or a time as it is shown (+0:01:30)"),
    ("Space", "play, and stop"),
    ("1 2 3", "at 1, 10, 100 times"),
    ("e", "pass over executions, or stop at them again"),
    ("?", "these keys; any key leads back"),
    ("q Ctrl-C", "leave"),
    ("Ctrl-Z", "put it away until fg"),
)
_LINES = (
    (
        "←/→ event   n/p alert or person   g go to   Space play   1 2 3 speed   e executions   "
        "? keys   q quit"
    ),
    "←/→ event   n/p alert or person   g go to   Space play   e executions   ? keys   q quit",
    "←/→ event  n/p alert  g go to  Space play  e executions  ? keys  q quit",
    "←/→ event  n/p alert  g go to  Space play  ? keys  q quit",
    "←/→ n/p g Space  ? keys  q quit",
    "? keys  q quit",
)


def last_line(width: int, prompt: Prompt | None) -> Text:
    """The keys there is room for; or what is being typed, and what is wrong with it."""
    if prompt is not None:
        return _asking(prompt)
    fitting = (keys for keys in _LINES if len(keys) <= width)
    return Text(next(fitting, _LINES[-1]), style="dim", no_wrap=True, overflow="ellipsis")


def _asking(prompt: Prompt) -> Text:
    told, style = "position, moment, or +0:01:30; Esc leaves", "dim"
    if prompt.trouble:
        told, style = prompt.trouble, "bold red"
    elif prompt.text:
        told = "Enter goes, Esc leaves"
    return Text.assemble(
        ("go to ", "bold"), clean(prompt.text), ("█", "blink"), "   ", (clean(told).plain, style),
        no_wrap=True, overflow="ellipsis",
    )  # fmt: skip


def all_keys(lines: int) -> Panel:
    """Every key, as far as there is room."""
    table = Table.grid(padding=(0, 3, 0, 0))
    for key, does in KEYS[: max(1, lines - FRAME_LINES)]:
        table.add_row(Text(key, style="bold"), Text(does, no_wrap=True, overflow="ellipsis"))
    return Panel(Group(table), title="keys", title_align="left")
