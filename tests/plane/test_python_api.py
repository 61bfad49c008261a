"""The Python API, as the README shows it."""

import sys
from pathlib import Path

import pytest

from controlplane import FOUR_WAVES, ControlPlane
from controlplane.errors import InvalidInput
from controlplane.plans import read
from events.errors import LogUnavailable, OutcomeUnknown
from events.timestamps import HOUR
from tests.conftest import PostgreSQL
from tests.journeys.traffic import Clock, Service, batch

PLAN = """
name: two-steps
waves:
  - {name: few, percentage: 10, hold: 24h, criteria: &all [{kind: rate_below, bound: 0.05}]}
  - {name: everyone, percentage: 100, hold: 24h, criteria: *all}
"""


def test_the_calls_of_the_readme_work_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.yaml").write_text(PLAN)
    plan = "plan.yaml"
    plane = ControlPlane("sqlite:///rollout.db", clock=clock)
    plane.flags.create("batch-patches-v1", owner="patch-team", actor="release-engineer")
    plane.flags.enable("batch-patches-v1", percentage=10, actor="release-engineer", reason="wave 1")
    answer = plane.flags.is_enabled("batch-patches-v1", "user-17", {"group": "internal"})
    assert answer is plane.flags.explain("batch-patches-v1", "user-17").enabled
    rollout = plane.rollouts.start(plan, flag="batch-patches-v1", actor="release-engineer")
    clock.advance(24 * HOUR)
    Service(plane, clock).runs(200, over=24 * HOUR)
    plane.tick()
    status = plane.rollouts.status(rollout.id)
    assert status.rollout.proposal is not None
    proposal_id = status.rollout.proposal.id
    promoted = plane.rollouts.approve(proposal_id, actor="on-call")
    assert (promoted.wave_name, plane.flags.get("batch-patches-v1").percentage) == ("everyone", 100)
    assert plane.alerts.open() == []
    assert {e.actor.id for e in plane.events(actor="on-call")} == {"on-call"}
    assert len(plane.events(stream="flag-batch-patches-v1", type="flag.created")) == 1
    assert plane.verify() == plane.head()
    plane.close()
    assert (tmp_path / "rollout.db").exists()


@pytest.mark.parametrize("form", ["plan", "data", "path", "text", "default"])
def test_a_plan_may_be_given_in_any_form(tmp_path: Path, form: str, kept: ControlPlane) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text(PLAN)
    given = {
        "plan": {"plan": read(file)},
        "data": {"plan": read(file).to_json()},
        "path": {"plan": file},
        "text": {"plan": str(file)},
        "default": {},
    }[form]
    rollout = kept.rollouts.start(**given, flag="batch-patches-v1", actor="release-engineer")
    wanted = FOUR_WAVES if form == "default" else read(file)
    assert rollout.plan_hash == wanted.digest()


def test_memory_keeps_nothing() -> None:
    with ControlPlane("memory://") as plane:
        plane.flags.create("f", owner="o", actor="a")
        assert plane.verify().position == 1
    with ControlPlane("memory://") as plane:
        assert plane.flags.all() == []


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("sqlite://", LogUnavailable),
        ("sqlite:///:memory:", LogUnavailable),
        ("sqlite:////nowhere/at/all.db", LogUnavailable),
        ("sqlite:////", LogUnavailable),
        ("mysql://localhost/x", LogUnavailable),
        ("memory:///", LogUnavailable),
        ("not an address", LogUnavailable),
        ("sqlite+nonsense:///x.db", LogUnavailable),
        ("postgresql://localhost:1/x", LogUnavailable),
        ("postgresql://localhost:port/x", InvalidInput),
    ],
)
def test_a_bad_address_is_refused(url: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        ControlPlane(url)


def test_a_refused_address_does_not_tell_the_password() -> None:
    with pytest.raises(LogUnavailable) as refusal:
        ControlPlane("postgresql://user:s3cret@localhost:1/x")
    assert "s3cret" not in str(refusal.value)


def test_the_address_is_shown_without_its_password_and_its_options(kept: ControlPlane) -> None:
    secret = {"username": "user", "password": "s3cret", "query": {"passfile": "s3cret"}}
    kept._database.url = kept._database.url.set(**secret)
    assert "user:***@" in kept.safe_url
    assert "s3cret" not in kept.safe_url
    assert "?" not in kept.safe_url


def test_who_cannot_reach_the_log_is_told_nothing_about_appends() -> None:
    with pytest.raises(LogUnavailable, match=r"^The event log cannot be reached: ") as refusal:
        ControlPlane("postgresql://localhost:1/x")
    assert "append" not in str(refusal.value)
    assert not isinstance(refusal.value, OutcomeUnknown)


def test_an_append_that_fails_says_how_to_go_on(postgres: PostgreSQL) -> None:
    name = postgres.create()
    with ControlPlane(postgres.address(name)) as plane:
        plane.flags.create("f", owner="o", actor="a")
        postgres.drop(name)
        with pytest.raises(OutcomeUnknown) as failure:
            plane.executions.record([batch(flag="f")])
    told = "Whether it was kept is unknown; append again with the same event ids"
    assert told in " ".join(str(failure.value).split())


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg2"])
def test_where_the_driver_is_missing_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(LogUnavailable, match=r"pip install 'rollout-controlplane\[postgres\]'"):
        ControlPlane(f"{scheme}://localhost:1/x")


@pytest.mark.parametrize("name", ["bad name", "-x", "a\n", "x" * 64, "ä"])
def test_a_bad_environment_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="environment: String should match"):
        ControlPlane("memory://", environment=name)


def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONTROLPLANE_METRICS_PORT", "many")
    with pytest.raises(InvalidInput, match="metrics_port: Input should be a valid integer"):
        ControlPlane("memory://")


def test_settings_come_from_the_environment_unless_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONTROLPLANE_DATABASE_URL", f"sqlite:///{tmp_path / 'from-settings.db'}")
    monkeypatch.setenv("CONTROLPLANE_ENVIRONMENT", "staging")
    with ControlPlane() as plane:
        assert (plane.url[-16:], plane.environment) == ("from-settings.db", "staging")
    with ControlPlane("memory://", environment="test") as plane:
        assert (plane.url, plane.environment) == ("memory://", "test")


def test_environments_of_one_database_do_not_see_each_other(kept: ControlPlane) -> None:
    with ControlPlane(kept.url, environment="staging") as other:
        assert other.flags.all() == []
        assert other.head().position == 0
        other.flags.create("batch-patches-v1", owner="someone else", actor="a")
    assert kept.flags.get("batch-patches-v1").owner == "patch-team"


@pytest.mark.parametrize("actor", ["", "   ", "a\nb", "x" * 300])
def test_every_change_has_a_name_to_it(kept: ControlPlane, actor: str) -> None:
    head = kept.head()
    with pytest.raises((InvalidInput, Exception), match=r"say who acts|actor id"):
        kept.flags.enable("batch-patches-v1", percentage=1, actor=actor)
    assert kept.head() == head
