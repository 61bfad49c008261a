"""What docs/rehearsal.md shows in Python and as a file is so."""

import re

from controlplane.rules.tuning import parse
from controlplane.strict_yaml import load
from tests.house.sources import ROOT

PAGE = (ROOT / "docs" / "rehearsal.md").read_text(encoding="utf-8")


def test_its_python_does_what_it_says() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(code.replace('"examples', f'"{ROOT}/examples'), "rehearsal.md", "exec"), {})  # noqa: S102  why: our own page


def test_its_rules_are_rules() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert set(parse(load(text))) == {
        "ERROR_RATE_CRITICAL",
        "SLOW_BATCH_DETECTED",
        "MEMORY_LEAK_DETECTED",
    }
