"""How much was served, over time: a drawing without scripts."""

from collections.abc import Callable, Iterator

from controlplane.reports.blocks import Steps
from controlplane.reports.markup import Markup, element, joined
from events.timestamps import Timestamp, to_iso

_WIDTH, _HEIGHT = 960.0, 190.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 12.0, 30.0, 26.0
_LINES = (0, 25, 50, 75, 100)
_A_LETTER = 6.5
"""How wide one is: names of stages must not be written over each other."""
_LONGEST = 24


def curve(steps: Steps) -> Markup:
    """Percent over time, with what began when."""
    first, last = steps.steps[0][0], max(steps.end, steps.steps[-1][0] + 1)

    def x(at: Timestamp) -> float:
        share = min(1.0, max(0.0, (at - first) / (last - first)))
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    points = [f"M{x(first):.1f},{_y(0):.1f}"]
    for at, percentage, _ in steps.steps:
        points += [f"H{x(at):.1f}", f"V{_y(percentage):.1f}"]
    points.append(f"H{x(last):.1f}")
    line = " ".join(points)
    area = f"{line} V{_y(0):.1f} Z"
    falls = [
        element("circle", cx=f"{x(at):.1f}", cy=f"{_y(0):.1f}", r="5", class_="fall")
        for at, _, off in steps.steps
        if off
    ]
    return element(
        "svg",
        element("title", "Percent of the widest audience that was served, over time"),
        *_grid(),
        element("path", d=area, class_="area"),
        element("path", d=line, class_="line"),
        *_marks(steps, x),
        *falls,
        _label(to_iso(first)[:16].replace("T", " "), _LEFT, _HEIGHT - 6, "start"),
        _label(to_iso(last)[:16].replace("T", " "), _WIDTH - _RIGHT, _HEIGHT - 6, "end"),
        viewBox=f"0 0 {_WIDTH:.0f} {_HEIGHT:.0f}",
        role="img",
    )


def _y(percentage: float) -> float:
    return _HEIGHT - _BOTTOM - percentage / 100 * (_HEIGHT - _TOP - _BOTTOM)


def _grid() -> list[Markup]:
    found = []
    for value in _LINES:
        y = f"{_y(value):.1f}"
        line = element("line", x1=f"{_LEFT:.0f}", x2=f"{_WIDTH - _RIGHT:.0f}", y1=y, y2=y)
        found.append(joined(line, _label(f"{value} %", _LEFT - 8, _y(value) + 4, "end")))
    return found


def _marks(steps: Steps, x: Callable[[Timestamp], float]) -> Iterator[Markup]:
    """A line where each stage began, with its name where there is room for it."""
    free = 0.0
    for at, name in steps.marks:
        place = x(at)
        top, bottom = f"{_TOP - 6:.0f}", f"{_y(0):.1f}"
        yield element(
            "line", x1=f"{place:.1f}", x2=f"{place:.1f}", y1=top, y2=bottom, class_="mark"
        )
        if place >= free:
            shown = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
            yield _label(shown, place, _TOP - 12, "start")
            free = place + _A_LETTER * (len(shown) + 2)


def _label(text: str, x: float, y: float, anchor: str) -> Markup:
    return element("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)
