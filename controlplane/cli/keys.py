"""Single keys from a terminal."""

import os
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from controlplane.errors import InvalidInput

_NAMES = {
    "\x1b[C": "right", "\x1bOC": "right", "\x1b[D": "left", "\x1bOD": "left",
    "\x1b[1;2C": "shift-right", "\x1b[1;2D": "shift-left",
    "\x1b[H": "home", "\x1b[1~": "home", "\x1bOH": "home", "\x1b[7~": "home",
    "\x1b[F": "end", "\x1b[4~": "end", "\x1bOF": "end", "\x1b[8~": "end",
    " ": "space", "\x03": "interrupt",
}  # fmt: skip
_MOST = 64

Ask = Callable[[float | None], list[str]]
"""Wait so many seconds for keys, or for ever; those that were pressed."""


@contextmanager
def keyboard() -> Iterator[Ask]:
    """Each key as it is pressed, without a line's end. Raises InvalidInput where there is none."""
    try:
        import termios  # noqa: PLC0415  why: not on Windows
        import tty  # noqa: PLC0415  why: idem
    except ImportError as error:
        raise InvalidInput(reason="this terminal gives no single keys; use --json") from error
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield lambda seconds: _pressed(descriptor, seconds)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _pressed(descriptor: int, seconds: float | None) -> list[str]:
    ready, _, _ = select.select([descriptor], [], [], seconds)
    if not ready:
        return []
    data = os.read(descriptor, _MOST)
    return named(data.decode("utf-8", "replace")) if data else ["q"]  # Nobody is there any more.


def named(text: str) -> list[str]:
    """What was typed, key by key."""
    found: list[str] = []
    while text:
        sequence = next((s for s in sorted(_NAMES, key=len)[::-1] if text.startswith(s)), text[0])
        found.append(_NAMES.get(sequence, sequence))
        text = text[len(sequence) :]
    return found
