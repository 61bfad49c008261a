"""A question to the log, as SQL."""

from typing import Any

from events.log import Query


def where_of(query: Query, dialect: str) -> tuple[str, tuple[Any, ...]]:
    """What follows `WHERE environment = ?`, and its parameters."""
    position = order_by = "position"
    if query.stream:
        # Within a stream the same order, and the index that leads to the stream has it.
        order_by = "version"
    elif dialect == "sqlite" and (query.type or "").endswith("*"):
        # The plus keeps SQLite's planner from walking the whole log in order of position where
        # the index on type leads straight to the few events wanted.
        position = order_by = "+position"
    conditions = _conditions(query)
    if query.before is not None:
        conditions.append((f"{position} < ?", query.before))
    text = " ".join(f"AND {condition}" for condition, _ in conditions)
    order = "DESC" if query.newest_first else "ASC"
    where = f"AND {position} > ? {text} ORDER BY {order_by} {order} LIMIT ?"
    return where, (query.after, *(value for _, value in conditions), query.limit)


def _conditions(query: Query) -> list[tuple[str, Any]]:
    clock = "recorded_at" if query.clock == "recorded_at" else "occurred_at"
    conditions: list[tuple[str, Any]] = []
    if query.stream is not None:
        conditions.append(("stream = ?", query.stream))
    if query.type is not None and query.type.endswith("*"):
        start = query.type[:-1]
        conditions += [("type >= ?", start), ("type < ?", start + "~")]
    elif query.type is not None:
        conditions.append(("type = ?", query.type))
    if query.actor is not None:
        conditions.append(("actor_id = ?", query.actor))
    if query.correlation_id is not None:
        conditions.append(("correlation_id = ?", query.correlation_id))
    if query.since is not None:
        conditions.append((f"{clock} >= ?", query.since))
    if query.until is not None:
        conditions.append((f"{clock} < ?", query.until))
    return conditions
