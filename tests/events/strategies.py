"""Any event there can be, derived from what its class says about its fields."""

from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

from events import Event
from events.catalog import CATALOG

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False)
    .filter(lambda number: abs(number) != float("inf")) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def events(cls: type[Event]) -> st.SearchStrategy[Event]:
    return _of(inspect.type_info(cls))


def any_event() -> st.SearchStrategy[Event]:
    return st.one_of([events(cls) for cls in CATALOG.values()])


def _of(kind: inspect.Type) -> st.SearchStrategy[Any]:
    match kind:
        case inspect.StructType(cls=cls, fields=fields):
            return st.builds(cls, **{field.name: _of(field.type) for field in fields})
        case inspect.StrType(min_length=least, max_length=most):
            return st.text(min_size=least or 0, max_size=min(most or 30, 30))
        case inspect.IntType(ge=least, le=most):
            return st.integers(least if least is not None else -(2**63), most or 2**63 - 1)
        case inspect.FloatType(ge=least, le=most):
            return st.floats(least, most, allow_nan=False, allow_infinity=False)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.UnionType(types=types):
            return st.one_of([_of(one) for one in types])
        case inspect.VarTupleType(item_type=item):
            return st.lists(_of(item), max_size=4).map(tuple)
        case inspect.DictType(key_type=inspect.AnyType()):
            return st.dictionaries(st.text(), JSON, max_size=4)
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(_of(key), _of(value), max_size=4)
        case inspect.AnyType():
            return JSON
    raise NotImplementedError(kind)
