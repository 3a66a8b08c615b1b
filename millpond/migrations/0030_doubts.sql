-- A forecast that is not made says why in a code too; a counter may have a most that it can count in a day.

alter table depletion_forecast
    add column reason_code text,
    add constraint forecast_code_has_a_reason check (reason_code is null or reason is not null);
comment on column depletion_forecast.reason_code is 'Why there are no dates, for programs; null in forecasts from before it was kept.';

alter table part_limit
    add column most_per_day double precision constraint part_limit_most_positive check (most_per_day > 0);
comment on column part_limit.most_per_day is 'The most that the counter can count in a day, in its unit; hours need none.';
