"""Tokens at the terminal."""

from controlplane import ControlPlane
from controlplane.tokens import parse
from tests.cli.conftest import Terminal

ISSUE = ("access", "issue", "--owner", "ben", "--role", "approver")


def test_a_token_stands_alone_on_standard_output(terminal: Terminal) -> None:
    """So that a script can take it: TOKEN=$(controlplane access issue …)."""
    said = terminal.run(*ISSUE)
    (text,) = said.stdout.splitlines()
    token = parse(text)
    assert token is not None
    assert said.stderr.startswith(f"Token {token.id} of ben (approver), valid until ")
    with ControlPlane(terminal.database) as plane:
        assert plane.access.authenticate(text).actor.id == "ben"


def test_as_json_it_is_all_in_one_document(terminal: Terminal) -> None:
    issued = terminal.data(*ISSUE)
    assert (issued["owner"], issued["roles"]) == ("ben", ["approver"])
    assert parse(issued["text"]) is not None
