"""What a fork takes away: threads stay with the parent."""

import os
import weakref
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

V = TypeVar("V")


class FirstUse(dict[str, V]):
    """Compiled flags in a forked child: the first question starts the threads it was born without.

    So that a question in a process that never forked need not ask whether it did.
    """

    def __init__(self, flags: Mapping[str, V], wake: Callable[[], None]) -> None:
        super().__init__(flags)
        self._wake = wake

    def get(self, flag: str, default: Any = None) -> Any:
        """See dict.get."""
        self._wake()
        return super().get(flag, default)


def after_fork(forget: weakref.WeakMethod[Callable[[], None]]) -> None:
    """Call it in every child, for as long as what it belongs to is alive."""

    def in_child() -> None:
        method = forget()
        if method is not None:
            method()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=in_child)
