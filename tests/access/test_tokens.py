"""The text of a token: unmistakable, unguessable, and nowhere but with its owner."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane import tokens

CHANCE = st.binary(
    min_size=tokens.ID_BYTES + tokens.SECRET_BYTES, max_size=tokens.ID_BYTES + tokens.SECRET_BYTES
)
ENVIRONMENT = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")


@given(ENVIRONMENT, CHANCE)
def test_a_token_is_taken_apart_as_it_was_put_together(environment: str, chance: bytes) -> None:
    id_, text = tokens.mint(environment, chance)
    assert tokens.parse(text) == tokens.Parsed(environment, id_)
    assert tokens.same(text, tokens.digest(text))
    assert tokens.PATTERN.fullmatch(text)


@given(ENVIRONMENT, CHANCE, st.data())
def test_a_slip_of_the_keyboard_is_noticed_without_asking_anybody(
    environment: str, chance: bytes, data: st.DataObject
) -> None:
    _, text = tokens.mint(environment, chance)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != text[place]))
    assert tokens.parse(text[:place] + other + text[place + 1 :]) is None


@given(ENVIRONMENT, CHANCE, CHANCE)
def test_another_token_does_not_open_what_this_one_does(
    environment: str, one: bytes, other: bytes
) -> None:
    kept = tokens.digest(tokens.mint(environment, one)[1])
    assert tokens.same(tokens.mint(environment, other)[1], kept) is (one == other)


@pytest.mark.parametrize("text", ["", "rcp_", "rcp_production", "x" * 10_000, "rcp_a_b_c_d", "ä"])
def test_what_is_no_token_is_none(text: str) -> None:
    assert tokens.parse(text) is None


@given(ENVIRONMENT, CHANCE, st.text(max_size=20), st.text(max_size=20))
def test_a_token_in_a_text_is_cut_out_of_it(
    environment: str, chance: bytes, before: str, after: str
) -> None:
    _, text = tokens.mint(environment, chance)
    secret = text.split("_")[-2]
    assert secret not in tokens.without_tokens(f"{before} {text} {after}")


def test_too_little_chance_is_no_token() -> None:
    with pytest.raises(ValueError, match="38 bytes"):
        tokens.mint("production", b"short")
