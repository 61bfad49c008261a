"""Who is the same person, however written."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from controlplane.errors import NotAPerson
from controlplane.people import is_one_of, plain, refuse_machines
from events.event import Actor

SAME = [
    *("bob", "BOB", " bob ", "bob\n", "\uff42\uff4f\uff42", "b\u200bob", "bo\u00adb"),
    *("\u2066bob\u2069", "\U0001d41bob"),
]
INVISIBLE = ["bob\ufe0f", "b\u034fob", "bob\u3164", "bob\U000e0100"]


@pytest.mark.parametrize("spelling", SAME, ids=ascii)
def test_who_looks_the_same_is_the_same(spelling: str) -> None:
    assert plain(spelling) == "bob"
    assert is_one_of(spelling, ["alice", "Bob"])


@pytest.mark.parametrize("spelling", INVISIBLE, ids=ascii)
def test_what_cannot_be_seen_makes_no_other_person(spelling: str) -> None:
    assert plain(spelling) == "bob"


@pytest.mark.parametrize("other", ["bo b", "bób", "bob2", "rob", ""])
def test_who_looks_different_is_different(other: str) -> None:
    assert not is_one_of(other, ["bob"])


def test_spaces_inside_a_name_are_one() -> None:
    assert plain("Ada\u00a0 \t Lovelace") == "ada lovelace"


@given(st.text(max_size=20))
def test_case_width_and_spaces_around_make_no_other_person(name: str) -> None:
    for spelling in (name.casefold(), f" {name}\u3000", unicodedata.normalize("NFC", name)):
        assert is_one_of(spelling, [name])


@given(st.text(max_size=20))
@example("e\u200d\u0301")
def test_what_is_plain_is_plain_already(name: str) -> None:
    assert plain(plain(name)) == plain(name)


@pytest.mark.parametrize("kind", ["scheduler", "system"])
def test_a_part_of_the_control_plane_is_no_person(kind: str) -> None:
    with pytest.raises(NotAPerson, match="bob is a part of the control plane"):
        refuse_machines(Actor(kind=kind, id="bob"))  # type: ignore[arg-type]  # why: as told


@pytest.mark.parametrize("kind", ["person", "token"])
def test_people_and_their_tokens_are(kind: str) -> None:
    refuse_machines(Actor(kind=kind, id="bob"))  # type: ignore[arg-type]  # why: as told
