from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.criteria.manual import Manual
from projections.interventions import SignOff
from tests.controlplane.criteria.evidence import arm, check, judge, wave
from tests.projections.recording import START

PRODUCT = Manual(role="product manager", approvals=2, text="the results read well")


def signed(
    *by: str, item: str = "sign_off", wave: int = 2, role: str = "product manager"
) -> tuple[SignOff, ...]:
    return tuple(SignOff(item, wave, role, one, "", START) for one in by)


COMMAND = r"; controlplane rollouts sign-off ROLLOUT sign_off --role 'product manager'$"


@pytest.mark.parametrize(
    ("sign_offs", "verdict", "sentence"),
    [
        (
            (),
            "INCONCLUSIVE",
            r"0 of 2 .* \(the results read well\)" + COMMAND,
        ),
        (signed("ada"), "INCONCLUSIVE", "1 of 2 product manager sign-offs .*" + COMMAND),
        (signed("ada", "ADA "), "INCONCLUSIVE", "1 of 2"),
        (signed("ada", "ben", role="developer"), "INCONCLUSIVE", "0 of 2"),
        (signed("ada", "ben", wave=1), "INCONCLUSIVE", "0 of 2"),
        (signed("ada", "ben", item="docs"), "INCONCLUSIVE", "0 of 2"),
        (signed("ben", "ada"), "PASS", "2 of 2 product manager sign-offs, by ada, ben$"),
        (signed("ada", "ben", "eve"), "PASS", "3 of 2"),
    ],
)
def test_so_many_different_people_in_the_role_must_sign_in_this_wave(
    sign_offs: tuple[SignOff, ...], verdict: str, sentence: str
) -> None:
    check(judge(PRODUCT, wave(arm(9)), sign_offs=sign_offs), "sign_off", verdict, sentence)


def test_without_a_role_anyone_may_sign() -> None:
    anyone = Manual(name="demo seen")
    command = r"0 of 1 sign-offs; controlplane rollouts sign-off ROLLOUT 'demo seen'$"
    check(judge(anyone, wave()), "demo seen", "INCONCLUSIVE", command)
    one = signed("ada", item="demo seen", role="developer")
    check(judge(anyone, wave(), sign_offs=one), "demo seen", "PASS", "1 of 1 sign-offs, by ada$")


@given(st.lists(st.sampled_from(["ada", "ben", "eve"]), max_size=4))
def test_the_order_of_signing_does_not_matter_and_nobody_fails_it(people: list[str]) -> None:
    said = {
        judge(PRODUCT, wave(arm(1)), sign_offs=signed(*order)).sentence
        for order in permutations(people)
    }
    assert len(said) == 1
    verdict = judge(PRODUCT, wave(arm(1)), sign_offs=signed(*people)).verdict
    assert verdict == ("PASS" if len(set(people)) >= 2 else "INCONCLUSIVE")


@pytest.mark.parametrize("wrong", [{"approvals": 0}, {"approvals": 21}, {"name": ""}])
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Manual(**wrong)
