"""A text is found whatever its letters are, though a database looks for a part of it first."""

import json
import string
import sys

from hypothesis import given
from hypothesis import strategies as st

from events.words import plain, says

TRICKY = "iIİ\u0131\u017fsSßẞkK\u212aﬁŉ\u0301éÉ%_!\\\"'/\n\t\0\x7f \U0001f469 -.INC7gG"
words = st.text(st.sampled_from(TRICKY), max_size=12)


@given(before=words, text=words, after=words, swap=st.booleans(), ascii_only=st.booleans())
def test_what_says_a_text_has_its_plain_part_or_is_escaped(
    before: str, text: str, after: str, *, swap: bool, ascii_only: bool
) -> None:
    said = before + (text.swapcase() if swap else text) + after
    data = json.dumps({"reason": said}, ensure_ascii=ascii_only)
    if says(data, text):
        assert plain(text) in data.lower() or "\\u" in data


def test_no_other_letter_is_folded_to_a_plain_one() -> None:
    marks = {mark for mark in string.printable if plain(mark)}
    assert marks > set(string.digits)
    others = (chr(code) for code in range(128, sys.maxunicode + 1))
    assert not any(marks & set(other.casefold()) for other in others)
    assert all(json.dumps(mark) == f'"{mark}"' for mark in marks)


def test_the_longest_plain_part_is_looked_for_but_no_pattern_too_long_for_a_database() -> None:
    assert plain("by hand, because") == "d, bec"
    assert plain("INC-77") == "c-77"
    assert plain('"ﬁ"') == plain("") == ""
    assert plain("7" * 100_000) == "7" * 100
