"""What docs/sdk.md shows runs as it is set."""

import re
from pathlib import Path

from openfeature import api

from controlplane import ControlPlane
from controlplane.client.status import Status
from events import BatchExecuted
from tests.client.conftest import FLAG
from tests.client.standin import StandIn
from tests.house.sources import ROOT

PAGE = (ROOT / "docs" / "sdk.md").read_text(encoding="utf-8")


def test_the_examples_run_from_top_to_bottom(
    server: StandIn, served: ControlPlane, tmp_path: Path
) -> None:
    code = "".join(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
    code = code.replace("http://127.0.0.1:9000", server.url)
    code = code.replace("/var/lib/myapp/flags", str(tmp_path))
    names: dict[str, object] = {}
    exec(compile(code + "client.close()\n", "docs/sdk.md", "exec"), names)  # noqa: S102  why: ours
    api.clear_providers()
    told = [event.event for event in served.events(type=BatchExecuted.TYPE)]
    assert [(one.flag, one.replace) for one in told if isinstance(one, BatchExecuted)] == [
        (FLAG, 2),
        (FLAG, 2),
    ]


def test_every_field_of_the_status_is_there() -> None:
    assert [name for name in Status.__dataclass_fields__ if f"`{name}`" not in PAGE] == []
