-- When a part will be down to its threshold, as it was known at a moment.

create table forecast_run (
    run_id      bigint generated always as identity primary key,
    at          timestamptz not null,
    made_at     timestamptz not null,
    installations integer not null default 0,
    forecasts   integer not null default 0
);

create table depletion_forecast (
    run_id          bigint not null references forecast_run,
    installation_id bigint not null references installation,
    at              timestamptz not null,
    made_at         timestamptz not null,
    data_cutoff     timestamptz,
    method          text not null,
    reason          text,
    remaining_pct   double precision,
    threshold_pct   double precision not null,
    usage_pct_per_day double precision,
    depletes_p10    timestamptz,
    depletes_p50    timestamptz,
    depletes_p90    timestamptz,
    primary key (run_id, installation_id),
    constraint forecast_dates_in_order check (depletes_p10 <= depletes_p50 and depletes_p50 <= depletes_p90),
    constraint forecast_or_a_reason check ((depletes_p50 is null) = (reason is not null))
);
comment on column depletion_forecast.data_cutoff is 'Measured time of the newest reading the forecast has seen.';
create index depletion_forecast_newest on depletion_forecast (installation_id, at desc, run_id desc);
