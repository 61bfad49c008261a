"""Asks a live server for whatever its OpenAPI document allows: python -m tests.http.fuzzing.

Every argument goes to `schemathesis run`. The server has one of everything that the examples of
the document speak of. What ends things is asked of another one, lest the rest find them ended.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from controlplane import ControlPlane
from controlplane.http.gate import GateSettings
from controlplane.http.server import ApiServer, Listening
from tests.http.fuzzing_hooks import OWN_TOKEN
from tests.journeys.traffic import ENGINEER, FLAG, batch

HERE = Path(__file__).parent
UNLIMITED = GateSettings(
    requests_per_second=1e6, burst=1e6, attempts_per_second=1e6, attempts_burst=1e6
)
ENDS_THINGS = (
    *("abort_rollout", "admin_flags", "archive_flag", "disable_flag", "set_percentage"),
    *("lift_freeze", "remove_webhook", "resolve_alert", "close_review", "revoke_token"),
    *("reject_proposal", "withdraw_proposal", "withdraw_override", "reject_start"),
)
TELL_IDS = (
    *("list_flags", "list_rollouts", "list_proposals", "list_alerts", "list_freezes"),
    *("list_tokens", "list_reviews", "list_webhooks"),
)
SECRETS = {"CONTROLPLANE_WEBHOOK_SECRET_DEPLOYS": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}


def furnish(plane: ControlPlane) -> None:
    """Make one of everything, under the names that the examples have."""
    plane.flags.create(FLAG, owner="patch-team", actor=ENGINEER)
    plane.flags.break_glass(FLAG, 5, actor="cleo", reason="INC-1")  # review-1, and its alert.
    plane.executions.record([batch(failed=n < 150) for n in range(300)])
    plane.alerts.watch()
    plane.alerts.resolve(f"{FLAG}/ERROR_RATE_CRITICAL/1", actor="cleo", reason="mended")
    rollout = plane.rollouts.start(flag=FLAG, actor=ENGINEER).id
    plane.rollouts.request_override(rollout, "error_rate", actor=ENGINEER, reason="INC-2")
    plane.rollouts.skip(rollout, actor=ENGINEER, reason="INC-3")
    for number in range(9):
        furnish_with_a_rollout(plane, f"other-{number}", number % 3)
        plane.access.issue(owner=f"bot-{number}", roles="viewer", actor=ENGINEER)
    for _ in range(3):
        plane.freezes.declare(reason="peak", flags=[FLAG], actor=ENGINEER)
    for number in range(3):
        url = f"https://hooks.example.com/{number}"
        plane.webhooks.register(url, secret="deploys", types=["flag.*"], actor=ENGINEER)  # noqa: S106  why: its name


def furnish_with_a_rollout(plane: ControlPlane, flag: str, stage: int) -> None:
    """One that waits for approval, one that runs and is held, or one that is over."""
    plane.flags.create(flag, owner="patch-team", actor=ENGINEER)
    rollout = plane.rollouts.draft(flag=flag, actor=ENGINEER).id
    if stage == 0:
        plane.rollouts.submit(rollout, actor=ENGINEER)
        return
    plane.rollouts.start(rollout=rollout, actor=ENGINEER)
    if stage == 1:
        plane.rollouts.skip(rollout, actor=ENGINEER, reason="INC-4")
        plane.rollouts.pause(rollout, actor=ENGINEER, reason="INC-4")
    else:
        plane.rollouts.abort(rollout, actor=ENGINEER, reason="INC-4")


@contextmanager
def furnished() -> Iterator[tuple[str, str, str]]:
    """A server, and an admin's token: its address, the token's id and text."""
    os.environ.update(SECRETS)
    with ControlPlane("memory://") as plane:
        furnish(plane)
        admin = plane.access.issue(owner="ben", roles="admin", actor=ENGINEER)
        server = ApiServer(plane, Listening(port=0), UNLIMITED)
        server.start()
        yield server.url, admin.token.id, admin.text
        server.close()


def fuzz(folder: Path, *options: str) -> tuple[bool, str]:
    """Let Schemathesis loose on two servers; whether it found nothing, and what it printed."""
    most = [f"--exclude-operation-id={name}" for name in ENDS_THINGS]
    rest = [f"--include-operation-id={name}" for name in (*ENDS_THINGS, *TELL_IDS)]
    runs = [run(folder, *chosen, *options) for chosen in (most, rest)]
    told = "".join(one.stdout + one.stderr for one in runs)
    return not any(one.returncode for one in runs), told


def run(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Once, on a server of its own."""
    with furnished() as (url, token, text):
        command = [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", str(HERE / "schemathesis.toml"), "--no-color"),
            *("run", f"{url}/api/v1/openapi.json", "--header", f"Authorization: Bearer {text}"),
            *("--checks", "all", "--generation-database", "none"),
            *("--exclude-path-regex", "/stream", *options),  # They do not end.
        ]
        environment = os.environ | {
            OWN_TOKEN: token,
            "SCHEMATHESIS_HOOKS": "tests.http.fuzzing_hooks",
        }
        return subprocess.run(  # noqa: S603  why: our own command
            command, cwd=folder, env=environment, text=True, capture_output=True, check=False
        )


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    passed, told = fuzz(Path.cwd(), *sys.argv[1:])
    sys.stdout.write(told)
    sys.exit(not passed)
