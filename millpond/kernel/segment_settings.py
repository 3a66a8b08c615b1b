"""The settings of segments."""

from pydantic import BaseModel, Field


class SegmentSettings(BaseModel):
    """How often members are renewed, and what one condition may cost."""

    segment_period_h: float = Field(
        default=1,
        gt=0,
        description="Hours between two looks for customers who changed, to renew their facts and segments; once a day "
        "all of them are renewed.",
    )
    segment_cost_max: float = Field(
        default=10_000_000,
        gt=0,
        description="PostgreSQL's estimate, in its own units of cost, above which a condition of a segment is refused.",
    )
    segment_timeout_s: float = Field(
        default=20, gt=0, description="Seconds after which the preview of a condition is given up."
    )
