"""Who tells a story through the API: asks, keeps the answers, and sends each command twice."""

import json
from collections.abc import Callable
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

from controlplane import ControlPlane
from controlplane.http.app import create_app
from controlplane.http.document import document
from controlplane.http.policy import POLICY
from controlplane.tokens import without_tokens
from events.timestamps import MINUTE
from tests.conftest import Clock
from tests.http.callers import client
from tests.journeys.traffic import batch
from tests.plane.outbox import Outbox

Told = dict[str, dict[str, Any]]


class Story:
    """Asks, and keeps the first answer of each operation."""

    def __init__(self, plane: ControlPlane, clock: Clock, outbox: Outbox) -> None:
        self.plane, self.clock, self.outbox = plane, clock, outbox
        self.told: Told = {}
        self.keys: list[str] = []
        self._paths: dict[str, tuple[str, str]] = {
            operation["operationId"]: (method.upper(), path)
            for path, operations in document(create_app(plane))["paths"].items()
            for method, operation in operations.items()
        }
        self._tagged = {
            operation["operationId"]: answer["content"]["application/json"]["schema"]["$ref"]
            for operations in document(create_app(plane))["paths"].values()
            for operation in operations.values()
            for answer in operation["responses"].values()
            if "ETag" in answer.get("headers", {})
        }
        self._client: TestClient = client(plane, dev=True)

    def tell(self, operation: str, body: Any = None, *, by: str = "ana", **names: Any) -> Any:
        """Ask it; names that are not in the path are of the query."""
        method, path = self._paths[operation]
        query = {name: value for name, value in names.items() if f"{{{name}}}" not in path}
        for name, value in names.items():
            path = path.replace(f"{{{name}}}", str(value))
        headers = {"X-Actor": by}
        if POLICY[operation].command:
            headers["Idempotency-Key"] = f"key-{len(self.keys)}"

        def ask() -> Response:
            return self._client.request(method, path, params=query, json=body, headers=headers)

        answer = ask()
        assert answer.is_success, f"{operation}: {answer.status_code} {answer.text}"
        if POLICY[operation].command:
            self.keys.append(operation)
            self.tagged(operation, answer)
            self.sent_again(operation, ask)
        media_type = answer.headers["Content-Type"]
        if "json" not in media_type:
            return answer.text
        found = self.told.setdefault(operation, {} if body is None else {"asked": body})
        shown = without_tokens(json.dumps(answer.json()))
        found.setdefault("answered", {}).setdefault(media_type, json.loads(shown))
        return answer.json()

    def tagged(self, operation: str, answer: Response) -> None:
        """What shows something that has versions is tagged as that is when it is read."""
        form, shown = self._tagged.get(operation, "").rpartition("/")[2], answer.json()
        if not form:
            assert "ETag" not in answer.headers, operation
            return
        name = shown["name" if form == "Flag" else "id"]
        read = self._client.get(f"/api/v1/{form.lower()}s/{name}")
        assert answer.headers["ETag"] == read.headers["ETag"], operation

    def sent_again(self, operation: str, ask: Callable[[], Response]) -> None:
        """Under the same key it is answered once more, and not done again."""
        head = self.plane.head()
        again = ask()
        assert again.is_success, f"{operation}, sent again: {again.status_code} {again.text}"
        assert again.headers.get("Idempotency-Replayed") == "true", operation
        assert self.plane.head() == head, operation

    def measured(self, minutes: int = 40, executions: int = 200) -> None:
        """Time goes by and nothing fails."""
        for _ in range(minutes // 10):
            self.clock.advance(10 * MINUTE)
            self.plane.executions.record([batch(ms=41) for _ in range(executions // 4)])
            self.plane.tick()
