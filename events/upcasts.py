"""How old events are read today. An upcast never rewrites what is stored."""

from collections.abc import Callable, Mapping
from typing import Any

Stored = tuple[str, int, dict[str, Any]]
"""Name, schema version, data."""

Upcast = Callable[[dict[str, Any]], Stored]

UPCASTS: dict[tuple[str, int], Upcast] = {}
"""(stored name, schema version) → the next name and version, and the data it takes there."""


def upcast(
    name: str,
    version: int,
    data: dict[str, Any],
    upcasts: Mapping[tuple[str, int], Upcast] = UPCASTS,
) -> Stored:
    """Lead stored data step by step to the name and version that today's catalog knows."""
    while step := upcasts.get((name, version)):
        name, version, data = step(data)
    return name, version, data
