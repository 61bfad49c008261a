from collections.abc import Iterator

import pytest

from events.database import Database


@pytest.fixture
def empty(empty_url: str) -> Iterator[Database]:
    database = Database(empty_url)
    yield database
    database.close()
