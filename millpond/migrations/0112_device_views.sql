-- What several statements say of a device, once.

create view registered_device as
select device_id, serial, model, region, customer_id, installed_at, registered_at from device;
comment on view registered_device is 'A device as the product speaks of it.';

create function remaining_pct(measure text, value double precision, capacity double precision)
    returns double precision language sql immutable as $$
select case measure when 'percent_remaining' then value
                    when 'percent_used' then 100 - value
                    when 'remaining' then value * (100 / capacity)
                    when 'used' then 100 - value * (100 / capacity) end
$$;
comment on function remaining_pct is
    'What a limit''s value says in percent remaining, below 0 when the part is overdrawn; null for a measure that does not '
    'say how much is left. devices/parts/limits.py says the same, and a test compares them.';
