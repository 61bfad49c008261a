"""What a flag answers through the Python API, from memory and from the log, of any kind."""

import subprocess
import sys
from time import monotonic, sleep
from typing import Any

import pytest

from controlplane import ControlPlane
from controlplane.errors import (
    CriticalAlertOpen,
    FlagIsOn,
    FlagNotFound,
    InvalidInput,
    RolloutInCharge,
    UnitMissing,
)
from events.errors import InvalidEvent
from events.event import Actor, NewEvent
from events.flags import FlagKind, Variant, VariantsDefined, flag_stream
from tests.journeys.traffic import ENGINEER, FLAG, ON_CALL, batch, resolve_all

UNITS = [f"user-{number}" for number in range(100)]
COLOURS = [Variant("blue", "#00f", 50), Variant("red", "#f00", 50), Variant("plain", "#fff", 0)]
VALUES: dict[FlagKind, list[Any]] = {
    "boolean": [True, False],
    "string": ["", 'ß "quoted" \U0001f600 \x00\u2028'],
    "number": [1.0, -0.0, 5e-324, 1e22],
    "object": [{}, {"a": 2**53 - 1, "b": [1, 1.0, None, {"a": "\x00"}]}],
}


def colour(plane: ControlPlane, *, default: str = "plain", variants: Any = COLOURS) -> None:
    plane.flags.define_variants(
        FLAG, kind="string", variants=variants, default=default, actor=ENGINEER
    )


def answers(plane: ControlPlane) -> list[Any]:
    return [plane.flags.value(FLAG, unit) for unit in UNITS]


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_is_told_as_it_was_given_whatever_keeps_the_log(
    flagged: ControlPlane, kind: FlagKind
) -> None:
    variants = [Variant(f"v{n}", value) for n, value in enumerate(VALUES[kind])]
    flag = flagged.flags.define_variants(
        FLAG, kind=kind, variants=variants, default="v1", actor=ENGINEER
    )
    assert repr(flag.variants) == repr(tuple(variants))
    assert repr(flagged.flags.value(FLAG, None)) == repr(variants[1].value)
    flagged.flags.enable(FLAG, percentage=50, actor=ENGINEER)
    seen = set()
    for unit in UNITS:
        found = flagged.flags.explain(FLAG, unit)
        seen.add(found.variant)
        assert repr(flagged.flags.value(FLAG, unit)) == repr(found.value)
        assert repr(found.value) == repr(variants[int(str(found.variant)[1:])].value)
        assert found.kind == kind
    assert seen == {variant.name for variant in variants}
    assert flagged.verify() == flagged.head()


def test_a_flag_that_nobody_gave_variants_has_the_value_of_is_enabled(
    flagged: ControlPlane,
) -> None:
    flagged.flags.enable(FLAG, percentage=50, actor=ENGINEER)
    on = [flagged.flags.is_enabled(FLAG, unit) for unit in UNITS]
    assert answers(flagged) == on
    assert set(on) == {True, False}


def test_an_unknown_flag_has_the_value_the_caller_falls_back_on(plane: ControlPlane) -> None:
    assert plane.flags.value("nonsense", "user-17") is None
    assert plane.flags.value("nonsense", None, {}, "#000") == "#000"
    with pytest.raises(FlagNotFound):
        plane.flags.define_variants(
            "nonsense", kind="string", variants=COLOURS, default="plain", actor=ENGINEER
        )


def test_who_is_served_does_not_depend_on_the_variants(kept: ControlPlane) -> None:
    kept.flags.enable(FLAG, percentage=30, actor=ENGINEER)
    before = [kept.flags.is_enabled(FLAG, unit) for unit in UNITS]
    kept.flags.disable(FLAG, actor=ENGINEER)
    colour(kept)
    kept.flags.enable(FLAG, percentage=30, actor=ENGINEER)
    assert [kept.flags.is_enabled(FLAG, unit) for unit in UNITS] == before
    assert [value != "#fff" for value in answers(kept)] == before


def test_raising_the_percentage_moves_nobody_between_variants(kept: ControlPlane) -> None:
    colour(kept)
    kept.flags.enable(FLAG, percentage=30, actor=ENGINEER)
    few = answers(kept)
    kept.flags.set_percentage(FLAG, 80, actor=ENGINEER)
    many = answers(kept)
    assert all(one in ("#fff", other) for one, other in zip(few, many, strict=True))
    kept.flags.set_percentage(FLAG, 30, actor=ENGINEER)
    assert answers(kept) == few


def test_a_unit_is_asked_for_where_the_answer_depends_on_it(kept: ControlPlane) -> None:
    colour(kept)
    assert kept.flags.value(FLAG, None) == "#fff"
    kept.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    for ask in (kept.flags.value, kept.flags.evaluate, kept.flags.explain):
        with pytest.raises(UnitMissing, match="OpenFeature calls it the targeting key"):
            ask(FLAG, None)
    colour(kept, variants=[Variant("blue", "#00f"), COLOURS[2]])
    assert kept.flags.value(FLAG, None) == "#00f"
    assert kept.flags.evaluate(FLAG, None).openfeature_reason == "STATIC"


def test_the_same_definition_twice_is_recorded_once(kept: ControlPlane) -> None:
    for _ in range(2):
        colour(kept)
    defined = kept.events(type="flag.variants_defined")
    assert [one.actor.id for one in defined] == [ENGINEER]
    assert kept.flags.get(FLAG).exposure_version == defined[0].version


def test_what_a_rollout_judges_is_not_redefined(kept: ControlPlane) -> None:
    colour(kept)
    rollout = kept.rollouts.start(flag=FLAG, actor=ENGINEER)
    with pytest.raises(RolloutInCharge, match=rollout.id):
        colour(kept, default="red")
    kept.rollouts.abort(rollout.id, actor=ON_CALL, reason="enough")
    colour(kept, default="red")
    assert kept.flags.value(FLAG, "user-17") == "#f00"


def test_while_a_critical_alert_is_open_nobody_is_told_anything_new(kept: ControlPlane) -> None:
    """Another default reaches everybody, though the flag be off."""
    colour(kept)
    kept.flags.enable(FLAG, percentage=10, actor=ENGINEER)
    kept.executions.record([batch(violations={"atomic": 1})])
    kept.alerts.watch()
    kept.flags.disable(FLAG, actor=ON_CALL)
    with pytest.raises(CriticalAlertOpen):
        colour(kept, default="red")
    colour(kept)
    resolve_all(kept)
    colour(kept, default="red")


def test_what_does_not_hold_together_changes_nothing(kept: ControlPlane) -> None:
    colour(kept)
    kept.flags.enable(FLAG, percentage=50, actor=ENGINEER)
    head, before = kept.head(), answers(kept)
    with pytest.raises(InvalidInput, match="none of the variants"):
        colour(kept, default="green")
    with pytest.raises(FlagIsOn):
        kept.flags.define_variants(
            FLAG, kind="number", variants=[Variant("one", 1)], default="one", actor=ENGINEER
        )
    with pytest.raises(InvalidEvent, match="reason"):
        kept.flags.define_variants(
            FLAG, kind="string", variants=COLOURS, default="red", actor=ENGINEER, reason="x" * 2001
        )
    assert (kept.head(), answers(kept)) == (head, before)


def test_another_process_sees_a_new_definition_soon(kept: ControlPlane) -> None:
    colour(kept)
    with ControlPlane(kept.url) as other:
        assert other.flags.value(FLAG, "user-17") == "#fff"
        colour(kept, default="red")
        end = monotonic() + 5
        while other.flags.value(FLAG, "user-17") != "#f00" and monotonic() < end:
            sleep(0.01)
        assert other.flags.value(FLAG, "user-17") == "#f00"


def test_a_definition_that_makes_no_sense_leaves_the_caller_to_fall_back(
    kept: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    colour(kept)
    kept.flags.enable(FLAG, percentage=100, actor=ENGINEER)
    lost = VariantsDefined(
        flag=FLAG, kind="string", variants=tuple(COLOURS), default="lost", reason=""
    )
    new = NewEvent(
        stream=flag_stream(FLAG),
        event=lost,
        id="00000000-0000-0000-0000-00000000ffff",
        occurred_at=kept.clock(),
        actor=Actor.person(ENGINEER),
    )
    kept.log.append([new])
    with ControlPlane(kept.url, clock=kept.clock) as other:
        assert other.flags.value(FLAG, "user-17", default="#000") == "#000"
        assert not other.flags.is_enabled(FLAG, "user-17")
        assert f"flag {FLAG} cannot be understood; it is off" in caplog.messages
        colour(other)
        assert other.flags.value(FLAG, "user-17") in ("#00f", "#f00")


def test_what_answers_a_client_imports_nothing_of_a_server() -> None:
    servers = "{'sqlalchemy', 'pydantic', 'typer', 'rich', 'fastapi', 'apscheduler', 'yaml'}"
    check = f"import sys, controlplane.values; print(*({servers} & set(sys.modules)))"
    done = subprocess.run(  # noqa: S603  why: our own words
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
