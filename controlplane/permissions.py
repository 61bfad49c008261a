"""Who may do what: one table, and nothing that is not in it.

Lowering an exposure is in everybody's hands who operates; raising one, and whatever makes that
possible, is not.
"""

from fnmatch import fnmatchcase
from typing import Literal, get_args

from controlplane.errors import InvalidInput
from events.access import Role

Permission = Literal[
    "read", "evaluate", "record",
    "flags.describe", "flags.lower", "flags.raise",
    "rollouts.operate", "rollouts.approve", "plans.edit",
    "alerts.handle", "alerts.silence_critical",
    "freezes.declare", "freezes.lift",
    "glass.break", "reviews.close",
    "tokens.manage", "webhooks.manage", "projections.manage",
]  # fmt: skip

ROLES: tuple[Role, ...] = get_args(Role)
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

_VIEWER: frozenset[Permission] = frozenset({"read", "evaluate"})
_OPERATOR: frozenset[Permission] = _VIEWER | {
    "flags.describe",
    "flags.lower",
    "rollouts.operate",
    "alerts.handle",
    "freezes.declare",
}
_APPROVER: frozenset[Permission] = _OPERATOR | {
    "flags.raise",
    "rollouts.approve",
    "plans.edit",
    "alerts.silence_critical",
    "freezes.lift",
    "glass.break",
    "reviews.close",
}

GRANTS: dict[Role, frozenset[Permission]] = {
    "viewer": _VIEWER,
    "ingestor": frozenset({"record"}),
    "operator": _OPERATOR,
    "approver": _APPROVER,
    "admin": frozenset(PERMISSIONS),
}
"""What each role may do. That two people must agree is not here: it holds for every role."""

_FLAG = "flag:"


def permitted(roles: tuple[Role, ...], scopes: tuple[str, ...]) -> frozenset[Permission]:
    """What a token may do: what its roles grant, narrowed to its scopes where it has any."""
    granted = frozenset[Permission]().union(*(GRANTS[role] for role in roles))
    narrowed = {scope for scope in scopes if not scope.startswith(_FLAG)}
    return frozenset(one for one in granted if one in narrowed) if narrowed else granted


def flags_of(scopes: tuple[str, ...]) -> tuple[str, ...]:
    """The patterns of flag names a token is narrowed to; none: every flag."""
    return tuple(scope.removeprefix(_FLAG) for scope in scopes if scope.startswith(_FLAG))


def concerns(patterns: tuple[str, ...], flag: str) -> bool:
    """Whether a flag is among those that the patterns name."""
    return not patterns or any(fnmatchcase(flag, pattern) for pattern in patterns)


def check(roles: tuple[Role, ...], scopes: tuple[str, ...]) -> None:
    """Raise InvalidInput where a token could open nothing, or other things than were meant."""
    if not roles or set(roles) - set(ROLES):
        raise InvalidInput(reason=f"a token has one or more roles of {', '.join(ROLES)}")
    granted = permitted(roles, ())
    for scope in scopes:
        if scope.startswith(_FLAG):
            if not scope.removeprefix(_FLAG).strip():
                raise InvalidInput(reason="a scope on flags names them, as in flag:batch-*")
        elif scope not in PERMISSIONS:
            known = ", ".join(PERMISSIONS)
            raise InvalidInput(reason=f"there is no scope {scope}; there are flag:PATTERN, {known}")
        elif scope not in granted:
            raise InvalidInput(reason=f"{', '.join(roles)} does not grant {scope}")
