"""Who may do what: one table."""

import pytest

from controlplane.errors import InvalidInput
from controlplane.permissions import (
    GRANTS,
    PERMISSIONS,
    ROLES,
    check,
    concerns,
    flags_of,
    permitted,
)


def test_the_roles_are_told_apart_by_what_they_may_do() -> None:
    assert GRANTS["viewer"] < GRANTS["operator"] < GRANTS["approver"] < GRANTS["admin"]
    assert GRANTS["admin"] == set(PERMISSIONS)
    assert GRANTS["ingestor"] == {"record"}
    assert len({GRANTS[role] for role in ROLES}) == len(ROLES)


@pytest.mark.parametrize(
    ("permission", "least"),
    [
        ("read", "viewer"),
        ("flags.lower", "operator"),
        ("rollouts.operate", "operator"),
        ("flags.raise", "approver"),
        ("rollouts.approve", "approver"),
        ("plans.edit", "approver"),
        ("alerts.silence_critical", "approver"),
        ("freezes.lift", "approver"),
        ("glass.break", "approver"),
        ("tokens.manage", "admin"),
        ("webhooks.manage", "admin"),
    ],
)
def test_the_least_role_that_grants(permission: str, least: str) -> None:
    ladder = ("viewer", "operator", "approver", "admin")
    granted = [role for role in ladder if permission in GRANTS[role]]
    assert granted == list(ladder[ladder.index(least) :])


def test_scopes_narrow_and_never_widen() -> None:
    assert permitted(("operator",), ("read", "flags.lower")) == {"read", "flags.lower"}
    assert permitted(("viewer",), ("flags.raise",)) == set()
    assert permitted(("viewer", "ingestor"), ()) == {"read", "evaluate", "record"}
    assert permitted(("viewer",), ("flag:batch-*",)) == GRANTS["viewer"]


def test_patterns_name_flags_by_their_case() -> None:
    patterns = flags_of(("read", "flag:batch-*", "flag:checkout"))
    assert patterns == ("batch-*", "checkout")
    assert [concerns(patterns, flag) for flag in ("batch-1", "checkout", "Batch-1", "x")] == [
        *(True, True),
        *(False, False),
    ]
    assert concerns((), "anything")


@pytest.mark.parametrize(
    ("roles", "scopes", "because"),
    [
        ((), (), "one or more roles"),
        (("root",), (), "one or more roles"),
        (("viewer",), ("flags.explode",), "there is no scope"),
        (("viewer",), ("flags.raise",), "does not grant"),
        (("viewer",), ("flag:",), "names them"),
    ],
)
def test_a_token_that_would_open_nothing_is_not_issued(
    roles: tuple[str, ...], scopes: tuple[str, ...], because: str
) -> None:
    with pytest.raises(InvalidInput, match=because):
        check(roles, scopes)  # type: ignore[arg-type]  # why: what a caller may get wrong
