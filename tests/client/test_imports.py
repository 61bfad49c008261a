"""What an application pays for the client: nothing of the server."""

import subprocess
import sys

import pytest

SERVER = {
    *("sqlalchemy", "alembic", "sqlite3", "psycopg", "pydantic", "pydantic_core"),
    *("pydantic_settings", "fastapi", "starlette", "uvicorn", "uvloop", "httptools", "httpx"),
    *("typer", "rich", "yaml"),
    *("apscheduler", "prometheus_client", "dateutil", "openfeature"),
}  # fmt: skip
OURS = {
    *("controlplane", "controlplane.bucketing", "controlplane.clock", "controlplane.errors"),
    *("controlplane.executions", "controlplane.targeting", "controlplane.client"),
    *("events", "events.errors", "events.event", "events.executions", "events.flags"),
    *("controlplane.values", "events.timestamps"),
    *("projections", "projections.flags", "projections.projection"),
}  # fmt: skip


def imported(statement: str) -> set[str]:
    check = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run(  # noqa: S603  why: our own words
        [sys.executable, "-c", check], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_client_imports_nothing_of_the_server() -> None:
    modules = imported("import controlplane.client")
    assert modules & SERVER == set()
    ours = {
        name for name in modules if name.split(".")[0] in ("controlplane", "events", "projections")
    }
    assert {name for name in ours if not name.startswith("controlplane.client.")} == OURS


def test_openfeature_is_imported_by_who_uses_it_and_brings_no_server() -> None:
    modules = imported("import controlplane.client.openfeature")
    assert "openfeature" in modules
    assert modules & (SERVER - {"openfeature"}) == set()


@pytest.mark.parametrize("module", ["requests", "httpx2", "aiohttp"])
def test_there_is_one_way_to_speak_http(module: str) -> None:
    assert module not in imported("import controlplane.client")
