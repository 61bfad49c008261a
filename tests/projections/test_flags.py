import pytest

from events import EVERYONE, Audience, Event
from events.flags import ON_AND_OFF, FlagDescribed, Variant
from events.timestamps import HOUR
from projections.flags import FLAGS, Exposure, Flag
from tests.projections.flag_events import (
    BETA,
    OTHER_BETA,
    archived,
    attached,
    created,
    defined,
    detached,
    disabled,
    enabled,
    exposed,
)
from tests.projections.recording import START, Told, at, told


def flag_after(*history: Told) -> Flag:
    return FLAGS.fold("checkout", told(*history))


def test_a_flag_is_created_off_and_keeps_how_it_buckets() -> None:
    flag = flag_after(created)
    assert flag.exists
    assert not flag.enabled
    assert flag.percentage == 0
    assert (flag.owner, flag.description) == ("team", "new")
    assert (flag.algorithm, flag.salt) == (created.algorithm, "checkout")


def test_describing_changes_words_only() -> None:
    described = FlagDescribed(flag="checkout", owner="other", description="d", tags=("a",))
    flag = flag_after(created, enabled, exposed(5), described)
    assert (flag.owner, flag.description, flag.tags) == ("other", "d", ("a",))
    assert (flag.percentage, flag.exposure_version) == (5, 3)


def test_a_flag_that_nobody_gave_variants_is_on_or_off() -> None:
    flag = flag_after(created, enabled, exposed(5))
    assert (flag.kind, flag.variants, flag.default) == ("boolean", ON_AND_OFF, "off")
    assert [variant.value for variant in flag.weighted] == [True]
    assert flag.default_variant.value is False


def test_variants_are_defined_as_a_whole_and_stay_whatever_else_happens() -> None:
    blue, red, plain = Variant("blue", "#00f", 50), Variant("red", "#f00"), Variant("plain", "", 0)
    history = [created, defined("string", blue), defined("string", blue, red, plain, default="red")]
    flag = flag_after(*history, enabled, exposed(5), disabled, archived)
    assert (flag.kind, flag.variants, flag.default) == ("string", (blue, red, plain), "red")
    assert flag.weighted == (blue, red)
    assert flag.default_variant == red


def test_a_default_that_is_no_variant_is_not_passed_over() -> None:
    flag = flag_after(created, defined("boolean", Variant("on", value=True), default="lost"))
    with pytest.raises(LookupError, match="lost"):
        assert flag.default_variant


def test_exposures_stand_by_audience_the_last_changed_at_the_end() -> None:
    flag = flag_after(created, enabled, exposed(5, BETA), exposed(7), exposed(9, OTHER_BETA))
    assert flag.exposures == (Exposure(EVERYONE, 7), Exposure(OTHER_BETA, 9))
    assert flag.exposure_of(BETA) == 9, "an audience is known by its name"
    assert flag.exposure_of(Audience("staff")) == 0


def test_its_percentage_is_the_widest_of_any_audience() -> None:
    assert flag_after(created, enabled, exposed(50), exposed(7, BETA)).percentage == 50
    assert flag_after(created, enabled, exposed(5), exposed(7, BETA)).percentage == 7


def test_a_rollout_is_granted_what_it_finds_and_what_it_raises() -> None:
    history = [created, enabled, exposed(5), attached]
    assert flag_after(*history).granted == (Exposure(EVERYONE, 5),)
    flag = flag_after(*history, exposed(10, BETA), exposed(20))
    assert flag.granted == (Exposure(BETA, 10), Exposure(EVERYONE, 20))


@pytest.mark.parametrize("lowered", [exposed(2, BETA), exposed(0, BETA), exposed(0, OTHER_BETA)])
def test_lowering_takes_no_grant_back(lowered: Event) -> None:
    flag = flag_after(created, attached, enabled, exposed(10, BETA), lowered)
    assert flag.granted == (Exposure(BETA, 10),)


def test_a_grant_is_to_one_definition_of_an_audience() -> None:
    flag = flag_after(created, attached, enabled, exposed(10, BETA), exposed(5, OTHER_BETA))
    assert flag.granted == (Exposure(OTHER_BETA, 5),)


@pytest.mark.parametrize("end", [disabled, archived, detached])
def test_off_or_without_a_rollout_nothing_is_granted(end: Event) -> None:
    flag = flag_after(created, attached, enabled, exposed(10, BETA), end)
    assert flag.granted == ()
    assert flag_after(created, enabled, exposed(10)).granted == ()


@pytest.mark.parametrize("off", [disabled, archived])
def test_off_is_off_for_every_audience(off: Event) -> None:
    flag = flag_after(created, enabled, exposed(5, BETA), exposed(7), off)
    assert not flag.enabled
    assert flag.exposures == ()
    assert flag.percentage == 0
    assert flag.archived == (off is archived)


def test_switched_on_again_it_starts_from_nobody() -> None:
    assert flag_after(created, enabled, exposed(50), disabled, enabled).percentage == 0


def test_it_counts_its_rollouts_and_knows_the_one_in_charge() -> None:
    assert flag_after(created, attached).rollout == "checkout-r1"
    flag = flag_after(created, attached, detached, attached, detached)
    assert (flag.rollout, flag.rollouts) == (None, 2)


@pytest.mark.parametrize(
    ("event", "moves"),
    [
        (enabled, True),
        (exposed(5), True),
        (disabled, True),
        (archived, True),
        (defined("number", Variant("one", 1)), True),
        (FlagDescribed(flag="checkout", owner="o", description="", tags=()), False),
        (attached, False),
        (detached, False),
    ],
)
def test_the_exposure_version_moves_with_who_gets_what_alone(event: Event, *, moves: bool) -> None:
    assert flag_after(created, event).exposure_version == (2 if moves else 0)


def test_it_knows_when_it_was_switched_on_and_when_it_last_changed() -> None:
    flag = flag_after(created, at(HOUR, enabled), at(2 * HOUR, exposed(5)))
    assert (flag.enabled_at, flag.changed_at, flag.position) == (START + HOUR, START + 2 * HOUR, 3)
