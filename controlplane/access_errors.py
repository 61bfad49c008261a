"""Why a request is refused, whatever it asks for. A docstring is the message; `status` is HTTP's.

ControlPlaneError
├── NotAuthenticated      401
├── NotPermitted          403
├── RaiseNotPermitted     403
├── PlanNotPermitted      403
├── SilenceNotPermitted   403
├── TokenNotFound         404
├── ReviewNotFound        404
├── SameReviewer          403
├── KeyReused             422
├── KeyInUse              409
├── PreconditionFailed    412
├── TooManyRequests       429
├── BodyTooLarge          413
├── BodyUnreadable        400
└── BodyTooSlow           408
"""

from http import HTTPStatus

from events.errors import ControlPlaneError

__all__ = [
    "BodyTooLarge",
    "BodyTooSlow",
    "BodyUnreadable",
    "KeyInUse",
    "KeyReused",
    "NotAuthenticated",
    "NotPermitted",
    "PlanNotPermitted",
    "PreconditionFailed",
    "RaiseNotPermitted",
    "ReviewNotFound",
    "SameReviewer",
    "SilenceNotPermitted",
    "TokenNotFound",
    "TooManyRequests",
]


class NotAuthenticated(ControlPlaneError):
    """{reason}. Send a token: Authorization: Bearer rcp_…; an admin issues them."""

    status = HTTPStatus.UNAUTHORIZED


class NotPermitted(ControlPlaneError):
    """The token of {actor} ({roles}) does not permit {permission}. Ask somebody whose does, or an
    admin for another token."""

    status = HTTPStatus.FORBIDDEN


class RaiseNotPermitted(ControlPlaneError):
    """{actor} may lower the exposure of flag {flag}, not raise it above {served:g} % of {audience}:
    that takes an approver."""

    status = HTTPStatus.FORBIDDEN


class PlanNotPermitted(ControlPlaneError):
    """{actor} may roll out by the built-in plan, or by one whose start others must approve
    (start, needed: 1). Plan {plan} asks for nobody: that takes an approver."""

    status = HTTPStatus.FORBIDDEN


class SilenceNotPermitted(ControlPlaneError):
    """{actor} may acknowledge critical alert {alert}, not resolve it by hand: that takes an
    approver."""

    status = HTTPStatus.FORBIDDEN


class TokenNotFound(ControlPlaneError):
    """There is no token {token}. See which there are."""

    status = HTTPStatus.NOT_FOUND


class ReviewNotFound(ControlPlaneError):
    """There is no review {review}. See which there are."""

    status = HTTPStatus.NOT_FOUND


class SameReviewer(ControlPlaneError):
    """{actor} did what review {review} is about. A second person must close it."""

    status = HTTPStatus.FORBIDDEN


class KeyReused(ControlPlaneError):
    """Idempotency key {key} was used for another command. Take a new key for each command."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class KeyInUse(ControlPlaneError):
    """The command under idempotency key {key} is being carried out. Ask again in a moment."""

    status = HTTPStatus.CONFLICT


class PreconditionFailed(ControlPlaneError):
    """{what} is at version {actual}, not {expected} as in If-Match: somebody changed it since you
    read it. Read it again and decide anew."""

    status = HTTPStatus.PRECONDITION_FAILED


class TooManyRequests(ControlPlaneError):
    """{reason}. Try again in {retry_after} s."""

    status = HTTPStatus.TOO_MANY_REQUESTS


class BodyTooLarge(ControlPlaneError):
    """The body has more than {most} bytes. Send it in several requests."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class BodyUnreadable(ControlPlaneError):
    """The body cannot be read: {reason}."""

    status = HTTPStatus.BAD_REQUEST


class BodyTooSlow(ControlPlaneError):
    """Nothing more of the body came within {seconds} s. Send it again."""

    status = HTTPStatus.REQUEST_TIMEOUT
