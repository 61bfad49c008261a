"""The OpenAPI document promises what the server keeps: Schemathesis asks whatever it allows.

No 5xx, no answer that is not in the document, nothing that differs from its schema. More of the
same, for as long as one likes: make fuzz.
"""

import re
from pathlib import Path

import pytest

from tests.http.fuzzing import fuzz


@pytest.mark.timeout(200)
def test_whatever_the_document_allows_is_answered_as_it_says(tmp_path: Path) -> None:
    phases = "examples,coverage,fuzzing"
    passed, told = fuzz(tmp_path, "--seed", "20261124", "--max-examples", "3", "--phases", phases)
    assert passed, told[-10_000:]
    asked = sum(map(int, re.findall(r"Tested: (\d+)", told)))
    assert asked > 95, "it asks of every operation but the streams"
