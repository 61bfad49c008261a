"""What the client tells whoever listens."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the flags that are known."""

    kind: Literal["ready", "changed", "stale", "fresh"]
    """`ready`: the first flags came; `changed`: some are other than before; `stale`: the server
    has not been heard for too long; `fresh`: it is heard again."""
    flags: tuple[str, ...] = ()
    """The flags that changed."""


Listener = Callable[[Notice], None]


class Listeners:
    """Whoever listens. One that fails takes nothing from the others."""

    def __init__(self) -> None:
        self._all: tuple[Listener, ...] = ()

    def add(self, listener: Listener) -> None:
        """From now on tell this one, too."""
        self._all = (*self._all, listener)

    def remove(self, listener: Listener) -> None:
        """Tell this one no more."""
        self._all = tuple(one for one in self._all if one != listener)

    def tell(self, notice: Notice) -> None:
        """Tell all, in the thread that follows the flags."""
        for listener in self._all:
            try:
                listener(notice)
            except Exception:
                logger.exception("a listener failed at %s", notice)
