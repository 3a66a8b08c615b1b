-- Which forecast of an installation counts, said once. Both are plain selects, so that PostgreSQL puts them into the
-- query that asks, as in: cross join lateral newest_forecast(i.installation_id, %(at)s) f

create function newest_forecast(of_installation bigint, known_at timestamptz)
returns setof depletion_forecast language sql stable as $$
    select f.* from depletion_forecast f
    where f.installation_id = of_installation and f.at <= known_at
    order by f.at desc, f.run_id desc limit 1
$$;
comment on function newest_forecast is
    'For decisions: the newest forecast made for a moment up to known_at; one for a later moment never counts.';

create function shown_forecast(of_installation bigint, known_at timestamptz, since timestamptz default '-infinity')
returns setof depletion_forecast language sql stable as $$
    select f.* from depletion_forecast f
    where f.installation_id = of_installation and f.at >= since
    order by (f.at <= known_at) desc, f.at desc, f.run_id desc limit 1
$$;
comment on function shown_forecast is
    'For people to see: as newest_forecast, of those since a moment; where there is none, one that was made for a later moment.';
