"""Which permission each route asks for: one table, by the name of its handler.

A route that is not in it is not answered. What a permission is, and who has it, is in
controlplane/permissions.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from controlplane.permissions import Permission
from events.alerts import alert_stream
from events.flags import flag_stream
from events.rollouts import rollout_stream


@dataclass(frozen=True)
class Rule:
    """What a route asks of whoever calls it."""

    permission: Permission | None
    """None: nothing; it tells nothing either."""
    command: bool = False
    """Whether it changes something: then it is recorded, accepted or denied."""
    lists: bool = False
    """Whether it tells of many flags, and leaves out those that a token is not for."""


def _read(*names: str) -> dict[str, Rule]:
    return {name: Rule("read") for name in names}


def _commands(permission: Permission, *names: str) -> dict[str, Rule]:
    return {name: Rule(permission, command=True) for name in names}


POLICY: dict[str, Rule] = {
    **{name: Rule(None) for name in ("livez", "readyz")},
    **_read("openapi_document", "scrape_metrics", "stream_events"),
    **{
        name: Rule("evaluate", lists=True)
        for name in ("evaluate_flag", "evaluate_flags", "stream_flags", "stream_ofrep")
    },
    # Whether it raises is known inside: there it takes `flags.raise`.
    **_commands("flags.lower", "admin_flags"),
}


def flag_of(parameters: Mapping[str, str]) -> str | None:
    """The flag that a path is about."""
    for name, belongs_to in _FLAGS.items():
        if name in parameters:
            return belongs_to(parameters[name])
    return None


def stream_of(parameters: Mapping[str, str]) -> str | None:
    """The stream whose version If-Match speaks of."""
    if "rule" in parameters:
        return alert_stream(parameters["flag"], parameters["rule"])
    for name in ("rollout", "proposal", "override"):
        if name in parameters:
            return rollout_stream(_rollout_of(parameters[name]))
    return flag_stream(parameters["flag"]) if "flag" in parameters else None


def _rollout_of(part: str) -> str:
    """`batch-patches-v1-r1-p3` belongs to `batch-patches-v1-r1`."""
    head, _, tail = part.rpartition("-")
    return head if tail[:1] in ("p", "o") and tail[1:].isdigit() else part


def _flag_of_rollout(part: str) -> str:
    head, _, tail = _rollout_of(part).rpartition("-")
    return head if tail[:1] == "r" and tail[1:].isdigit() else part


_FLAGS: dict[str, Callable[[str], str]] = {
    "flag": str,
    "key": str,
    "rollout": _flag_of_rollout,
    "proposal": _flag_of_rollout,
    "override": _flag_of_rollout,
}
