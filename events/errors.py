"""What can go wrong while recording. A docstring is the message; `status` is the HTTP status.

ControlPlaneError
├── LogUnavailable
│   └── OutcomeUnknown
├── EventNotFound
├── VersionConflict
├── InvalidEvent
├── UnknownEventType
├── SchemaMismatch
├── ChainBroken
│   ├── LogTooShort
│   └── RangeBroken
├── CheckpointInvalid
├── ProofUnreadable
└── BundleUnreadable
"""

from http import HTTPStatus
from typing import ClassVar


class ControlPlaneError(Exception):
    """The control plane refused."""

    status: ClassVar[HTTPStatus] = HTTPStatus.BAD_REQUEST

    def __init__(self, **details: object) -> None:
        self.details = details
        super().__init__(self.message())

    def message(self) -> str:
        """The docstring's first paragraph, its {names} filled in."""
        text = (type(self).__doc__ or type(self).__name__).split("\n\n", 1)[0]
        return " ".join(text.format(**self.details).split())


class LogUnavailable(ControlPlaneError):
    """The event log cannot be reached: {cause}."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class OutcomeUnknown(LogUnavailable):
    """The event log failed during an append: {cause}. Whether it was kept is unknown; append
    again with the same event ids, which is safe.
    """


class EventNotFound(ControlPlaneError):
    """There is no event at position {position}: the log ends at {last}."""

    status = HTTPStatus.NOT_FOUND


class VersionConflict(ControlPlaneError):
    """Stream {stream} is at version {actual}, not {expected}: somebody changed it first.
    Read it again and decide anew."""

    status = HTTPStatus.CONFLICT


class InvalidEvent(ControlPlaneError):
    """The event cannot be recorded: {reason}."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class UnknownEventType(ControlPlaneError):
    """The log holds {type} in schema version {schema_version}, which this release does not know.
    Upgrade the control plane."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR


class SchemaMismatch(ControlPlaneError):
    """The database is at schema {found}, which this release ({known}) does not know. Upgrade the
    control plane, or open another database."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class ChainBroken(ControlPlaneError):
    """The log was altered at position {position}: {reason}."""

    status = HTTPStatus.CONFLICT


class LogTooShort(ChainBroken):
    """{log} has only {events} events, and position {noted} was noted earlier: either its end was
    cut off, or it is not the log that was meant. Name database and environment."""


class RangeBroken(ChainBroken):
    """The log was altered somewhere from position {first} to {position}: {reason}."""


class ProofUnreadable(ControlPlaneError):
    """This is no proof of a range of a log: {reason}."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class CheckpointInvalid(ControlPlaneError):
    """Line {line} of the checkpoints cannot be relied on: {reason}."""

    status = HTTPStatus.CONFLICT


class BundleUnreadable(ControlPlaneError):
    """This is no story that was exported here, or not all of it: {reason}. Export it again."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
