"""What came of taking decisions again, for people: of what differs, the fields that do."""

import json
from collections.abc import Iterator
from typing import Any

from controlplane.cli.output import line
from controlplane.cli.texts import shown
from controlplane.history.differences import Difference
from controlplane.history.retaking import Retaken

_MOST = 100
"""Characters of a value; all of it is in the JSON."""


def print_retaken(retaken: Retaken) -> None:
    """How many were taken again, and a line for each field that does not come out as recorded."""
    counts = (
        (retaken.judgements, "on waves"),
        (retaken.alerts, "on alerts"),
        (retaken.rollbacks, "on rollbacks"),
        (retaken.incidents, "on incidents"),
    )
    outcome = "identical" if retaken.identical else f"{len(retaken.differences)} differ"
    told = ", ".join(f"{count} {name}" for count, name in counts)
    total = sum(count for count, _ in counts)
    line(f"{total} decisions ({told}) taken again from the events: {outcome}")
    if retaken.untold:
        line(f"{retaken.untold} do not tell what they were made of, or are another evaluator's")
    for one in retaken.differences:
        line(f"position {one.position}, {one.what}: {_what(one)}")
        for field in fields(one):
            line(f"  {field}")


def fields(one: Difference) -> Iterator[str]:
    """The fields of an event that differ; none where there is no event to compare it with."""
    (was, told), (is_, decided) = _parts(one.recorded), _parts(one.recomputed)
    if was != is_:
        return
    before, after = dict(_flat("", told)), dict(_flat("", decided))
    for path in sorted({*before, *after}):
        if path not in before or path not in after or before[path] != after[path]:
            pair = (_brief(before, path), _brief(after, path))
            yield f"{path}: recorded {pair[0]}, recomputed {pair[1]}"


def _what(one: Difference) -> str:
    (was, _), (is_, _) = _parts(one.recorded), _parts(one.recomputed)
    return was if was == is_ else f"recorded: {was}, recomputed: {is_}"


def _parts(text: str) -> tuple[str, Any]:
    """Of `alert.raised {…}`, the event's name, and what it says."""
    name, _, data = text.partition(" ")
    return name, json.loads(data) if data else {}


def _flat(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Each value by its path, as in `criteria.0.verdict`."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    for name, part in parts:
        below = f"{path}.{name}" if path else str(name)
        if isinstance(part, dict | list) and part:
            yield from _flat(below, part)
        else:
            yield below, part


def _brief(found: dict[str, Any], path: str) -> str:
    text = shown(found[path]) if path in found else "nothing"
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"
