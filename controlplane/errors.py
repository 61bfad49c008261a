"""Why a command is refused. A docstring is the message; `status` is the HTTP status.

ControlPlaneError
├── InvalidInput          422
│   └── TooManyExecutions 413
├── FlagNotFound          404
│   └── FlagNotThere      404
├── FlagExists            409
├── FlagIsArchived        409
├── FlagIsDisabled        409
├── FlagIsOn              409
├── RolloutInCharge       409
├── RolloutNotFound       404
├── RolloutEnded          409
├── CriticalAlertOpen     409
├── ProposalNotFound      404
├── ProposalClosed        409
├── ProposalOutdated      409
├── SamePerson            403
├── NotAPerson            403
├── AlertNotFound         404
├── AlertClosed           409
├── RolloutNotRunning     409
├── WrongState            409
├── AlreadyExposed        409
├── FreezeNotFound        404
├── FreezeOn              409
├── WaveFailed            409
├── ProposalWaits         409
├── AlreadyApproved       409
├── NotAnApprover         403
├── NotSignedOff          409
├── ItemNotFound          404
├── OverrideNotFound      404
├── NotHeld               409
├── UnitMissing           422
├── TooManyConflicts      503
└── LeaseLost             503, a LogUnavailable
"""

from http import HTTPStatus

from events.errors import ControlPlaneError, LogUnavailable

__all__ = [
    "AlertClosed",
    "AlertNotFound",
    "AlreadyApproved",
    "AlreadyExposed",
    "ControlPlaneError",
    "CriticalAlertOpen",
    "FlagExists",
    "FlagIsArchived",
    "FlagIsDisabled",
    "FlagIsOn",
    "FlagNotFound",
    "FlagNotThere",
    "FreezeNotFound",
    "FreezeOn",
    "InvalidInput",
    "ItemNotFound",
    "LeaseLost",
    "NotAPerson",
    "NotAnApprover",
    "NotHeld",
    "NotSignedOff",
    "OverrideNotFound",
    "ProposalClosed",
    "ProposalNotFound",
    "ProposalOutdated",
    "ProposalWaits",
    "RolloutEnded",
    "RolloutInCharge",
    "RolloutNotFound",
    "RolloutNotRunning",
    "SamePerson",
    "TooManyConflicts",
    "TooManyExecutions",
    "UnitMissing",
    "WaveFailed",
    "WrongState",
]


class InvalidInput(ControlPlaneError):
    """{reason}."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class TooManyExecutions(InvalidInput):
    """There are more than {most} executions in one call; send them in several."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class FlagNotFound(ControlPlaneError):
    """There is no flag {flag}. Create it, or see which there are."""

    status = HTTPStatus.NOT_FOUND


class FlagNotThere(FlagNotFound):
    """There was no flag {flag} as of log position {position}. Ask for a later moment."""


class FlagExists(ControlPlaneError):
    """There is a flag {flag} already, owned by {owner}. Choose another name, or use that one."""

    status = HTTPStatus.CONFLICT


class FlagIsArchived(ControlPlaneError):
    """Flag {flag} is archived and stays off. Create another one under a new name."""

    status = HTTPStatus.CONFLICT


class FlagIsDisabled(ControlPlaneError):
    """Flag {flag} is off. Switch it on with a percentage."""

    status = HTTPStatus.CONFLICT


class FlagIsOn(ControlPlaneError):
    """Flag {flag} is on, and its clients expect {kind}s. Create another flag, or, before you
    give it another kind, switch it off."""

    status = HTTPStatus.CONFLICT


class UnitMissing(ControlPlaneError):
    """Flag {flag} answers by unit, and none was given. Say for whom you ask, such as a user id;
    OpenFeature calls it the targeting key."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY


class RolloutInCharge(ControlPlaneError):
    """Rollout {rollout} is in charge of flag {flag}: it alone raises the exposure, and what is
    served stays as it is. Approve its proposal, or abort it."""

    status = HTTPStatus.CONFLICT


class RolloutNotFound(ControlPlaneError):
    """There is no rollout {rollout}. See which there are."""

    status = HTTPStatus.NOT_FOUND


class RolloutEnded(ControlPlaneError):
    """Rollout {rollout} is {state}; nothing more can be done to it. Start another one."""

    status = HTTPStatus.CONFLICT


class CriticalAlertOpen(ControlPlaneError):
    """Critical alert {alert} is open on flag {flag}: {summary}. Nothing starts or
    goes on before you resolve it."""

    status = HTTPStatus.CONFLICT


class ProposalNotFound(ControlPlaneError):
    """There is no proposal {proposal}. See which wait."""

    status = HTTPStatus.NOT_FOUND


class ProposalClosed(ControlPlaneError):
    """Proposal {proposal} is {state}{why}. If its wave still passes, a new one follows."""

    status = HTTPStatus.CONFLICT


class ProposalOutdated(ControlPlaneError):
    """Proposal {proposal} no longer holds: {reason}. If its wave still passes, a new one
    follows."""

    status = HTTPStatus.CONFLICT


class SamePerson(ControlPlaneError):
    """{actor} had a part in asking for this, in rollout {rollout}. A second person must
    decide it."""

    status = HTTPStatus.FORBIDDEN


class NotAPerson(ControlPlaneError):
    """{actor} is a part of the control plane: only people, and tokens of theirs, approve."""

    status = HTTPStatus.FORBIDDEN


class AlertNotFound(ControlPlaneError):
    """There is no alert {alert} that can still be acted on. See which can."""

    status = HTTPStatus.NOT_FOUND


class AlertClosed(ControlPlaneError):
    """Alert {alert} was resolved already: {reason}."""

    status = HTTPStatus.CONFLICT


class TooManyConflicts(ControlPlaneError):
    """Others kept changing the same streams; after {attempts} attempts nothing was done.
    Try again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class LeaseLost(LogUnavailable):
    """Another scheduler took over: from a look of this one, the log takes nothing more."""


class RolloutNotRunning(ControlPlaneError):
    """Rollout {rollout} is {state}: this can be done once it runs. See where it stands."""

    status = HTTPStatus.CONFLICT


class WrongState(ControlPlaneError):
    """Rollout {rollout} cannot be {action}: it is {state}."""

    status = HTTPStatus.CONFLICT


class AlreadyExposed(ControlPlaneError):
    """Flag {flag} serves {served:g} % of {audience} already, more than the {planned:g} % that
    wave 1 begins with. Lower it first."""

    status = HTTPStatus.CONFLICT


class FreezeOn(ControlPlaneError):
    """Nothing starts now: {reason}. Rolling back is always possible."""

    status = HTTPStatus.CONFLICT


class WaveFailed(ControlPlaneError):
    """Rollout {rollout} failed, and a failure stands for the attempt: {reason}. Abort it, mend the
    cause, then try again."""

    status = HTTPStatus.CONFLICT


class ProposalWaits(ControlPlaneError):
    """Proposal {proposal} waits already: approve, reject or withdraw it first."""

    status = HTTPStatus.CONFLICT


class AlreadyApproved(ControlPlaneError):
    """{actor} approved {proposal} already; each approval is another person’s."""

    status = HTTPStatus.CONFLICT


class NotAnApprover(ControlPlaneError):
    """{actor} is not among those whom the plan lets approve: {approvers}."""

    status = HTTPStatus.FORBIDDEN


class NotSignedOff(ControlPlaneError):
    """Rollout {rollout} waits for sign-off: {items}. See what is due."""

    status = HTTPStatus.CONFLICT


class ItemNotFound(ControlPlaneError):
    """There is no item {item} to sign off; there are: {items}."""

    status = HTTPStatus.NOT_FOUND


class OverrideNotFound(ControlPlaneError):
    """There is no override {override} in the present wave. See its rollout."""

    status = HTTPStatus.NOT_FOUND


class NotHeld(ControlPlaneError):
    """Nobody holds rollout {rollout}, so nobody can resume it; held by: {held_by}."""

    status = HTTPStatus.CONFLICT


class FreezeNotFound(ControlPlaneError):
    """There is no freeze {freeze} that stands. See which do."""

    status = HTTPStatus.NOT_FOUND
