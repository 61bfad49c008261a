"""A report as a file."""

from typing import Literal

from controlplane.reports.contents import Report
from controlplane.reports.document import document
from controlplane.reports.html import to_html
from controlplane.reports.markdown import to_markdown

Format = Literal["html", "markdown"]


def write(report: Report, form: Format) -> str:
    """One file, that needs no other: of the same report, the same bytes."""
    made = document(report)
    return to_html(made) if form == "html" else to_markdown(made)
