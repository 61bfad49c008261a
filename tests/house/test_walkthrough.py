"""What the walk through an incident shows is what its commands say."""

import shutil

import pytest

from tests.house.walkthrough import PAGE, masked, recreated


@pytest.mark.skipif(shutil.which("bash") is None, reason="without bash")
def test_the_page_is_what_its_commands_say() -> None:
    """`make docs` writes it anew."""
    page = PAGE.read_text(encoding="utf-8")
    assert masked(recreated(page)) == masked(page)
