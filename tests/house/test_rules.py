"""The house rules that no linter knows. Each lists what breaks it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import PACKAGES, ROOT, everything, lines, name, sources, tree

LONGEST_FILE = 300
LONGEST_FUNCTION = 50
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
THE_CLOCK = "controlplane/clock.py"


def test_no_file_is_too_long_to_read_at_once() -> None:
    long = {name(path): sum(1 for _ in lines(path)) for path in sources()}
    assert {path: count for path, count in long.items() if count > LONGEST_FILE} == {}


def test_no_function_is_too_long_to_see_at_once() -> None:
    functions = (
        (f"{name(path)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1)
        for path in sources()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert {one: count for one, count in functions if count > LONGEST_FUNCTION} == {}


def test_every_module_is_named_for_what_it_is_about() -> None:
    named = [name(path) for path in everything() if {path.stem, *path.parts} & SAYS_NOTHING]
    assert named == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [name(path) for path in sources() if not ast.get_docstring(tree(path))]
    assert silent == []


def test_every_package_is_typed() -> None:
    assert [package for package in PACKAGES if not (ROOT / package / "py.typed").exists()] == []


def exported(path: Path) -> list[str]:
    for node in tree(path).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            found: list[str] = ast.literal_eval(node.value)
            return found
    return []


def test_what_is_exported_is_sorted() -> None:
    def order(word: str) -> tuple[bool, bool, str]:
        return not word.isupper(), not word[0].isupper(), word

    unsorted = [
        name(path) for path in sources() if exported(path) != sorted(exported(path), key=order)
    ]
    assert unsorted == []


BANNED = {
    "time": {"time", "time_ns"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "uuid": {"uuid1", "uuid4", "uuid6", "uuid7"},
    "os": {"urandom"},
}


def asks_the_edge(node: ast.AST) -> bool:
    """Whether it reads the clock or draws by chance; `random.Random` is handed down, seeded."""
    match node:
        case ast.Attribute(value=ast.Name(id="random" | "secrets" as module), attr=attr):
            return (module, attr) != ("random", "Random")
        case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=attr):
            return attr in BANNED.get(owner, ())
        case ast.ImportFrom(module="random" | "secrets", names=names):
            return {alias.name for alias in names} != {"Random"}
        case ast.ImportFrom(module=str(module), names=names):
            return bool({alias.name for alias in names} & BANNED.get(module, set()))
        case _:
            return False


def test_only_the_clock_reads_the_clock_and_draws_by_chance() -> None:
    found = [
        f"{name(path)}:{node.lineno}"
        for path in sources()
        for node in ast.walk(tree(path))
        if asks_the_edge(node)
    ]
    assert [one for one in found if not one.startswith(THE_CLOCK)] == []
    assert [one for one in found if one.startswith(THE_CLOCK)], "the test has gone blind"


@pytest.mark.parametrize(
    "code",
    [
        "time.time()",
        "datetime.datetime.now()",
        "datetime.now(UTC)",
        "f(default_factory=uuid.uuid4)",
        "from time import time_ns",
        "from uuid import uuid4",
        "from random import choice",
        "random.random()",
        "secrets.token_hex()",
    ],
)
def test_asking_the_edge_is_seen_in_any_form(code: str) -> None:
    assert any(asks_the_edge(node) for node in ast.walk(ast.parse(code)))


EXCEPTION = re.compile(r"#\s*(noqa|type:\s*ignore)")
REASON = re.compile(
    r"(# noqa: [A-Z0-9, ]+?|# type: ignore\[[a-z, -]+\]) +(# )?why: \s*\S",
)


def exceptions() -> Iterator[tuple[str, str]]:
    for path in everything():
        if path.name != "test_rules.py":  # It quotes some.
            yield from ((at, line) for at, line in lines(path) if EXCEPTION.search(line))


def test_every_exception_from_a_rule_has_its_reason_beside_it() -> None:
    assert [at for at, line in exceptions() if not REASON.search(line)] == []


@pytest.mark.parametrize(
    ("line", "explained"),
    [
        ("x = 1  # noqa: S101  why: a test", True),
        ("x = 1  # noqa: S101, S603  why: our own program", True),
        ("x = 1  # type: ignore[arg-type]  # why: checked going in", True),
        ("x = 1  # noqa: S101", False),
        ("x = 1  # noqa", False),
        ("x = 1  # noqa: S101  why:", False),
        ("x = 1  # type: ignore[arg-type]", False),
        ("x = 1  # type: ignore", False),
    ],
)
def test_a_reason_is_told_from_none(line: str, *, explained: bool) -> None:
    assert EXCEPTION.search(line)
    assert bool(REASON.search(line)) is explained


def test_nothing_is_left_for_later() -> None:
    later = re.compile(r"\b(FIX" r"ME|TO" r"DO|X" r"XX)\b")
    assert [at for path in everything() for at, line in lines(path) if later.search(line)] == []
