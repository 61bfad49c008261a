"""Where requests may go. By addresses like these, servers like this one were broken into."""

from collections.abc import Sequence
from ipaddress import IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.errors import InvalidInput
from controlplane.outgoing.destinations import (
    PUBLIC,
    Address,
    Allowed,
    addresses,
    destination,
    kind_of,
    look_up,
    read_allowed,
    refuse_credentials,
)

NAT64 = IPv6Network("64:ff9b::/96")
NEAR = Allowed(private=True, plain_http=True)


def at(*found: str) -> Sequence[str]:
    return found


def reach(url: str, *found: str, allowed: Allowed = PUBLIC) -> list[str]:
    """Where a request goes, if the name is at these addresses."""
    return addresses(destination(url, allowed), allowed, lambda _host, _port: at(*found))


KINDS = {
    "a cloud's metadata": "100.100.100.200 168.63.129.16 192.0.0.192 fd00:ec2::254",
    "unspecified": "0.0.0.0 0.1.2.3 ::",
    "loopback": "127.0.0.1 127.255.255.254 ::1 ::ffff:127.0.0.1 ::ffff:7f00:1 64:ff9b::7f00:1",
    "private": "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.127.255.255 "
    "fc00::1 fdff::1 ::ffff:10.0.0.1 64:ff9b::10.0.0.1",
    "link-local": "169.254.169.254 169.254.0.1 fe80::1 febf::1 ::ffff:169.254.169.254 "
    "64:ff9b::a9fe:a9fe",
    "multicast": "224.0.0.1 239.255.255.255 ff02::1 ::ffff:224.0.0.1",
    "a tunnel": "192.88.99.1 2002:7f00:1:: 2002:a9fe:a9fe:: 2001:0:53aa:64c:0:5efe:7f00:1 "
    "2600::5efe:a00:1 2600::200:5efe:a9fe:a9fe",
    "reserved": "192.0.0.1 192.0.2.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 240.0.0.1 "
    "255.255.255.255 2001:2::1 2001:db8::1 3fff::1 100::1 fec0::1 5f00::1 ::127.0.0.1 ::7f00:1 "
    "64:ff9b:1::7f00:1 4000::1",
}
SPECIAL = [(address, kind) for kind, found in KINDS.items() for address in found.split()]
ORDINARY = [
    *("1.1.1.1", "8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.0", "172.15.255.255"),
    *("172.32.0.0", "192.167.255.255", "223.255.255.255", "2606:4700::1111"),
    *("2a00:1450:4001::1", "::ffff:8.8.8.8", "64:ff9b::808:808"),
]


@pytest.mark.parametrize(("address", "kind"), SPECIAL)
def test_what_is_special_is_not_reached_by_any_name(address: str, kind: str) -> None:
    assert kind_of(ip_address(address)) == kind
    with pytest.raises(InvalidInput, match=f"evil.example is at .*, which is {kind}"):
        reach("https://evil.example/", address)
    with pytest.raises(InvalidInput, match=kind):
        reach("https://evil.example/", "8.8.8.8", address)
    bracketed = f"[{address}]" if ":" in address else address
    with pytest.raises(InvalidInput, match=f"is {kind}"):
        destination(f"https://{bracketed}/", PUBLIC)


@pytest.mark.parametrize("address", ORDINARY)
def test_what_is_public_is_reached(address: str) -> None:
    assert kind_of(ip_address(address)) is None
    assert reach("https://good.example/", address) == [address]


@given(st.ip_addresses())
def test_nothing_that_the_library_knows_to_be_special_is_taken_for_public(address: Address) -> None:
    if kind_of(address) is None and address not in NAT64:
        found = getattr(address, "ipv4_mapped", None) or address
        special = ("private", "loopback", "link_local", "multicast", "reserved", "unspecified")
        assert not any(getattr(found, f"is_{kind}") for kind in special)


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0177.0.0.1", "0x7f.1", "0x7f000001", "127.1", "017700000001", "127.0.0.01",
     "1.2.3.4.5", "256.1.1.1", "999", "0xa9fea9fe", "127.0.0.1.", "0X7F.1", "1e1.0x"],
)  # fmt: skip
def test_an_address_is_written_in_one_way(host: str) -> None:
    for allowed in (PUBLIC, NEAR):
        if host == "127.0.0.1." and allowed is NEAR:
            assert destination(f"https://{host}/", allowed).host == "127.0.0.1"
            continue
        with pytest.raises(InvalidInput):
            destination(f"https://{host}/", allowed)


@pytest.mark.parametrize(
    "host", ["localhost", "localhost.", "LOCALHOST", "a.localhost", "x.y.localhost."]
)
def test_this_host_is_not_reached_by_any_of_its_names(host: str) -> None:
    with pytest.raises(InvalidInput, match=r"localhost is at 127\.0\.0\.1, which is loopback"):
        destination(f"https://{host}/", PUBLIC)


@pytest.mark.parametrize(
    "url",
    [
        "", "nonsense", "//x.example/", "ftp://x.example/", "file:///etc/passwd", "gopher://x/",
        "javascript:alert(1)", "https://", "https:///path", "https://:443/", "https://x.example:0/",
        "https://x.example:65536/", "https://x.example:http/", "https://x .example/",
        "https://x.example/ a", "https://x.example/\n", "https://x.example\\@y.example/",
        "https://x.example/\t", "https://exämple.org/", "https://x.example/ä", "https://[::1/",
        "https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://x..example/",
        "https://-x.example/", "https://x.example../", "https://\uff11\uff12\uff17.0.0.1/", "https://x%2eexample/",
        "https://*.example/", "https://[127.0.0.1]/", "https://[v1.x]/", "https://[x.example]/",
        "https://" + "a" * 64 + ".example/", "https://" + "a." * 127 + "example/",
    ],
)  # fmt: skip
def test_what_is_no_url_is_refused_whatever_is_allowed(url: str) -> None:
    for allowed in (PUBLIC, NEAR):
        with pytest.raises(InvalidInput):
            destination(url, allowed)


@pytest.mark.parametrize(
    "url", ["https://me:canary@x.example/", "https://canary@x.example/", "https://@x.example/",
            "https://:canary@x.example/"],
)  # fmt: skip
def test_a_url_with_a_name_or_password_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InvalidInput, match="recorded for ever") as refusal:
        destination(url, NEAR)
    assert "canary" not in str(refusal.value)


@pytest.mark.parametrize(
    "name", ["token", "access_token", "api_key", "key", "SIG", "x-auth", "code", "apikey"]
)
def test_a_query_that_looks_like_a_credential_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="recorded for ever") as refusal:
        refuse_credentials(f"https://x.example/?a=1&{name}=canary")
    assert "canary" not in str(refusal.value)
    refuse_credentials("https://x.example/?team=keyboards&monkey=1&design=2")


def test_a_url_is_taken_apart() -> None:
    there = destination("https://Hooks.Example.:8443/a%20b?c=d#e", PUBLIC)
    assert (there.host, there.port, there.target) == ("hooks.example", 8443, "/a%20b?c=d")
    assert there.authority == "hooks.example:8443"
    assert destination("https://x.example:443", PUBLIC).authority == "x.example"
    assert destination("https://x.example", PUBLIC).target == "/"
    assert destination("http://[::1]:80/", NEAR).authority == "[::1]"
    assert destination("http://[::1]:81/", NEAR).authority == "[::1]:81"


# Allowed all the same


def test_a_host_may_be_allowed_at_addresses_within_the_walls_and_nowhere_else() -> None:
    allowed = read_allowed("receiver.internal., LOCALHOST")
    for found in ("10.0.0.1", "127.0.0.1", "fd00::1"):
        assert reach("https://receiver.internal/", found, allowed=allowed) == [found]
    for found in ("169.254.169.254", "fd00:ec2::254", "0.1.2.3", "224.0.0.1"):
        with pytest.raises(InvalidInput, match="which is"):
            reach("https://receiver.internal/", found, allowed=allowed)
    with pytest.raises(InvalidInput, match="private"):
        reach("https://other.internal/", "10.0.0.1", allowed=allowed)
    assert destination("http://localhost:9/", allowed).port == 9


def test_a_network_may_be_allowed_whatever_the_name_and_however_it_is_written() -> None:
    allowed = read_allowed("10.1.0.0/16 127.0.0.1,fd00::/8")
    for found in ("10.1.2.3", "127.0.0.1", "::ffff:10.1.2.3", "64:ff9b::a01:203", "fd12::1"):
        assert reach("https://x.example/", found, allowed=allowed) == [found]
    for found in ("10.2.0.1", "127.0.0.2", "fe80::1"):
        with pytest.raises(InvalidInput, match="which is"):
            reach("https://x.example/", found, allowed=allowed)


@pytest.mark.parametrize(
    "text", ["10.0.0.1/8", "10.0.0.0/33", "a b/c", "2130706433", "-x", "http://x", "*"]
)
def test_what_is_neither_a_host_nor_a_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither a host nor a network"):
        read_allowed(text)


def test_nothing_is_allowed_by_default() -> None:
    assert read_allowed(" , ") == PUBLIC


# In the open


def test_http_goes_to_this_host_only() -> None:
    here = read_allowed("127.0.0.1 localhost 10.0.0.0/8")
    assert reach("http://127.0.0.1:9000/", allowed=here) == ["127.0.0.1"]
    assert reach("http://localhost/", "127.0.0.1", "::1", allowed=here) == ["127.0.0.1", "::1"]
    for url in ("http://x.example/", "http://10.0.0.1/", "http://8.8.8.8/"):
        with pytest.raises(InvalidInput, match="could read what is sent"):
            destination(url, here)
    with pytest.raises(InvalidInput, match="could read what is sent"):
        reach("http://localhost/", "10.0.0.1", allowed=here)
    open_ = Allowed(plain_http=True)
    assert reach("http://x.example/", "8.8.8.8", allowed=open_) == ["8.8.8.8"]


# Names


def test_a_name_that_is_not_found_is_an_error_and_not_a_crash() -> None:
    there = destination("https://no.such.invalid/", PUBLIC)
    with pytest.raises(InvalidInput, match=r"no\.such\.invalid is not found"):
        addresses(there, PUBLIC, look_up)
    with pytest.raises(InvalidInput, match="it has no address"):
        reach("https://x.example/")


def test_this_machine_knows_itself() -> None:
    assert set(look_up("localhost", 80)) <= {"127.0.0.1", "::1"}


def test_a_name_is_looked_up_once() -> None:
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["8.8.8.8"] if len(asked) == 1 else ["127.0.0.1"]

    there = destination("https://x.example:8443/", PUBLIC)
    assert addresses(there, PUBLIC, resolve) == ["8.8.8.8"]
    assert asked == [("x.example", 8443)]
