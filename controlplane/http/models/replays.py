"""What came of deciding again."""

from pydantic import Field

from controlplane.http.models.form import Shown
from controlplane.http.models.rollouts import Difference


class Retaken(Shown):
    """How many decisions were taken again from the events alone, and which of them differ."""

    judgements: int = Field(description="Looks at waves, each with all that it led to.")
    alerts: int = Field(description="Alerts that rules raised or resolved.")
    rollbacks: int
    incidents: int = Field(description="Alerts, by the incident that each opened or joined.")
    untold: int = Field(description="Those that do not tell what they were made of.")
    differences: list[Difference]
    identical: bool
