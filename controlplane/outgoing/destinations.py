"""Where requests may go: what a URL may say, and which addresses may be behind its name.

A name is looked up once, every address behind it is checked, and the connection is made to one of
those. A name that points elsewhere a moment later leads nowhere else.
"""

import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import parse_qsl, urlsplit

from controlplane.errors import InvalidInput

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Sequence[str]]
"""A host and a port → every address behind it."""

_PORTS = {"http": 80, "https": 443}
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_CREDENTIAL = re.compile(
    r"(?i)(.*[_-])?(token|secret|password|passwd|key|apikey|code|signature|sig|auth)"
)
_NO_URL = "this is no URL of the web: write https://HOST/PATH"
_ADVICE = "allow it in CONTROLPLANE_ALLOWED_DESTINATIONS if it is meant"

_NEAR = ("private", "loopback")
"""What an organisation has within its walls. The other kinds are nobody's web server."""

_KINDS = [
    (ip_network(network), kind)
    for kind, networks in {
        # First: some lie within private networks. A cloud's credentials are told there.
        "a cloud's metadata": "100.100.100.200 168.63.129.16 192.0.0.192 fd00:ec2::254",
        "unspecified": "0.0.0.0/8 ::",
        "loopback": "127.0.0.0/8 ::1",
        "private": "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 fc00::/7",
        "link-local": "169.254.0.0/16 fe80::/10",
        "multicast": "224.0.0.0/4 ff00::/8",
        "a tunnel": "192.88.99.0/24 2001::/32 2002::/16",
        "reserved": "192.0.0.0/24 192.0.2.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 "
        "240.0.0.0/4 2001::/23 2001:db8::/32 3fff::/20",
    }.items()
    for network in networks.split()
]
_GLOBAL = IPv6Network("2000::/3")
_TRANSLATED = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))
"""An IPv4 address in their last 32 bits is what is reached: IPv4-mapped, and NAT64."""
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """What may be reached beside the public internet over TLS."""

    hosts: frozenset[str] = frozenset()
    """May be at private and loopback addresses."""
    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    private: bool = False
    """Private and loopback addresses, whatever the name."""
    plain_http: bool = False
    """http:// beyond this very host."""


PUBLIC = Allowed()


@dataclass(frozen=True)
class Destination:
    """A URL, taken apart."""

    scheme: str
    host: str
    """In lower case, without brackets and without a dot at its end."""
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and port as a request names them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def read_allowed(text: str) -> Allowed:
    """`receiver.internal, 10.1.0.0/16, 127.0.0.1`: hosts and networks. Raises ValueError."""
    hosts, networks = set(), []
    for word in text.lower().replace(",", " ").split():
        try:
            networks.append(ip_network(word))
        except ValueError as error:
            name = word.removesuffix(".")
            if "/" in word or not _NAME.fullmatch(name) or _NUMBER.fullmatch(name.split(".")[-1]):
                raise ValueError(f"{word} is neither a host nor a network: {error}") from error
            hosts.add(name)
    return Allowed(hosts=frozenset(hosts), networks=tuple(networks))


def destination(url: str, allowed: Allowed) -> Destination:
    """What a URL says, as far as that may be. Names are not looked up. Raises InvalidInput."""
    if not (url.isascii() and url.isprintable()) or " " in url or "\\" in url:
        raise InvalidInput(reason=f"{_NO_URL}; other letters as %XX, and in a host as xn--…")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").removesuffix("."), parts.port
    except ValueError as error:
        raise InvalidInput(reason=_NO_URL) from error  # Which may tell what was meant to be secret.
    is_host = host and (":" in host or "[" not in parts.netloc)
    if parts.scheme not in _PORTS or not is_host or port == 0:
        raise InvalidInput(reason=_NO_URL)
    if parts.username is not None or parts.password is not None:
        raise InvalidInput(reason="a URL with a name or password in it would be recorded for ever")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    there = Destination(parts.scheme, host, port or _PORTS[parts.scheme], target)
    address = _literal(host)
    if address is not None:
        _check(there, [address], allowed)
    elif host == "localhost" or host.endswith(".localhost"):
        _check(there, [IPv4Address("127.0.0.1")], allowed)
    elif there.scheme == "http" and not allowed.plain_http:
        raise InvalidInput(reason=_in_the_open(host))
    return there


def refuse_credentials(url: str) -> None:
    """Raise InvalidInput for a URL whose query looks like a credential: URLs are recorded."""
    for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        if _CREDENTIAL.fullmatch(name):
            raise InvalidInput(
                reason=f"a URL with a {name} in it would be recorded for ever; "
                "what is sent is signed, so the receiver needs none"
            )


def addresses(there: Destination, allowed: Allowed, resolve: Resolve) -> list[str]:
    """Every address that a destination is at, each of which may be reached.

    Raises InvalidInput where one may not, or none is found.
    """
    literal = _literal(there.host)
    if literal is not None:
        found = [str(literal)]
    else:
        try:
            found = list(resolve(there.host, there.port))
        except (OSError, UnicodeError) as error:
            raise InvalidInput(reason=f"{there.host} is not found: {error}") from error
    if not found:
        raise InvalidInput(reason=f"{there.host} is not found: it has no address")
    _check(there, [ip_address(one) for one in found], allowed)
    return found


def look_up(host: str, port: int) -> list[str]:
    """Every address of a host, as this machine resolves names."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def kind_of(address: Address) -> str | None:
    """What is special about an address; None: it is public."""
    address = _reached(address)
    for network, kind in _KINDS:
        if address in network:
            return kind
    if isinstance(address, IPv4Address):
        return None
    if address not in _GLOBAL:
        return "reserved"
    return "a tunnel" if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP else None


def _reached(address: Address) -> Address:
    if isinstance(address, IPv6Address) and any(address in one for one in _TRANSLATED):
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _literal(host: str) -> Address | None:
    """The address that a host is written as; None for a name. Raises InvalidInput.

    Some resolvers take 2130706433, 0177.0.0.1 and 0x7f.1 for 127.0.0.1. Nobody means well by it.
    """
    if ":" not in host and not _NUMBER.fullmatch(host.rpartition(".")[2]):
        if _NAME.fullmatch(host):
            return None
        raise InvalidInput(reason=f"{host:.253} is no host name")
    try:
        address = ip_address(host)
    except ValueError as error:
        raise InvalidInput(reason=f"{host:.253} is no address as one writes it: {error}") from error
    if getattr(address, "scope_id", None):
        raise InvalidInput(reason=f"{host:.253} is an address of one network interface")
    return address


def _check(there: Destination, found: Sequence[Address], allowed: Allowed) -> None:
    for address in found:
        kind = kind_of(address)
        if kind is not None and not _is_allowed(there.host, address, kind, allowed):
            where = "is" if _literal(there.host) else f"is at {address}, which is"
            raise InvalidInput(reason=f"{there.host} {where} {kind}: {_ADVICE}")
        if there.scheme == "http" and kind != "loopback" and not allowed.plain_http:
            raise InvalidInput(reason=_in_the_open(there.host))


def _is_allowed(host: str, address: Address, kind: str, allowed: Allowed) -> bool:
    if kind in _NEAR and (allowed.private or host in allowed.hosts):
        return True
    same = (address, _reached(address))
    return any(one in network for one in same for network in allowed.networks)


def _in_the_open(host: str) -> str:
    return (
        f"everybody between here and {host} could read what is sent by http: write https, "
        "or set CONTROLPLANE_PLAIN_HTTP_WEBHOOKS"
    )
