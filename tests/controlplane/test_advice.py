"""A refusal names a command to whoever is at the terminal, a route to whoever asks over HTTP."""

import ast
import pkgutil
import re
import string
from importlib import import_module

import pytest
from starlette.routing import Match

import controlplane
import events
import projections
from controlplane import ControlPlane
from controlplane.advice import ADVICE, at_terminal, over_http
from controlplane.errors import ControlPlaneError, FlagNotFound
from controlplane.http.app import create_app
from tests.cli.commands import commands
from tests.house.sources import name, sources, tree
from tests.http.callers import client

COMMAND = re.compile(r"controlplane (?:\{|[a-z-]+ [a-z{-])")


def errors(base: type[ControlPlaneError] = ControlPlaneError) -> list[type[ControlPlaneError]]:
    """Every class there is, wherever it is defined."""
    for package in (controlplane, events, projections):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith("errors"):
                import_module(module.name)
    return [base, *(each for cls in base.__subclasses__() for each in errors(cls))]


class Facts(dict[str, object]):
    """Something for each name in a message."""

    def __missing__(self, key: str) -> object:
        return 5.0 if key in NUMBERS else "f/R/1" if key == "alert" else "x"


NUMBERS = ("percentage", "planned", "served", "seconds")


def example(error: type[ControlPlaneError]) -> ControlPlaneError:
    advice = ADVICE.get(error)
    texts = [error.__doc__ or "", *((advice.command, advice.route) if advice else ())]
    names = {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}
    return error(**{name: Facts()[name] for name in names})


@pytest.mark.parametrize("error", errors())
def test_no_message_names_a_command_by_itself(error: type[ControlPlaneError]) -> None:
    said = str(example(error))
    assert not COMMAND.search(said)
    assert "/api/v1" not in said


def test_nor_does_what_is_refused_far_from_the_terminal() -> None:
    """Its own slices, and keys, which are files, may; they are met nowhere else."""
    elsewhere = [
        path
        for path in sources()
        if not name(path).startswith(("controlplane/cli/", "controlplane/checkpoints.py"))
    ]
    raised = [
        f"{name(path)}:{text.lineno}: {text.value}"
        for path in elsewhere
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Raise)
        for text in ast.walk(node)
        if isinstance(text, ast.Constant) and COMMAND.search(str(text.value))
    ]
    assert raised == []


@pytest.mark.parametrize("error", ADVICE)
def test_what_is_advised_at_the_terminal_is_a_command_there(
    error: type[ControlPlaneError],
) -> None:
    said = at_terminal(example(error))
    assert "/api/v1" not in said
    words = said.partition("controlplane ")[2].removesuffix(".").split()
    found = [known for known in commands() if words[: len(known)] == list(known)]
    assert found, said
    options = {word for word in words if word.startswith("-")}
    assert options <= commands()[found[0]], said


@pytest.mark.parametrize("error", ADVICE)
def test_what_is_advised_over_http_is_a_route_there(error: type[ControlPlaneError]) -> None:
    said = over_http(example(error))
    found = re.search(r": (GET|POST) (/api/v1/[^ ?.,]+)", said)
    assert found is not None, said
    with ControlPlane("memory://") as plane:
        routes = create_app(plane).routes
    scope = {"type": "http", "method": found[1], "path": found[2]}
    assert any(route.matches(scope)[0] is Match.FULL for route in routes), said


def test_each_is_told_what_they_can_do() -> None:
    refused = FlagNotFound(flag="checkout")
    assert str(refused) == "There is no flag checkout. Create it, or see which there are."
    assert at_terminal(refused).endswith(
        "are: controlplane flags create checkout --owner TEAM, or controlplane flags list."
    )
    with ControlPlane("memory://") as plane:
        answer = client(plane, dev=True).get("/api/v1/flags/checkout").json()
    assert answer["detail"] == (
        "There is no flag checkout. Create it, or see which there are: "
        'POST /api/v1/flags {"name": "checkout", "owner": "TEAM"}, or GET /api/v1/flags.'
    )


def test_who_is_advised_is_told_to_do_something() -> None:
    """What is done follows a colon: the message ends with it, and with a full stop."""
    assert [e.__name__ for e in ADVICE if not (e.__doc__ or "").rstrip().endswith(".")] == []
