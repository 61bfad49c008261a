"""Where the record room ends: what it does not import, and the addresses it does not know."""

import subprocess
import sys

import pytest

from events.database import Database
from events.errors import ControlPlaneError, LogUnavailable, VersionConflict

PURE = [
    *("events", "events.codec", "events.log", "events.chain"),
    *("events.flags", "events.rollouts", "events.judgements", "events.freezes", "events.webhooks"),
]


@pytest.mark.parametrize("module", PURE)
def test_importing_what_is_pure_imports_no_database(module: str) -> None:
    check = (
        f"import sys, {module}; "
        "print(*({'sqlalchemy', 'sqlite3', 'psycopg', 'alembic'} & set(sys.modules)))"
    )
    done = subprocess.run(  # noqa: S603  why: our own words
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("", "parse"),
        ("nonsense", "parse"),
        ("oracle://host/name", "oracle is neither sqlite nor postgresql"),
        ("postgres://host/name", "postgres"),
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
    ],
)
def test_an_address_that_cannot_be_opened_is_refused_at_once(url: str, cause: str) -> None:
    with pytest.raises(LogUnavailable, match=cause):
        Database(url)


def test_postgresql_is_reached_through_its_one_driver_whatever_the_address_says() -> None:
    for scheme in ("postgresql", "postgresql+psycopg", "postgresql+asyncpg"):
        assert Database(f"{scheme}://host/name").url.drivername == "postgresql+psycopg"


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////no/such/folder/log.db",
        "postgresql://127.0.0.1:1/log",
        "postgresql:///log?host=/no/such/folder",
    ],
)
def test_a_database_that_is_not_there_is_an_unavailable_log(url: str) -> None:
    database = Database(url)
    with pytest.raises(LogUnavailable, match="cannot be reached"), database.read():
        pass


def errors(base: type[ControlPlaneError]) -> list[type[ControlPlaneError]]:
    return [base, *(each for cls in base.__subclasses__() for each in errors(cls))]


def test_an_error_says_its_docstring_with_the_details_filled_in() -> None:
    conflict = VersionConflict(stream="flag-a", expected=1, actual=2)
    assert str(conflict) == (
        "Stream flag-a is at version 2, not 1: somebody changed it first. "
        "Read it again and decide anew."
    )
    assert conflict.details == {"stream": "flag-a", "expected": 1, "actual": 2}


@pytest.mark.parametrize("error", errors(ControlPlaneError))
def test_every_error_is_a_sentence_and_has_a_status(error: type[ControlPlaneError]) -> None:
    assert (error.__doc__ or "").rstrip().endswith((".", "}", "safe."))
    assert 400 <= error.status < 600
