"""Real edits where there is no history: functions of the standard library, tidied up.

Each edit replaces one function by the form that `ast.unparse` gives it, comments and line
breaks gone. The program stays the same, the text does not.
"""

import ast
import sysconfig
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import chain, islice, pairwise
from pathlib import Path

from batchpatch.lines import line_starts
from batchpatch.patch import Batch, Patch

_EDITS_PER_MODULE = 8
_MIN_PATCHES = 2
_MAX_FUNCTION_LINES = 200  # difflib takes quadratic time
_MAX_FILE_BYTES = 512 * 1024


def edits_from_stdlib(limit: int = 500) -> list[Batch]:
    """Return edits of the installed standard library, always the same, in module order."""
    modules = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    return list(islice(chain.from_iterable(map(_edits_of, modules)), limit))


def _edits_of(module: Path) -> Iterator[Batch]:
    """Yield the first few edits of a module that consist of several patches."""
    try:
        document = module.read_bytes().decode()
        tree = ast.parse(document)
    except (OSError, UnicodeDecodeError, SyntaxError):
        return
    if "\r" in document or len(document) > _MAX_FILE_BYTES:
        return
    functions = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    edits = (_edit(document, function, module.name) for function in functions if _short(function))
    several = (edit for edit in edits if len(edit.patches) >= _MIN_PATCHES)
    yield from islice(several, _EDITS_PER_MODULE)


def _short(function: ast.FunctionDef) -> bool:
    return (function.end_lineno or 0) - function.lineno < _MAX_FUNCTION_LINES


def _edit(document: str, function: ast.FunctionDef, module: str) -> Batch:
    starts = line_starts(document)
    first = min((node.lineno for node in function.decorator_list), default=function.lineno)
    start, end = starts[first - 1], starts[function.end_lineno or function.lineno]
    tidied = ast.unparse(function) + "\n"
    expected = document[:start] + tidied + document[end:]
    patches = tuple(_patches(document[start:end], tidied, start))
    return Batch(document, patches, expected, f"{module} {function.name}")


def _patches(old: str, new: str, offset: int) -> Iterator[Patch]:
    """Yield the difference of two texts line by line, the old one standing at `offset`."""
    a, b = line_starts(old), line_starts(new)
    matcher = SequenceMatcher(None, _split(old, a), _split(new, b), autojunk=False)
    for tag, a1, a2, b1, b2 in matcher.get_opcodes():
        if tag != "equal":
            yield Patch.between(offset + a[a1], offset + a[a2], new[b[b1] : b[b2]])


def _split(text: str, starts: list[int]) -> list[str]:
    return [text[start:end] for start, end in pairwise(starts)]
