"""The house, file by file."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("controlplane", "events", "projections", "examples/batchpatch")


@cache
def sources() -> tuple[Path, ...]:
    """Every module of ours that is shipped; migrations, once written, stay as they are."""
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return tuple(sorted(path for path in found if path.parent.name != "versions"))


@cache
def everything() -> tuple[Path, ...]:
    """The tests and benchmarks, too."""
    folders = (ROOT / "tests", ROOT / "benchmarks")
    return (*sources(), *(path for folder in folders for path in sorted(folder.rglob("*.py"))))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """Where, and what stands there."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        yield f"{name(path)}:{number}", line
