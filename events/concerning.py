"""Which flag an event is about."""

from collections.abc import Callable

from events.event import Event


def flag_of(event: Event) -> str | None:
    """The flag's name, by the flag, alert or rollout that the event names; None for no flag's."""
    for name in ("flag", "alert", "rollout"):
        told = getattr(event, name, None)
        if isinstance(told, str) and told:
            return _OF[name](told)
    return None


_OF: dict[str, Callable[[str], str]] = {
    "flag": str,
    "alert": lambda id_: id_.partition("/")[0],
    "rollout": lambda id_: id_.rpartition("-r")[0],
}
