"""Why something is not done with a read model. A docstring is the message; `status` is HTTP's.

ControlPlaneError
└── ProjectionNotFound    404
"""

from http import HTTPStatus

from events.errors import ControlPlaneError

__all__ = ["ProjectionNotFound"]


class ProjectionNotFound(ControlPlaneError):
    """There is no projection {projection}; there are {projections}."""

    status = HTTPStatus.NOT_FOUND
