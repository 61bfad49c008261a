"""Each invariant is broken on purpose: a check that cannot fail proves nothing."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest
from batchpatch import (
    INVARIANTS,
    Applied,
    Batch,
    Evidence,
    Layers,
    Patch,
    Pipeline,
    check_invariants,
    execute,
    normalize,
)

Plan = tuple[Patch, ...]


def unguarded(document: str, plan: Plan) -> Applied:
    """Splice without looking, as a naive executor would."""
    text = document
    for patch in reversed(plan):
        text = text[: patch.start] + patch.text + text[patch.end :]
    return Applied(text, (Patch.between(0, len(text), document),))


def shout(document: str, plan: Plan) -> Applied:
    """Change what no patch asked for, and know how to undo it."""
    text = execute(document, plan).text.upper()
    return Applied(text, (Patch.between(0, len(text), document),))


def half(document: str, plan: Plan) -> Applied:
    return execute(document, plan[:1])


def past_the_end(patches: Plan) -> Plan:
    return tuple(replace(patch, end=patch.end + 1000) for patch in normalize(patches)[-1:])


def drop_the_last(patches: Plan) -> Plan:
    return normalize(patches)[:-1]


def forget_undo(document: str, plan: Plan) -> Applied:
    return replace(execute(document, plan), undo=())


def count_runs() -> Callable[[str, Plan], Applied]:
    runs = count()

    def executor(document: str, plan: Plan) -> Applied:
        text = f"{execute(document, plan).text}{next(runs)}"
        return Applied(text, (Patch.between(0, len(text), document),))

    return executor


def as_given(patches: Plan) -> Plan:
    return patches


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("atomic", Layers(executor=half)),
        ("atomic", Layers(executor=shout)),
        ("in_bounds", Layers(normalizer=past_the_end, executor=unguarded)),
        ("order_independent", Layers(normalizer=as_given, executor=unguarded)),
        ("deterministic", Layers(executor=count_runs())),
        ("length_accounted", Layers(normalizer=drop_the_last)),
        ("undo_restores", Layers(executor=forget_undo)),
    ],
)
def test_a_broken_layer_violates_the_invariant(name: str, layers: Layers, batch: Batch) -> None:
    execution = Pipeline(lambda: layers).apply_batch(replace(batch, expected=None))
    assert execution.violations[name] == 1
    assert name in execution.error
    assert execution.outcome == "failed"
    assert execution.text == batch.document


def test_applying_overlapping_patches_violates_no_overlap() -> None:
    batch = Batch("abcdef", (Patch.between(0, 3, "x"), Patch.between(2, 4, "y")))
    careless = Layers(normalizer=as_given, executor=unguarded)
    assert "no_overlap" in Pipeline(lambda: careless).apply_batch(batch).violations


def test_hiding_an_overlap_in_the_plan_violates_no_overlap() -> None:
    batch = Batch("abcdef", (Patch.between(0, 3, "x"), Patch.between(2, 4, "y")))
    hiding = Layers(normalizer=lambda patches: patches[:1])
    assert "no_overlap" in Pipeline(lambda: hiding).apply_batch(batch).violations


def test_rejecting_a_batch_only_in_one_order_violates_order_independent(batch: Batch) -> None:
    def picky(patches: Plan) -> Plan:
        if patches == batch.patches:
            raise ValueError
        return normalize(patches)

    execution = Pipeline(lambda: Layers(normalizer=picky)).apply_batch(batch)
    assert execution.violations == {"order_independent": 1}


def test_a_check_that_raises_counts_as_violated(batch: Batch) -> None:
    plan = normalize(batch.patches)
    astray = Applied(str(batch.expected), (Patch.between(500, 900, "x"),))
    violations = check_invariants(Evidence(batch, Layers(), plan, astray))
    assert violations == {"deterministic": 1, "undo_restores": 1}


def test_a_healthy_batch_violates_nothing(batch: Batch) -> None:
    execution = Pipeline().apply_batch(batch)
    assert execution.violations == {}
    assert execution.text == batch.expected


def test_there_are_seven_invariants_in_a_fixed_order() -> None:
    assert INVARIANTS == (
        "atomic",
        "in_bounds",
        "no_overlap",
        "order_independent",
        "deterministic",
        "length_accounted",
        "undo_restores",
    )
