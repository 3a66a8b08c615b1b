"""What forecasts have of a person: nothing, they are a machine's."""

from millpond.kernel.personal import Table, machines, nobodys


def forecasting_personal() -> list[Table]:
    """Forecasts of parts, and the runs that made them."""
    return [
        machines(
            "depletion_forecast",
            "run_id installation_id at made_at data_cutoff method reason remaining_pct threshold_pct"
            " usage_pct_per_day depletes_p10 depletes_p50 depletes_p90 reason_code",
        ),
        nobodys("forecast_run", "run_id at made_at installations forecasts", because="a run of a job"),
    ]
