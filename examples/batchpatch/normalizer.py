"""NORMALIZER, the second layer: one canonical plan, however the patches were ordered."""

from batchpatch.patch import Patch, PatchError, by_position, collide


def normalize(patches: tuple[Patch, ...]) -> tuple[Patch, ...]:
    """Sort the patches and merge the adjacent ones. Raises PatchError where two overlap."""
    plan: list[Patch] = []
    previous: Patch | None = None
    for patch in sorted(patches, key=by_position):
        if previous and collide(previous, patch):
            raise PatchError(f"{patch} overlaps {previous}")
        if plan and plan[-1].end == patch.start:
            plan[-1] = _merge(plan[-1], patch)
        else:
            plan.append(patch)
        previous = patch
    return tuple(plan)


def _merge(left: Patch, right: Patch) -> Patch:
    return Patch.between(left.start, right.end, left.text + right.text)
