"""Single keys from a terminal."""

import codecs
import os
import re
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from controlplane.errors import InvalidInput

_NAMES = {
    "\x1b[C": "right", "\x1bOC": "right", "\x1b[D": "left", "\x1bOD": "left",
    "\x1b[1;2C": "shift-right", "\x1b[1;2D": "shift-left",
    "\x1b[H": "home", "\x1b[1~": "home", "\x1bOH": "home", "\x1b[7~": "home",
    "\x1b[F": "end", "\x1b[4~": "end", "\x1bOF": "end", "\x1b[8~": "end",
    " ": "space", "\x03": "interrupt", "\x1a": "suspend",
    "\r": "enter", "\n": "enter", "\x7f": "backspace", "\b": "backspace",
}  # fmt: skip
_SEQUENCE = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|O[^\x1b]|[^\x1b\[O])"
_KEY = re.compile(rf"{_SEQUENCE}|[^\x1b]", re.DOTALL)
_BEGUN = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")
_MOST = 64
_ESC_SECONDS = 0.05
"""Esc begins other keys, too. When nothing has followed for so long, it was Esc."""

Ask = Callable[[float | None], list[str]]
"""Wait so many seconds for keys, or for ever; those that were pressed."""


class Typed:
    """What was typed, key by key. A key may be several characters, and come in pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._begun = ""

    def keys(self, data: bytes) -> list[str]:
        """The keys that these bytes complete. Of keys that have no name here, none is made up."""
        text = self._begun + self._decoder.decode(data)
        begun = _BEGUN.search(text)
        self._begun = begun.group() if begun else ""
        found = _KEY.findall(text.removesuffix(self._begun) if begun else text)
        return [_NAMES.get(key, key) for key in found if key in _NAMES or len(key) == 1]

    @property
    def has_begun(self) -> bool:
        """Whether more of a key may be on its way."""
        return bool(self._begun)

    def pause(self) -> list[str]:
        """Nothing came for a while: what was begun was a key of its own, Esc."""
        begun, self._begun = self._begun, ""
        return ["escape"] if begun == "\x1b" else []


@contextmanager
def keyboard() -> Iterator[Ask]:
    """Each key as it is pressed, without a line's end. Raises InvalidInput where there is none.

    However it is left, by a signal too, the terminal is as it was.
    """
    try:
        import termios  # noqa: PLC0415  why: not on Windows
        import tty  # noqa: PLC0415  why: idem
    except ImportError as error:
        raise InvalidInput(reason="this terminal gives no single keys; use --json") from error
    descriptor, typed = sys.stdin.fileno(), Typed()
    before = termios.tcgetattr(descriptor)
    ends = (signal.SIGTERM, signal.SIGHUP)
    handlers = [signal.signal(number, _end) for number in ends]
    try:
        tty.setcbreak(descriptor)
        _take_suspend_as_a_key(descriptor)
        yield lambda seconds: _pressed(descriptor, typed, seconds)
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
        for number, handler in zip(ends, handlers, strict=True):
            signal.signal(number, handler)


def _end(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def _take_suspend_as_a_key(descriptor: int) -> None:
    """Whoever shows a screen puts it away before he is suspended."""
    import termios  # noqa: PLC0415  why: not on Windows

    attributes = termios.tcgetattr(descriptor)
    attributes[6][termios.VSUSP] = b"\x00"
    termios.tcsetattr(descriptor, termios.TCSADRAIN, attributes)


def suspend() -> None:
    """Stop until the shell goes on with this."""
    os.kill(0, signal.SIGTSTP)


def _pressed(descriptor: int, typed: Typed, seconds: float | None) -> list[str]:
    ready, _, _ = select.select([descriptor], [], [], seconds)
    if not ready:
        return typed.pause()
    data = os.read(descriptor, _MOST)
    if not data:
        return ["interrupt"]  # Nobody is there any more.
    keys = typed.keys(data)
    return keys if keys or not typed.has_begun else _pressed(descriptor, typed, _ESC_SECONDS)
