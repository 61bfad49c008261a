"""A row that was stored under a name and version can be read for as long as they stand."""

import json
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from projections.catalog import PROJECTIONS
from projections.projection import Projection

GOLDEN: dict[tuple[str, int], str] = {
    ("flags", 1): "b6974dce5839baa76e53ed8c2cefa7c86ec85e3e31a4491504c9374f6f77c950",
    ("rollouts", 1): "58491e8fd82779c5a812f52ede0f71b4db3d21196c09c76de1efb5af872b6242",
    ("metrics", 1): "176a3e3ad134f6b17aac1ee493ab99ce678edbe208888cac2618ef453e04088e",
    ("totals", 1): "176a3e3ad134f6b17aac1ee493ab99ce678edbe208888cac2618ef453e04088e",
    ("evidence", 1): "a5351952dfb462ca8c8e1b6d42aca8597ba54298f163c95c8ef74380ca34dfec",
    ("vitals", 1): "9a3e2f3b8bdd38db07c226ce2e14482915d78a763637a5e1ecd8f6363588d150",
    ("alerts", 1): "8c280a4f4375e216920089958ef3ec8fb295ee9628197c08466fa7e0ff4295bd",
    ("freezes", 1): "7c01b6e091dc4603181a6bf5e504501400919d558a46bf2fe2463d067baada71",
    ("incidents", 1): "4d2636d3b3e3fcfbda3700881731c2029c9ace4adb41e4b3aa7f21af19178256",
    ("tokens", 1): "5a75d7a5262cd6bc7b5d9ca80ed7bad89d27e38ea920caab04260008e42e2c8f",
    ("reviews", 1): "b705d1f0c17513b509192d65aa5a5fcf0ece86b697e0d47113bc864df1eacfab",
    ("webhooks", 1): "377677caf76566254efd5cbd45a86fa22cf24e92e969a50bfd8207e10979d4f8",
    ("dead_letters", 1): "0a01ec20a7f21c5f2716679c10a1a9165a2a2df3112b40f89f33715cbdba6510",
}


def without_words(schema: Any) -> Any:
    """The schema without its descriptions: a docstring is no state."""
    if isinstance(schema, dict):
        return {
            key: without_words(value)
            for key, value in schema.items()
            if key != "description" or not isinstance(value, str)
        }
    return [without_words(one) for one in schema] if isinstance(schema, list | tuple) else schema


def shape(state: type[msgspec.Struct]) -> str:
    """SHA-256 of the canonical JSON of a state's schema."""
    schema = without_words(msgspec.json.schema(state))
    text = json.dumps(schema, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("projection", PROJECTIONS.values(), ids=PROJECTIONS)
def test_a_state_that_changed_has_a_new_version(projection: Projection[Any]) -> None:
    found = shape(projection.state)
    name = (projection.name, projection.version)
    assert found == GOLDEN.get(name), (
        f"the state of {projection.name} is not what version {projection.version} stored: give it "
        f"a new version, so that its rows are built anew, and add {(*name, found)} to GOLDEN. "
        "Before the first release no rows are out there: update GOLDEN."
    )


def test_every_golden_state_is_a_projection_of_today() -> None:
    today = {(projection.name, projection.version) for projection in PROJECTIONS.values()}
    assert GOLDEN.keys() == today


class One(msgspec.Struct):
    """A state."""

    description: str = ""


class Renamed(msgspec.Struct):
    title: str = ""


class Defaulted(msgspec.Struct):
    description: str = "none"


class Retyped(msgspec.Struct):
    description: int = 0


def test_names_types_and_defaults_of_fields_make_the_shape_and_docstrings_do_not() -> None:
    def of(cls: type[msgspec.Struct]) -> str:
        return shape(msgspec.defstruct("One", _fields(cls)))

    assert len({of(cls) for cls in (One, Renamed, Defaulted, Retyped)}) == 4
    assert of(One) == shape(One)


def _fields(cls: type[msgspec.Struct]) -> list[tuple[str, Any, Any]]:
    return [(one.name, one.type, one.default) for one in msgspec.structs.fields(cls)]
