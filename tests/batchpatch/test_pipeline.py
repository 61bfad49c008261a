from dataclasses import replace
from itertools import count, pairwise

import pytest
from batchpatch import (
    Batch,
    Operation,
    Patch,
    PatchError,
    Pipeline,
    apply_control,
    execute,
    normalize,
)
from hypothesis import given, settings
from hypothesis import strategies as st

any_duration = settings(deadline=None)  # a busy machine is no counterexample

TEXT = st.text(alphabet="ab\n\r\x0cé🙂", max_size=60)


@st.composite
def valid_batches(draw: st.DrawFn) -> Batch:
    """Cut a document at random places; change some of the pieces, touching ones included."""
    document = draw(TEXT)
    cuts = draw(st.lists(st.integers(0, len(document)), max_size=12).map(sorted))
    patches = []
    inserted: set[int] = set()
    for start, end in zip(cuts[::2], cuts[1::2], strict=False):
        text = draw(TEXT)
        if (start == end and (not text or start in inserted)) or not draw(st.booleans()):
            continue
        inserted |= {start} if start == end else set()
        patches.append(Patch.between(start, end, text))
    return Batch(document, tuple(draw(st.permutations(patches))))


@st.composite
def arbitrary_batches(draw: st.DrawFn) -> Batch:
    position = st.integers(-2, 12)
    patch = st.builds(Patch, st.sampled_from(Operation), position, position, st.text(max_size=3))
    return Batch(draw(st.text(max_size=12)), tuple(draw(st.lists(patch, max_size=4))))


def oracle(batch: Batch) -> str:
    """Say for every character of the document what becomes of it."""
    before = [""] * (len(batch.document) + 1)
    kept = [*batch.document, ""]
    for patch in batch.patches:
        if patch.start < patch.end:
            kept[patch.start : patch.end] = [patch.text] + [""] * (patch.end - patch.start - 1)
        else:
            before[patch.start] = patch.text
    return "".join(text for pair in zip(before, kept, strict=True) for text in pair)


@any_duration
@given(valid_batches())
def test_pipeline_control_path_and_a_naive_oracle_agree(batch: Batch) -> None:
    new, old = Pipeline().apply_batch(batch), apply_control(batch)
    assert (new.error, new.violations, old.error) == ("", {}, "")
    assert new.text == old.text == oracle(batch)


@any_duration
@given(valid_batches())
def test_the_undo_of_a_batch_restores_the_document(batch: Batch) -> None:
    undo = Pipeline().apply_batch(batch).undo
    assert undo is not None
    back = Pipeline().apply_batch(undo)
    assert back.succeeded
    assert back.text == batch.document
    assert apply_control(undo).text == batch.document


@any_duration
@given(arbitrary_batches())
def test_a_failed_batch_leaves_the_document_as_it_was(batch: Batch) -> None:
    for execution in (Pipeline().apply_batch(batch), apply_control(batch)):
        assert execution.violations == {}
        if not execution.succeeded:
            assert execution.text is batch.document
            assert execution.undo is None
            assert execution.patches_failed == len(batch.patches)
            assert execution.error


@any_duration
@given(arbitrary_batches())
def test_both_paths_reject_the_same_batches(batch: Batch) -> None:
    new, old = Pipeline().apply_batch(batch), apply_control(batch)
    assert (new.outcome, new.text) == (old.outcome, old.text)


@any_duration
@given(valid_batches())
def test_a_plan_is_sorted_with_a_gap_between_its_patches(batch: Batch) -> None:
    plan = normalize(batch.patches)
    assert all(a.end < b.start for a, b in pairwise(plan))
    assert normalize(plan) == plan


@pytest.mark.parametrize(
    ("patch", "reason"),
    [
        (Patch(Operation.REPLACE, 2, 9, "x"), "not inside the document of 5 characters"),
        (Patch(Operation.DELETE, -1, 2, ""), "not inside the document"),
        (Patch(Operation.DELETE, 3, 2, ""), "not inside the document"),
        (Patch(Operation.DELETE, 2, 2, ""), "a delete has a range and no text"),
        (Patch(Operation.DELETE, 2, 3, "x"), "a delete has a range and no text"),
        (Patch(Operation.INSERT, 2, 3, "x"), "an insert has text and an empty range"),
        (Patch(Operation.INSERT, 2, 2, ""), "an insert has text and an empty range"),
        (Patch(Operation.REPLACE, 2, 2, "x"), "a replace has a range and text"),
        (Patch(Operation.REPLACE, 2, 3, ""), "a replace has a range and text"),
    ],
)
def test_a_meaningless_patch_fails_the_batch_and_says_why(patch: Patch, reason: str) -> None:
    good = Patch(Operation.INSERT, 0, 0, "x")
    execution = Pipeline().apply_batch(Batch("abcde", (good, patch)))
    assert execution.outcome == "failed"
    assert execution.error.startswith("patch 2 of 2")
    assert reason in execution.error
    assert reason in apply_control(Batch("abcde", (good, patch))).error


@pytest.mark.parametrize(
    "patches",
    [
        (Patch.between(0, 3, "x"), Patch.between(2, 4, "y")),
        (Patch.between(2, 2, "x"), Patch.between(2, 2, "y")),
        (Patch.between(1, 3, ""), Patch.between(2, 2, "y")),
    ],
    ids=["ranges that cross", "two inserts at one point", "insert into what is deleted"],
)
def test_overlapping_patches_fail_the_batch(patches: tuple[Patch, ...]) -> None:
    for execution in (
        Pipeline().apply_batch(Batch("abcde", patches)),
        apply_control(Batch("abcde", patches)),
    ):
        assert execution.outcome == "failed"
        assert "overlaps" in execution.error


def test_an_insert_may_touch_the_ranges_on_both_of_its_sides() -> None:
    patches = (Patch.between(2, 4, "CD"), Patch.between(2, 2, "-"), Patch.between(0, 2, ""))
    assert Pipeline().apply_batch(Batch("abcde", patches)).text == "-CDe"
    assert normalize(patches) == (Patch(Operation.REPLACE, 0, 4, "-CD"),)


def test_a_result_other_than_expected_fails_and_says_where(batch: Batch) -> None:
    wrong = Batch("one\ntwo\n", (Patch.between(4, 7, "2"),), "one\n3\n")
    for execution in (Pipeline().apply_batch(wrong), apply_control(wrong)):
        assert execution.error == "line 2, column 1: expected '3\\n', found '2\\n'"
        assert execution.text == "one\ntwo\n"
    assert Pipeline().apply_batch(replace(batch, expected=None)).text == batch.expected


def test_a_result_that_is_only_longer_differs_where_the_expected_text_ends() -> None:
    execution = apply_control(Batch("ab", (Patch.between(2, 2, "c"),), "ab"))
    assert execution.error == "line 1, column 3: expected '', found 'c'"


def test_an_execution_counts_operations_and_measures(batch: Batch) -> None:
    execution = Pipeline().apply_batch(batch)
    assert (execution.replace, execution.insert, execution.delete) == (1, 1, 1)
    assert (execution.patches_applied, execution.patches_failed) == (3, 0)
    assert 0 < execution.memory_current_bytes <= execution.memory_peak_bytes


def test_every_layer_is_timed_in_whole_microseconds(batch: Batch) -> None:
    ticks = count(step=5_999)
    execution = Pipeline(stopwatch=lambda: next(ticks)).apply_batch(batch)
    layers = (execution.semantics_us, execution.normalizer_us, execution.executor_us)
    assert layers == (5, 5, 5)
    assert execution.duration_us == 29
    assert apply_control(batch).executor_us == 0


def test_a_layer_that_was_not_reached_took_no_time() -> None:
    ticks = count(step=5_999)
    bad = Batch("", (Patch.between(0, 1, "x"),))
    execution = Pipeline(stopwatch=lambda: next(ticks)).apply_batch(bad)
    assert (execution.semantics_us, execution.normalizer_us, execution.executor_us) == (5, 0, 0)


def test_garbage_in_a_patch_fails_the_batch_without_raising() -> None:
    garbage = Batch("abc", (Patch(Operation.INSERT, "1", 1, "x"),))  # type: ignore[arg-type]  # why: wrong on purpose
    for execution in (Pipeline().apply_batch(garbage), apply_control(garbage)):
        assert execution.outcome == "failed"
        assert execution.error.startswith("TypeError")
        assert execution.violations == {}


@pytest.mark.parametrize(
    "plan",
    [
        (Patch.between(2, 4, "x"),),
        (Patch.between(0, 2, "x"), Patch.between(1, 3, "y")),
        (Patch.between(2, 3, "x"), Patch.between(0, 1, "y")),
    ],
    ids=["past the end", "overlapping", "out of order"],
)
def test_the_executor_itself_refuses_a_plan_that_does_not_fit(plan: tuple[Patch, ...]) -> None:
    with pytest.raises(PatchError, match="does not fit"):
        execute("abc", plan)
