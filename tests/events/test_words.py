"""A text is found whatever its letters are, though a database looks for a part of it first."""

import json
import string
import sys

from hypothesis import given
from hypothesis import strategies as st

from events.words import ascii_part, plain_part, says

TRICKY = "iIİ\u0131\u017fsSßẞkK\u212aﬁŉ\u0301éÉ%_!\\\"'/\n\t\0\x7f \U0001f469 -.INC7gG"
words = st.text(st.sampled_from(TRICKY), max_size=12)


@given(before=words, text=words, after=words, swap=st.booleans(), ascii_only=st.booleans())
def test_what_says_a_text_has_its_plain_part_or_is_escaped(
    before: str, text: str, after: str, *, swap: bool, ascii_only: bool
) -> None:
    said = before + (text.swapcase() if swap else text) + after
    data = json.dumps({"reason": said}, ensure_ascii=ascii_only)
    if says(data, text) and "\\u" not in data:
        assert plain_part(text) in data.lower()
        assert ascii_part(text) in data.lower() or not data.isascii()


def test_no_other_letter_is_folded_to_a_plain_one() -> None:
    kept = {mark for mark in string.printable if ascii_part(mark)}
    plain = {mark for mark in kept if plain_part(mark)}
    assert kept > plain > set(string.digits)
    others = (chr(code) for code in range(128, sys.maxunicode + 1))
    assert not any(plain & set(other.casefold()) for other in others)
    assert all(json.dumps(mark) == f'"{mark}"' for mark in kept)


def test_the_longest_part_is_looked_for_but_no_pattern_too_long_for_a_database() -> None:
    assert (ascii_part("by hand_İ"), plain_part("by hand_İ")) == ("by hand", "b")
    assert (ascii_part("INC-77"), plain_part("INC-77")) == ("inc-77", "c-77")
    assert (ascii_part("Größe"), plain_part("Größe")) == ("sse", "gr")
    assert ascii_part('"é"') == plain_part("fail") == ""
    assert ascii_part("7" * 100_000) == plain_part("7" * 100_000) == "7" * 100
