"""The settings that say how long rows are kept."""

from typing import Annotated

from pydantic import BaseModel, Field, field_validator

Days = Annotated[float, Field(ge=0, le=36_500)]


class KeptDays(BaseModel):
    """Days until something goes, each 0 for never; `millpond.retention` lets it go."""

    quarantine_keep_days: Days = Field(
        default=90, description="Days that refused items and their bytes are kept; 0 keeps them for ever."
    )
    refused_keep_days: Days = Field(
        default=400,
        description="Days that messages which the database refused are kept: they may have been good. 0 keeps them for "
        "ever.",
    )
    lobby_keep_days: Days = Field(
        default=90,
        description="Days that an unknown device, and what it sent, waits in the lobby; 0 keeps it for ever.",
    )
    conflict_keep_days: Days = Field(
        default=90, description="Days that values which disagree with a stored reading are kept; 0 keeps them for ever."
    )
    corrected_time_keep_days: Days = Field(
        default=60, description="Days that the time given to a sample without a good one is kept; 0 keeps it for ever."
    )
    boot_keep_days: Days = Field(
        default=400,
        description="Days that the numbers of a silent boot are kept, at least `MILLPOND_CLOCK_PAST_DAYS`; 0 keeps "
        "them for ever.",
    )
    minute_keep_days: Days = Field(
        default=90,
        description="Days after which ingest's counts by minute become counts by day; 0 keeps minutes for ever.",
    )
    description_keep_days: Days = Field(
        default=400,
        description="Days that what a device or hub described is kept after it was last heard; brokers hand it out at "
        "each connection. 0 keeps it for ever.",
    )
    heartbeat_keep_days: Days = Field(
        default=30, description="Days that the heartbeat of a silent ingest is kept; 0 keeps it for ever."
    )
    forecast_keep_days: Days = Field(
        default=90, description="Days after which one forecast a week is kept of each part; 0 keeps all for ever."
    )
    weekly_forecast_keep_days: Days = Field(
        default=730,
        description="Days after which only the newest forecast is kept of each part; 0 keeps one a week for ever.",
    )
    event_keep_days: Days = Field(
        default=1100, description="Days that what people did is kept after it came; 0 keeps all for ever."
    )
    source_figures_keep_days: Days = Field(
        default=400, description="Days that it is kept what came from each source by the hour; 0 keeps it for ever."
    )
    event_quarantine_keep_days: Days = Field(
        default=60,
        description="Days that calls which could not be taken as events are kept with their bytes; 0 keeps them for "
        "ever.",
    )
    audit_keep_days: Days = Field(
        default=1100,
        description="Days that the audit log says who saw or changed what of a person; 0 keeps it for ever.",
    )
    segment_model_keep_days: Days = Field(
        default=400,
        description="Days that models of customers are kept, but for the newest and those of scores in use; 0 keeps "
        "all for ever.",
    )
    segment_history_keep_days: Days = Field(
        default=800,
        description="Days that it is kept who was in which segment until when, how many members each had, and when "
        "they were counted; 0 keeps all for ever.",
    )
    erased_keep_days: Days = Field(
        default=1100,
        description="Days that a keyed hash of an erased person's identifiers keeps late events of theirs out: at "
        "least as long as backups and queues of events are kept. 0 means for ever.",
    )
    decision_keep_days: Days = Field(
        default=365,
        description="Days that decisions which made no offer are kept, but for the last about a thing; 0 keeps all for "
        "ever.",
    )
    scan_keep_days: Days = Field(
        default=180, description="Days that scans of staff codes are kept; 0 keeps them for ever."
    )
    refused_link_keep_days: Days = Field(
        default=400,
        description="Days that a link which was refused is kept after it was last asked for; 0 keeps all for ever.",
    )
    spent_code_keep_days: Days = Field(
        default=7,
        description="Days that spent screen codes are kept, at least until they expire; 0 keeps them for ever.",
    )
    idempotency_key_keep_days: Days = Field(
        default=7,
        description="Days in which a repeated request gets its first answer; 0 means for ever, less than 1 is refused.",
    )
    credential_keep_days: Days = Field(
        default=400,
        description="Days that credentials which ended, and proofs of lines whose key did, are kept; 0 keeps them for "
        "ever.",
    )
    job_run_keep_days: Days = Field(
        default=90, description="Days that the runs of jobs are kept; 0 keeps them for ever."
    )

    @field_validator("idempotency_key_keep_days")
    @classmethod
    def _repeats_have_a_day(cls, days: float) -> float:
        if 0 < days < 1:
            raise ValueError("a request may be repeated for a day at least: write 1 or more, or 0 for ever")
        return days
