"""What people wrote into the log is text in a spreadsheet, and nothing else."""

import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.csv_tables import to_csv

FORMULAS = [
    "=1+1", "+1", "-1+2", "@SUM(A1)", '=HYPERLINK("http://evil.example","x")', " =1", "\t=1",
    "\r=1", "\n@x", "\uff1d1+1", "\0=1", "-", "=cmd|' /C calc'!A0",
]  # fmt: skip


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_stands_behind_an_apostrophe(text: str) -> None:
    ((cell,),) = read(to_csv(["a"], [[text]]))[1:]
    assert cell.startswith("'")


@given(st.lists(st.text(), min_size=1, max_size=3))
def test_no_cell_begins_a_formula_or_steers_a_terminal(cells: list[str]) -> None:
    ((*found,),) = read(to_csv(["c"] * len(cells), [cells]))[1:] or [[""]]
    for cell in found:
        assert not cell.lstrip().startswith(("=", "+", "-", "@"))
        assert all(c == "\n" or unicodedata.category(c)[0] != "C" for c in cell)


def test_what_is_no_formula_is_left_as_it_is() -> None:
    row = ["50 % → 100 %: a, b", 'said "yes"', "two\nlines", 4711, None, "", "a=b"]
    assert read(to_csv(["x"] * 7, [row]))[1] == [
        "50 % → 100 %: a, b", 'said "yes"', "two\nlines", "4711", "", "", "a=b",
    ]  # fmt: skip
