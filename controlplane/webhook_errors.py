"""Why something about a webhook is refused. A docstring is the message; `status` is HTTP's.

ControlPlaneError
├── WebhookNotFound       404
├── DeadLetterNotFound    404
└── DeliveryFailed        502
"""

from http import HTTPStatus

from events.errors import ControlPlaneError

__all__ = ["DeadLetterNotFound", "DeliveryFailed", "WebhookNotFound"]


class WebhookNotFound(ControlPlaneError):
    """There is no webhook {webhook}. See which there are."""

    status = HTTPStatus.NOT_FOUND


class DeadLetterNotFound(ControlPlaneError):
    """Position {position} is no dead letter of {webhook}. See which there are."""

    status = HTTPStatus.NOT_FOUND


class DeliveryFailed(ControlPlaneError):
    """Nothing was delivered to {webhook}: {error}."""

    status = HTTPStatus.BAD_GATEWAY
