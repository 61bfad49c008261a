"""One stored example of every name and version, for ever: what was recorded can be read."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from events.catalog import CATALOG
from events.codec import decode, encode
from events.errors import InvalidEvent
from events.upcasts import UPCASTS

GOLDEN = Path(__file__).parent.parent / "golden"


class Today(msgspec.Struct, forbid_unknown_fields=True):
    """The name and the data of an old event in today's words."""

    type: str
    data: dict[str, Any]


class Example(msgspec.Struct, forbid_unknown_fields=True):
    """`stored`: the data as recorded. `today`: what upcasts make of it, where there are any."""

    stored: dict[str, Any]
    today: Today | None = None


def example(file: str) -> tuple[str, int, Example]:
    name, _, version = file.removesuffix(".json").rpartition(".v")
    return name, int(version), msgspec.json.decode((GOLDEN / file).read_bytes(), type=Example)


FILES = sorted(path.name for path in GOLDEN.iterdir())
CURRENT = {f"{name}.v{cls.SCHEMA_VERSION}.json" for name, cls in CATALOG.items()}
FORMER = {f"{name}.v{version}.json" for name, version in UPCASTS}


def test_every_name_and_version_has_an_example_and_no_example_lost_its_name() -> None:
    assert set(FILES) == CURRENT | FORMER


@pytest.mark.parametrize("file", FILES)
def test_an_example_is_read_as_it_was_meant(file: str) -> None:
    name, version, golden = example(file)
    event = decode(name, version, msgspec.json.encode(golden.stored).decode())
    assert Today(event.TYPE, msgspec.json.decode(encode(event))) == (
        golden.today or Today(name, golden.stored)
    )


@pytest.mark.parametrize("file", sorted(CURRENT))
def test_an_example_of_today_needs_no_upcast_and_leaves_no_field_out(file: str) -> None:
    name, _, golden = example(file)
    assert golden.today is None
    fields = msgspec.structs.fields(CATALOG[name])
    assert set(golden.stored) == {field.encode_name for field in fields}


WRITTEN_BY_PEOPLE = [
    ("alert.acknowledged.v1.json", "note"),
    ("flag.archived.v1.json", "reason"),
    ("flag.created.v1.json", "description"),
    ("flag.created.v1.json", "owner"),
    ("flag.described.v1.json", "description"),
    ("flag.described.v1.json", "owner"),
    ("flag.disabled.v1.json", "reason"),
    ("flag.enabled.v1.json", "reason"),
    ("flag.exposure_changed.v1.json", "reason"),
    ("flag.variants_defined.v1.json", "reason"),
    ("rollout.bake_extended.v1.json", "reason"),
    ("rollout.cancelled.v1.json", "reason"),
    ("rollout.criterion_answered.v1.json", "detail"),
    ("rollout.held.v1.json", "reason"),
    ("rollout.hold_released.v1.json", "reason"),
    ("rollout.item_signed_off.v1.json", "note"),
    ("rollout.override_approved.v1.json", "reason"),
    ("rollout.override_requested.v1.json", "reason"),
    ("rollout.override_withdrawn.v1.json", "reason"),
    ("rollout.promotion_proposed.v1.json", "reason"),
    ("rollout.proposal_approved.v1.json", "reason"),
    ("rollout.proposal_rejected.v1.json", "reason"),
    ("rollout.proposal_withdrawn.v1.json", "reason"),
    ("rollout.sign_off_withdrawn.v1.json", "reason"),
    ("rollout.start_approved.v1.json", "reason"),
    ("rollout.start_rejected.v1.json", "reason"),
]
NAMES = [{f"invariant-{n}": 1 for n in range(count)} for count in (50, 51)]
LIMITS: list[tuple[str, str, Any, Any]] = [
    *((file, field, "ß" * 2000, "ß" * 2001) for file, field in WRITTEN_BY_PEOPLE),
    ("execution.batch_executed.v1.json", "instance", "h" * 200, "h" * 201),
    ("execution.batch_executed.v1.json", "audience", "a" * 100, "a" * 101),
    ("execution.batch_executed.v1.json", "violations", NAMES[0], NAMES[1]),
]


@pytest.mark.parametrize(
    ("file", "field", "longest", "too_long"), LIMITS, ids=[f"{one[0]}-{one[1]}" for one in LIMITS]
)
def test_what_comes_from_outside_has_its_limit(
    file: str, field: str, longest: Any, too_long: Any
) -> None:
    name, _, golden = example(file)
    event = msgspec.convert(golden.stored | {field: longest}, CATALOG[name])
    assert msgspec.json.decode(encode(event))[field] == longest
    with pytest.raises(InvalidEvent, match=field):
        encode(msgspec.structs.replace(event, **{field: too_long}))


def test_names_say_the_slice_and_what_happened() -> None:
    for name, cls in CATALOG.items():
        assert cls.TYPE == name
        subject, _, happened = name.partition(".")
        assert subject.isalpha()
        assert happened.replace("_", "").isalpha()
        assert happened.islower()


def test_versions_are_led_upwards_and_end_at_todays_catalog() -> None:
    for name, version in UPCASTS:
        assert version < CATALOG[name].SCHEMA_VERSION if name in CATALOG else version >= 1
