"""As much of JSON Schema (2020-12) as the schema of plans uses: whether it accepts something."""

import re
from typing import Any

TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
}
ANNOTATIONS = {"$defs", "$schema", "default", "description", "examples", "title"}
UNKNOWN = {"discriminator", "gt", "ge", "le"}
"""Words of no standard, which most validators ignore and strict ones refuse."""


def accepts(schema: dict[str, Any], data: Any, root: dict[str, Any] | None = None) -> bool:
    """Whether the data is as the schema says. Raises NotImplementedError for other keywords."""
    root = schema if root is None else root
    return all(
        _keyword(word, said, schema, data, root)
        for word, said in schema.items()
        if word not in ANNOTATIONS | UNKNOWN
    )


def _is(type_: str, data: Any) -> bool:
    if type_ in ("number", "integer"):
        wanted = int if type_ == "integer" else int | float
        return isinstance(data, wanted) and not isinstance(data, bool)
    return isinstance(data, TYPES[type_])


def _keyword(word: str, said: Any, schema: dict[str, Any], data: Any, root: dict[str, Any]) -> bool:
    number = isinstance(data, int | float) and not isinstance(data, bool)
    match word:
        case "$ref":
            return accepts(root["$defs"][said.removeprefix("#/$defs/")], data, root)
        case "type":
            return _is(said, data)
        case "const":
            return bool(data == said)
        case "enum":
            return data in said
        case "anyOf":
            return any(accepts(one, data, root) for one in said)
        case "oneOf":
            return sum(accepts(one, data, root) for one in said) == 1
        case "pattern":
            return not isinstance(data, str) or re.search(said, data) is not None
        case "minLength" | "maxLength" | "minItems" | "maxItems":
            return _is_long(word, said, data)
        case "minimum":
            return not number or data >= said
        case "maximum":
            return not number or data <= said
        case "exclusiveMinimum":
            return not number or data > said
        case "exclusiveMaximum":
            return not number or data < said
        case "items":
            return not isinstance(data, list) or all(accepts(said, one, root) for one in data)
        case "required":
            return not isinstance(data, dict) or set(said) <= data.keys()
        case "properties":
            return not isinstance(data, dict) or all(
                accepts(part, data[name], root) for name, part in said.items() if name in data
            )
        case "additionalProperties":
            known = schema.get("properties", {}).keys()
            return not isinstance(data, dict) or said is not False or data.keys() <= known
    raise NotImplementedError(word)


def _is_long(word: str, limit: int, data: Any) -> bool:
    kind = str if word.endswith("Length") else list
    if not isinstance(data, kind):
        return True
    return len(data) >= limit if word.startswith("min") else len(data) <= limit
