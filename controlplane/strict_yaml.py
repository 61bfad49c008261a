"""YAML as a plan may be written: no key twice, no merges, of a reasonable size."""

from typing import Any

import yaml

LONGEST = 1_000_000
"""Characters. The built-in plan has about a thousand."""


class _Loader(yaml.SafeLoader):
    """Refuses what a reader would not see: a later key that silently wins, merges of merges."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  why: inherited
        """See yaml.SafeLoader."""
        seen: set[object] = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, "merges (<<) are not read", key_node.start_mark
                )
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str) or key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is no text or stands twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def load(text: str) -> Any:
    """Read one document. Raises yaml.YAMLError, ValueError."""
    if len(text) > LONGEST:
        raise ValueError(f"{len(text)} characters are more than {LONGEST}")
    try:
        return yaml.load(text, _Loader)  # noqa: S506  why: a SafeLoader, only stricter
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
