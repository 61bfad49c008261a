"""Signatures, as the library that receivers use checks them; and where keys come from."""

import base64
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from controlplane.errors import InvalidInput
from controlplane.outgoing.keyring import Keyring
from controlplane.outgoing.signing import signed
from events.timestamps import SECOND

keys = st.binary(min_size=24, max_size=64)


def secret(key: bytes) -> str:
    return "whsec_" + base64.b64encode(key).decode()


def now() -> int:
    return int(time.time()) * SECOND


SECRET = secret(b"canary canary canary canary")


@given(keys, st.dictionaries(st.text(), st.text() | st.integers()))
def test_what_we_sign_is_what_others_verify(key: bytes, said: dict[str, object]) -> None:
    body = json.dumps(said, ensure_ascii=False).encode("utf-8", "surrogatepass")
    headers = signed("an-id", body, [key], now())
    try:
        body.decode()
    except UnicodeDecodeError:
        return  # JSON of ours is UTF-8.
    assert Webhook(secret(key)).verify(body, headers) == said


def test_it_is_signed_as_the_specification_shows() -> None:
    """The example of the specification's reference library."""
    example = Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    (key,) = Keyring(
        {"CONTROLPLANE_WEBHOOK_SECRET_A": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    ).keys("a")
    headers = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", body, [key], 1_614_265_330 * SECOND)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert example.verify(body, signed("x", body, [key], now()))


@pytest.mark.parametrize("part", ["webhook-id", "webhook-timestamp", "webhook-signature", "body"])
def test_what_is_changed_on_its_way_is_not_verified(part: str) -> None:
    key, body = b"k" * 32, b'{"a":1}'
    headers = signed("an-id", body, [key], now())
    other = signed("another-id", b'{"a":2}', [key], now() - SECOND)
    if part == "body":
        body = b'{"a":2}'
    else:
        headers[part] = other[part]
    with pytest.raises(WebhookVerificationError):
        Webhook(secret(key)).verify(body, headers)


def test_what_is_old_is_not_verified_and_an_attempt_has_its_own_time() -> None:
    key = b"k" * 32
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(secret(key)).verify(b"{}", signed("an-id", b"{}", [key], now() - 600 * SECOND))


def test_while_a_secret_is_exchanged_both_verify() -> None:
    old, new = b"o" * 32, b"n" * 32
    ring = Keyring({"CONTROLPLANE_WEBHOOK_SECRET_DEPLOYS": f"{secret(new)} {secret(old)}"})
    headers = signed("an-id", b"{}", ring.keys("deploys"), now())
    for key in (old, new):
        assert Webhook(secret(key)).verify(b"{}", headers) == {}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret(b"x" * 32)).verify(b"{}", headers)


# Where keys come from


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "canary").write_text(SECRET)
    return tmp_path / "secrets"


def test_the_environment_and_the_folder_have_them_by_name(folder: Path) -> None:
    (folder / "in_a_file").write_text(SECRET + "\n")
    ring = Keyring({"CONTROLPLANE_WEBHOOK_SECRET_DEPLOYS_2": SECRET, "HOME": SECRET}, str(folder))
    for name in ("deploys_2", "in_a_file"):
        assert ring.keys(name) == (b"canary canary canary canary",)
    for name in ("home", "canary", "other"):
        with pytest.raises(InvalidInput, match=f"secret {name} is not here"):
            ring.keys(name)


def test_a_file_is_read_again_each_time(folder: Path) -> None:
    ring = Keyring({}, str(folder))
    for key in (b"o" * 32, b"n" * 32):
        (folder / "deploys").write_text(secret(key))
        assert ring.keys("deploys") == (key,)


@pytest.mark.parametrize(
    "name", ["", "../canary", "/etc/passwd", "a/b", "a.b", "..", ".", "A", "a-b", "1a", "a b",
             "a\0", "a\n", "ä", "x" * 64, "_a"],
)  # fmt: skip
def test_a_name_leads_nowhere_else(folder: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="names no secret"):
        Keyring({"CONTROLPLANE_WEBHOOK_SECRET_": SECRET}, str(folder)).keys(name)


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "canary", base64.b64encode(b"canary" * 6).decode(), "whsec_", "whsec_canary",
        secret(b"canary" * 3), secret(b"canary" * 11), "whsec_canary!" + "canary" * 6,
        f"{SECRET} {SECRET} {SECRET}", f"{SECRET} canary", "whsk_" + "canary" * 8, SECRET * 40,
    ],
)  # fmt: skip
def test_what_is_no_secret_is_refused_without_repeating_it(folder: Path, value: str) -> None:
    (folder / "deploys").write_text(value)
    for ring in (Keyring({"CONTROLPLANE_WEBHOOK_SECRET_DEPLOYS": value}), Keyring({}, str(folder))):
        with pytest.raises(InvalidInput, match="secret deploys is not whsec_") as refusal:
            ring.keys("deploys")
        assert "canary" not in str(refusal.value)


def test_what_cannot_be_read_is_told(folder: Path) -> None:
    (folder / "a_folder").mkdir()
    with pytest.raises(InvalidInput, match="secret a_folder is not here"):
        Keyring({}, str(folder)).keys("a_folder")


def test_a_keyring_does_not_show_what_is_on_it(folder: Path) -> None:
    ring = Keyring({"CONTROLPLANE_WEBHOOK_SECRET_DEPLOYS": SECRET}, str(folder))
    assert "canary" not in repr(ring) + str(ring)
    assert SECRET not in repr(ring) + str(ring)
