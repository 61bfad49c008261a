"""Whatever has a name that people meet is named in the documentation."""

from collections.abc import Iterable
from functools import cache

from controlplane import ControlPlane
from controlplane.exposition import PlaneCollector
from controlplane.http.app import create_app
from controlplane.http.document import document
from controlplane.migrations.upgrade import HEAD
from controlplane.rules.catalog import RULES
from controlplane.settings import Settings
from events.catalog import CATALOG
from tests.cli.commands import commands
from tests.house.sources import ROOT


@cache
def documentation() -> str:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


def missing(names: Iterable[str]) -> str:
    """A sentence to act on; empty where nothing is missing."""
    absent = [name for name in names if name not in documentation()]
    return f"Named nowhere in README.md or docs/: {', '.join(absent)}" if absent else ""


def metric_families() -> list[str]:
    with ControlPlane("memory://") as plane:
        families = list(PlaneCollector(plane).collect())
    return [f.name + "_total" * (f.type == "counter") for f in families]


def test_every_event_is_documented() -> None:
    assert missing(CATALOG) == ""


def test_every_setting_is_documented() -> None:
    prefix = Settings.model_config["env_prefix"]
    assert missing(f"{prefix}{field}".upper() for field in Settings.model_fields) == ""


def test_every_metric_is_documented() -> None:
    assert missing(metric_families()) == ""


def test_the_newest_schema_is_documented() -> None:
    assert missing([f"is at schema {HEAD}"]) == ""


def test_every_command_is_documented() -> None:
    assert missing(f"controlplane {' '.join(words)}" for words in commands()) == ""


def test_every_route_is_documented() -> None:
    with ControlPlane("memory://") as plane:
        routes = [
            f"{method.upper()} {path.removeprefix('/api/v1')}"
            for path, methods in document(create_app(plane))["paths"].items()
            for method in methods
        ]
    assert len(routes) > 90
    spoken = documentation().replace("`, `", " ").replace("/api/v1", "")
    assert [route for route in routes if route not in spoken] == []


def test_every_alert_rule_is_documented() -> None:
    assert missing(RULES) == ""
