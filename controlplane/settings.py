"""Settings, from the environment: CONTROLPLANE_DATABASE_URL and so on."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from controlplane.errors import InvalidInput
from controlplane.outgoing.destinations import read_allowed

_PREFIX = "CONTROLPLANE_"


def _destinations(text: str) -> str:
    read_allowed(text)
    return text


class Settings(BaseSettings):
    """Each may be set as CONTROLPLANE_<NAME> in the environment."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, frozen=True)

    database_url: str = "sqlite:///controlplane.db"
    environment: str = Field(default="production", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")
    actor: str = ""
    """Who acts, where a command does not say; default: the name you are logged in under."""
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=9000, ge=0, le=65535)
    tls_certificate: str = ""
    """A file with the certificate chain, in PEM."""
    tls_key: str = ""
    """A file with its private key."""
    trusted_proxies: str = "127.0.0.1"
    """Whose X-Forwarded-For is believed, with --behind-proxy: addresses or networks, by comma."""
    requests_per_second: float = Field(default=200.0, gt=0, allow_inf_nan=False)
    """By each token, in the long run; five times as many at once."""
    streams_per_token: int = Field(default=2000, gt=0)
    connections: int = Field(default=10_000, gt=0)
    """To the API at once, streams among them."""
    stream_heartbeat_seconds: float = Field(default=15.0, gt=0, allow_inf_nan=False)
    stream_stall_seconds: float = Field(default=20.0, gt=0, allow_inf_nan=False)
    """How long a client may not take what it was sent before its stream is cut off."""
    metrics_open: bool = False
    """Whether /metrics may listen beyond this machine, where it asks for no token."""
    metrics_host: str = "127.0.0.1"
    metrics_port: int = Field(default=9090, ge=0, le=65535)
    legacy_metrics: bool = True
    """Also export batch_duration_ms and memory_mb, whose names no linter accepts."""
    evaluation_interval_seconds: float = Field(default=60.0, gt=0, allow_inf_nan=False)
    alert_interval_seconds: float = Field(default=5.0, gt=0, allow_inf_nan=False)
    projection_interval_seconds: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    webhook_interval_seconds: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    webhook_attempts: int = Field(default=17, ge=1, le=100)
    """After so many, an event is a dead letter: by default in about a day."""
    secrets_dir: str = ""
    """A folder with a file for each secret, beside the environment."""
    allowed_destinations: Annotated[str, AfterValidator(_destinations)] = ""
    """Hosts and networks that may be reached though they are private."""
    plain_http_webhooks: bool = False
    """Webhooks may go beyond this host without TLS."""
    private_criteria: bool = True
    """`external` criteria may ask at private addresses."""


def load(**given: Any) -> Settings:
    """The settings; what is given, and not empty, goes before the environment.

    Raises InvalidInput that names each wrong one.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value})
    except ValidationError as error:
        problems = "; ".join(
            f"{str(one['loc'][0]).removeprefix(_PREFIX.lower())}: {one['msg']}"
            for one in error.errors()
        )
        raise InvalidInput(reason=f"a setting is not valid: {problems}") from error
