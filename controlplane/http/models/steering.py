"""What is said of a rollout: its plan, and what people do to it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from controlplane.http.models.form import Moment, Reason, Said

PlanData = Annotated[
    dict[str, Any],
    Field(
        description="A plan, as in a plan file: GET /api/v1/plans/schema has its JSON Schema.",
        examples=[
            {
                "name": "quick",
                "waves": [
                    {
                        "name": "half",
                        "percentage": 50,
                        "hold": "30m",
                        "criteria": [{"kind": "rate_below", "bound": 0.05}],
                    }
                ],
            }
        ],
    ),
]
FlagName = Annotated[str, Field(min_length=1, max_length=100, examples=["batch-patches-v1"])]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class Starting(Said):
    """A rollout that is to begin, or to be drafted."""

    flag: FlagName
    plan: PlanData | None = Field(default=None, description="Null: the built-in one, four waves.")


class Revision(Said):
    """Another plan for what has not started yet."""

    plan: PlanData


class Submission(Said):
    """Ask for approval of the start."""

    start_at: Moment | None = Field(default=None, description="When it then starts by itself.")


class StartApproval(Said):
    """Agree to the start."""

    reason: Reason = ""
    plan_hash: str = Field(
        default="", max_length=64, description="Of the plan that was read, which must still be it."
    )


class Extension(Said):
    """Watch the present wave for longer."""

    by: str = Field(max_length=20, examples=["6h"])
    reason: Reason


class OverrideRequest(Said):
    """Ask that a criterion need not pass in the present wave."""

    criterion: Name = Field(examples=["error_trend"])
    reason: Reason
    lasts: str = Field(default="24h", max_length=20, examples=["12h"])


class Signature(Said):
    """Vouch for an item of the checklist, or for a manual criterion of the present wave."""

    item: Name = Field(examples=["team"])
    role: str = Field(default="", max_length=200)
    note: Reason = ""


class SignatureWithdrawal(Said):
    """No longer vouch for it."""

    item: Name = Field(examples=["team"])
    reason: Reason


class CriterionAnswer(Said):
    """What something outside found about an external criterion of the present wave."""

    criterion: Name = Field(examples=["load_test"])
    verdict: Literal["PASS", "FAIL", "INCONCLUSIVE"]
    detail: Reason = ""
