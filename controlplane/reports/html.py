"""A report in HTML: one file, without scripts, to be read on a screen and printed."""

from collections.abc import Sequence
from importlib.resources import files

from controlplane.reports.blocks import (
    AnyCell,
    Block,
    Commands,
    Document,
    Facts,
    Heading,
    Seals,
    Steps,
    Table,
    Text,
    cell,
)
from controlplane.reports.curve import curve
from controlplane.reports.markup import Markup, element, joined

_STYLE = Markup(files("controlplane").joinpath("reports/style.css").read_text(encoding="utf-8"))
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_SIGNS = {"good": "✓", "bad": "✗", "warn": "!", "quiet": "–", "": ""}


def to_html(document: Document) -> str:
    """The whole report."""
    head = joined(
        Markup('<meta charset="utf-8">\n'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">\n'),
        element("title", f"{document.title}: {document.subtitle}"),
        "\n",
        element("style", _STYLE),
    )
    outcome = document.outcome
    top = element(
        "header",
        element("p", document.subtitle, class_="kicker"),
        element("h1", document.title),
        element("p", outcome.text, class_=f"outcome {outcome.tone}"),
    )
    blocks = joined(*(joined(_block(block), "\n") for block in document.blocks))
    foot = element("footer", document.colophon)
    body = element("body", top, "\n", element("main", "\n", blocks), "\n", foot)
    page = joined(element("head", "\n", head, "\n"), "\n", body)
    return f'<!doctype html>\n<html lang="en">\n{page}\n</html>\n'


def _block(block: Block) -> Markup:
    match block:
        case Heading(text=text, level=level):
            return element(f"h{level}", text)
        case Text(text=text, tone=tone):
            return element("p", text, class_=tone)
        case Facts(facts=facts):
            return element("dl", *(_fact(name, value) for name, value in facts))
        case Seals(seals=seals):
            return element("div", *(_seal(name, value) for name, value in seals), class_="seals")
        case Table(columns=columns, rows=rows, empty=empty):
            return _table(columns, rows) if rows else element("p", empty, class_="quiet")
        case Commands(lines=lines):
            return element("pre", "\n".join(f"$ {line}" for line in lines))
        case Steps() as steps:
            return element("figure", curve(steps))


def _fact(name: str, value: AnyCell) -> Markup:
    return element("div", element("dt", name), element("dd", _shown(value)))


def _seal(name: str, value: AnyCell) -> Markup:
    shown = cell(value)
    sign = element("span", _SIGNS[shown.tone], class_="sign", aria_hidden="true")
    words = element("div", element("b", name), element("span", shown.text))
    return element("div", sign, words, class_=f"seal {shown.tone}")


def _table(columns: Sequence[str], rows: Sequence[Sequence[AnyCell]]) -> Markup:
    head = element("thead", element("tr", *(element("th", one, scope="col") for one in columns)))
    body = element("tbody", *(joined(_row(row, columns), "\n") for row in rows))
    return element("div", element("table", head, "\n", body), class_="wide")


def _row(row: Sequence[AnyCell], columns: Sequence[str]) -> Markup:
    cells = zip(row, columns, strict=True)
    return element(
        "tr", *(element("td", _shown(one), class_=_KINDS.get(c, "")) for one, c in cells)
    )


_KINDS = {
    "position": "number",
    "time": "time",
    "raised": "time",
    "because": "long",
    "what": "long",
    "numbers": "small",
}
"""Columns that are set otherwise than text."""


def _shown(given: AnyCell) -> Markup:
    shown = cell(given)
    classes = " ".join(filter(None, ("pill" if _is_word(shown.text) else "", shown.tone)))
    if shown.code:
        return element("code", shown.text, class_=shown.tone)
    return element("span", shown.text, class_=classes) if shown.tone else joined(shown.text)


def _is_word(text: str) -> bool:
    """Verdicts and severities: short, and all of a kind."""
    return len(text) <= 16 and " " not in text  # noqa: PLR2004  why: the longest verdict has 12
