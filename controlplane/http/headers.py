"""What the headers of a request say: who asks, from where, under which key, on what condition."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import Request

from controlplane.access_errors import NotAuthenticated
from controlplane.errors import InvalidInput
from controlplane.http.pasted import refuse_token
from controlplane.permissions import PERMISSIONS
from controlplane.plane.tokens import Caller
from events.event import Actor
from events.log import can_be_stored

_LONGEST_KEY = 255


def address_of(request: Request) -> str:
    """Where a request comes from, as the server sees it."""
    return request.client.host if request.client else "unknown"


def token_in(request: Request) -> str:
    """The text of a token. Raises NotAuthenticated where there is none."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and given.strip():
        return given.strip()
    if key := request.headers.get("X-API-Key"):
        return key
    raise NotAuthenticated(reason="Nobody said who asks")


def of_this_machine(request: Request) -> Caller:
    """Whoever asks where all is open: programs of this machine, not pages in its browser.

    A page from elsewhere can make a browser send requests here, under a name of its own too.
    """
    host = _host(f"//{request.headers.get('Host', '')}")
    origin = request.headers.get("Origin")
    site = request.headers.get("Sec-Fetch-Site", "none")
    if not is_loopback(host):
        raise NotAuthenticated(reason=f"With --dev only this machine is answered, not as {host!r}")
    if site not in ("none", "same-origin") or (
        origin is not None and origin.partition("//")[2] != request.headers.get("Host")
    ):
        raise NotAuthenticated(reason="With --dev no page from elsewhere is answered")
    name = _actor_in(request) or "dev"
    return Caller(Actor.person(name), frozenset(PERMISSIONS), roles=("admin",))


def _actor_in(request: Request) -> str:
    """A name in UTF-8, as terminals send it, of which HTTP says nothing."""
    try:
        name = request.headers.get("X-Actor", "").encode("latin-1").decode().strip()
    except UnicodeDecodeError as error:
        raise InvalidInput(reason="X-Actor is not in UTF-8") from error
    if not can_be_stored(name):
        raise InvalidInput(reason="X-Actor holds characters that cannot be printed")
    refuse_token(name)
    return name[:200]


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    if host.lower() in ("localhost", "localhost.") or host.lower().endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def key_of(request: Request) -> str:
    """The Idempotency-Key, which may be empty. Raises InvalidInput."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > _LONGEST_KEY:
        raise InvalidInput(reason=f"an Idempotency-Key has at most {_LONGEST_KEY} characters")
    return key


def expected_by(request: Request) -> int | None:
    """The version in If-Match. Raises InvalidInput."""
    given = request.headers.get("If-Match")
    if given is None:
        return None
    version = given.strip().strip('"')
    if not (version.isascii() and version.isdigit()) or len(version) > 18:  # noqa: PLR2004  why: digits of 2^63
        raise InvalidInput(reason='If-Match takes the ETag of what was read, as in "7"')
    return int(version)
