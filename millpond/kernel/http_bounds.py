"""The settings that bound what callers may do, and for how long they are waited for."""

from pydantic import BaseModel, Field


class HttpBounds(BaseModel):
    """Limits of `serve`, in connections, seconds and events."""

    http_connections_max: int = Field(
        default=500, ge=10, description="Most connections `serve` keeps; above, the one that says nothing longest ends."
    )
    http_head_timeout_s: float = Field(
        default=10, gt=0, description="Seconds in which a caller has to send all of a request's head."
    )
    http_body_timeout_s: float = Field(
        default=30, gt=0, description="Seconds in which a caller has to send a body, or take more of an answer."
    )
    http_keep_alive_s: int = Field(
        default=5, ge=1, description="Seconds that a connection is kept open for a next request."
    )
    token_keep_s: float = Field(
        default=30,
        ge=0,
        le=60,
        description="Seconds for which it is remembered whom a token proves; 0 remembers nobody. Its expiry is looked "
        "at each time; a customer who was merged into another is found that much later.",
    )
    source_events_per_s: int = Field(
        default=20_000,
        ge=0,
        description="Events a second that each process takes from one source, ten seconds' worth of them at once; more "
        "is asked to come later (429). 0 takes all.",
    )
    event_quarantine_per_day_max: int = Field(
        default=10_000,
        ge=0,
        description="Most calls of one source that are set aside with their bytes in 24 hours; more are only counted.",
    )
