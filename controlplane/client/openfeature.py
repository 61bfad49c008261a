"""An OpenFeature provider over a client: `pip install 'rollout-controlplane[openfeature]'`.

The targeting key is the unit; whatever else the context holds are its attributes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from openfeature.evaluation_context import EvaluationContext
from openfeature.event import ProviderEventDetails
from openfeature.exception import ErrorCode, ProviderNotReadyError
from openfeature.flag_evaluation import FlagMetadata, FlagResolutionDetails, FlagValueType, Reason
from openfeature.provider import AbstractProvider, Metadata

from controlplane.bucketing import Explanation
from controlplane.client.client import Client
from controlplane.client.notices import Notice

T = TypeVar("T")
Object = Sequence[FlagValueType] | Mapping[str, FlagValueType]

_ERRORS = {
    "NOT_READY": ErrorCode.PROVIDER_NOT_READY,
    "FLAG_NOT_FOUND": ErrorCode.FLAG_NOT_FOUND,
    "UNIT_MISSING": ErrorCode.TARGETING_KEY_MISSING,
    "NOT_UNDERSTOOD": ErrorCode.PARSE_ERROR,
    "ERROR": ErrorCode.GENERAL,
}
_TOLD = ("position", "audience", "percentage", "bucket", "threshold", "sentence")
_NOWHERE = EvaluationContext()


class ControlPlaneProvider(AbstractProvider):
    """Answers from the client's memory; tells when flags change, become stale and are fresh again.

    Setting it waits for the first flags, `ready_timeout_seconds` at most. The client stays yours:
    close it when the application ends.
    """

    def __init__(self, client: Client, *, ready_timeout_seconds: float = 5.0) -> None:
        super().__init__()
        self._client = client
        self._timeout = ready_timeout_seconds

    def get_metadata(self) -> Metadata:
        """Its name."""
        return Metadata(name="controlplane")

    def initialize(self, evaluation_context: EvaluationContext) -> None:  # noqa: ARG002  why: inherited
        """Wait for flags. Raises ProviderNotReadyError; they may still come, and are told of."""
        self._client.unlisten(self._heard)
        self._client.listen(self._heard)
        if not self._client.wait_until_ready(self._timeout):
            problem = self._client.status().flags_problem
            raise ProviderNotReadyError(f"no flags are known yet: {problem or 'no answer'}")

    def shutdown(self) -> None:
        """Tell nothing more."""
        self._client.unlisten(self._heard)

    def _heard(self, notice: Notice) -> None:
        match notice.kind:
            case "changed":
                changed = ProviderEventDetails(flags_changed=[*notice.flags])
                self.emit_provider_configuration_changed(changed)
            case "stale":
                why = self._client.status().flags_problem
                self.emit_provider_stale(ProviderEventDetails(message=why))
            case "ready" | "fresh":
                self.emit_provider_ready(ProviderEventDetails())

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: FBT001  why: inherited
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """See OpenFeature."""
        return self._resolve(flag_key, default_value, evaluation_context, _boolean)

    def resolve_string_details(
        self,
        flag_key: str,
        default_value: str,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[str]:
        """See OpenFeature."""
        return self._resolve(flag_key, default_value, evaluation_context, _string)

    def resolve_integer_details(
        self,
        flag_key: str,
        default_value: int,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[int]:
        """See OpenFeature."""
        return self._resolve(flag_key, default_value, evaluation_context, _integer)

    def resolve_float_details(
        self,
        flag_key: str,
        default_value: float,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[float]:
        """See OpenFeature. An integer is one, too."""
        return self._resolve(flag_key, default_value, evaluation_context, _float)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Object,
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Object]:
        """See OpenFeature."""
        return self._resolve(flag_key, default_value, evaluation_context, _object)

    def _resolve(
        self,
        flag: str,
        default: T,
        context: EvaluationContext | None,
        cast: Callable[[Any], T | None],
    ) -> FlagResolutionDetails[T]:
        given = context or _NOWHERE
        answer = self._client.evaluate(flag, given.targeting_key or None, given.attributes)
        error = _ERRORS.get(answer.reason)
        value, sentence = None, answer.sentence
        if error is None:
            value = cast(answer.value)
            if value is None:
                error = ErrorCode.TYPE_MISMATCH
                sentence = f"the flag answers a {answer.kind}: {answer.value!r:.80}"
        if error is not None or value is None:
            return FlagResolutionDetails(
                value=default, reason=Reason.ERROR, error_code=error, error_message=sentence
            )
        return FlagResolutionDetails(
            value=value,
            variant=answer.variant,
            reason=Reason.STALE if self._client.stale else Reason(answer.openfeature_reason),
            flag_metadata=_metadata(answer),
        )


def _metadata(answer: Explanation) -> FlagMetadata:
    """Why, in what OpenFeature lets metadata be; `reason` as it would be were it not stale."""
    told = {name: getattr(answer, name) for name in _TOLD}
    told["reason"] = answer.openfeature_reason
    return {name: value for name, value in told.items() if value is not None}


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _integer(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _object(value: Any) -> Mapping[str, FlagValueType] | None:
    return value if isinstance(value, dict) else None
