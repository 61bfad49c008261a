"""What is exported: the names of the first dashboards, a clean set, and bounds on both."""

import shutil
from subprocess import PIPE, Popen

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics

from controlplane import ControlPlane
from controlplane.metrics_server import MetricsServer
from controlplane.rules.catalog import RULES
from events.flags import Audience, Condition
from tests.http.scraping import OPENMETRICS, ask, scrape, series
from tests.journeys.traffic import ENGINEER, FLAG, Clock, Service, batch

SEED = """\
batch_patches_total{status="succeeded"} 1000
batch_patches_total{status="failed"} 10
patches_total{status="applied"} 5000
patch_operations_total{type="replace"} 2000
invariant_violations_total 0
batch_duration_ms{quantile="p99"} 385
memory_mb{type="current"} 125
"""
LEGACY = ("batch_duration_ms", "memory_mb")


def lines(text: str) -> list[str]:
    """Without comments, numbers in their shortest form."""
    parted = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return [f"{name} {float(value):.10g}" for name, _, value in parted]


def used(plane: ControlPlane, **facts: object) -> None:
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    plane.executions.record([batch(**facts)])


def test_the_lines_of_the_first_dashboards_are_there_to_the_letter(
    scraped: ControlPlane, server: MetricsServer
) -> None:
    used(scraped, patches_applied=5, replace=2, ms=385, memory_current_bytes=125_000_000)
    scraped.executions.record([
        *[batch(patches_applied=5, replace=2, ms=385) for _ in range(999)],
        *[batch(failed=True, ms=1) for _ in range(10)],
    ])  # fmt: skip
    found = lines(scrape(server))
    exact, rough = SEED.splitlines()[:5], SEED.splitlines()[5:]
    assert [line for line in exact if line not in found] == []
    for line in rough:
        name, _, value = line.rpartition(" ")
        (told,) = [one.rpartition(" ")[2] for one in found if one.startswith(f"{name} ")]
        assert float(told) == pytest.approx(float(value), rel=0.011)


def test_an_empty_plane_exports_every_series_at_zero(server: MetricsServer) -> None:
    found = lines(scrape(server))
    for name in (
        *[line.rpartition(" ")[0] for line in SEED.splitlines()[:5]],
        'batch_patches_total{status="rejected"}',
        'patches_total{status="failed"}',
        'patch_operations_total{type="insert"}',
        'patch_operations_total{type="delete"}',
        'invariant_check_failures_total{invariant="undo_restores"}',
        'layer_duration_seconds_count{layer="semantics"}',
        'batch_duration_seconds_bucket{le="0.4"}',
        'memory_mb{type="peak"}',
        'memory_bytes{type="current"}',
        "event_log_events_total",
        *[
            f'alerts_active{{alertname="{rule.name}",severity="{rule.severity}",state="firing"}}'
            for rule in RULES.values()
        ],
    ):
        assert f"{name} 0" in found


def test_who_was_turned_away_is_counted_whichever_path_they_are_told_under(
    scraped: ControlPlane, server: MetricsServer
) -> None:
    used(scraped, outcome="rejected")
    scraped.executions.record([batch("off", outcome="rejected"), batch("off"), batch("off")])
    found = lines(scrape(server))
    assert 'batch_patches_total{status="rejected"} 2' in found
    assert 'batch_patches_total{status="succeeded"} 0' in found


def test_a_flag_is_exported_at_the_widest_share_it_serves(
    scraped: ControlPlane, server: MetricsServer
) -> None:
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    beta = Audience("beta", (Condition("group", "equals", "beta"),))
    scraped.flags.enable(FLAG, percentage=80, audience=beta, actor=ENGINEER)
    scraped.flags.set_percentage(FLAG, 25, actor=ENGINEER)
    ratio = f'feature_flag_rollout_ratio{{flag="{FLAG}"}}'
    assert f"{ratio} 0.8" in lines(scrape(server))
    scraped.flags.disable(FLAG, actor=ENGINEER)
    assert f"{ratio} 0" in lines(scrape(server))


def test_the_targets_are_bounds_of_the_histogram(server: MetricsServer) -> None:
    text = scrape(server)
    for bound in ("0.05", "0.4", "0.5", "1.0"):
        assert f'batch_duration_seconds_bucket{{le="{bound}"}}' in text


def test_without_the_legacy_names_promtool_has_nothing_to_say(scraped: ControlPlane) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    used(scraped, violations={"atomic": 1})
    scraped.rollouts.start(flag=FLAG, actor=ENGINEER)
    server = MetricsServer(scraped, port=0, legacy=False)
    server.start()
    text = scrape(server)
    server.close()
    assert not [name for name in LEGACY if name in text]
    with Popen([promtool, "check", "metrics"], stdin=PIPE, stdout=PIPE, stderr=PIPE) as check:  # noqa: S603  why: found above
        told = b"".join(check.communicate(text.encode()))
    assert (check.returncode, told) == (0, b"")


def test_openmetrics_is_spoken_to_who_asks_for_it(
    scraped: ControlPlane, server: MetricsServer
) -> None:
    used(scraped)
    response, text = ask(server, Accept=OPENMETRICS)
    assert response.headers["Content-Type"].startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n")
    names = {family.name for family in openmetrics(text)}
    assert {"batch_patches", "batch_duration_seconds", *LEGACY} <= names


def test_the_content_type_is_the_one_prometheus_insists_on(server: MetricsServer) -> None:
    response, _ = ask(server)
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert "charset=utf-8" in response.headers["Content-Type"]


def test_rollout_and_alerts_are_exported(
    scraped: ControlPlane, server: MetricsServer, clock: Clock
) -> None:
    scraped.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    scraped.rollouts.start(flag=FLAG, actor=ENGINEER)
    Service(scraped, clock).runs(1, ms=1500)
    (alert,) = scraped.alerts.watch()
    found = lines(scrape(server))
    slow = 'alerts_active{alertname="SLOW_BATCH_DETECTED",severity="warning",state='
    assert f'feature_flag_rollout_ratio{{flag="{FLAG}"}} 0.1' in found
    assert f'rollout_wave{{flag="{FLAG}",state="entering"}} 1' in found
    assert {f'{slow}"firing"}} 1', f'{slow}"acknowledged"}} 0'} <= set(found)
    scraped.alerts.acknowledge(alert.id, actor="on-call")
    assert {f'{slow}"firing"}} 0', f'{slow}"acknowledged"}} 1'} <= set(lines(scrape(server)))


HOSTILE = [
    'quote"} 666\ninjected_total 1 #',
    "back\\slash",
    "new\nline",
    "carriage\rreturn",
    "nul\x00",
    "\x1b[31mred",
    "\u2028separator",
    "{}",
    "# HELP x",
    "other",
    "😀",
    "x" * 200,
]


@pytest.mark.parametrize("form", ["text", "openmetrics"])
def test_hostile_names_stay_inside_their_quotes(
    scraped: ControlPlane, server: MetricsServer, form: str
) -> None:
    used(scraped, violations=dict.fromkeys(HOSTILE, 1))
    if form == "text":
        found = series(scrape(server))
        assert ("injected_total", frozenset()) not in found
        for name in HOSTILE:
            key = frozenset({("invariant", name)})
            assert found["invariant_check_failures_total", key] == 1
        assert found["invariant_violations_total", frozenset()] == len(HOSTILE)
    else:
        _, text = ask(server, Accept=OPENMETRICS)
        assert "injected" not in {family.name for family in openmetrics(text)}


def test_strange_names_neither_grow_without_bound_nor_hide_the_known_ones(
    scraped: ControlPlane, server: MetricsServer
) -> None:
    used(scraped, violations={"undo_restores": 3, "zzz": 1})
    scraped.executions.record(batch(violations={f"!{n:05}": 1}) for n in range(3000))
    found = series(scrape(server))
    assert len(found) < 2000
    counts = {
        dict(labels)["invariant"]: value
        for (name, labels), value in found.items()
        if name == "invariant_check_failures_total"
    }
    assert len(counts) <= 51
    assert counts["undo_restores"] == 3
    assert counts["other"] == 3001 - (len(counts) - 8)
    assert sum(counts.values()) == found["invariant_violations_total", frozenset()] == 3004


def test_a_hundred_flags_stay_below_two_thousand_series(
    scraped: ControlPlane, server: MetricsServer
) -> None:
    for number in range(100):
        name = f"flag-{number}"
        scraped.flags.create(name, owner="o", actor="a")
        scraped.rollouts.start(flag=name, actor="a")
        scraped.executions.record([batch(flag=name), batch("off", flag=name)])
    assert len(series(scrape(server))) < 2000
