-- A replacement that turns out to be none is taken back: the row of the part that never was stays and says why.

alter table installation
    drop constraint installation_ended_by,
    add constraint installation_ended_by check (ended_by in
        ('percent_rise', 'counter_fall', 'identity_change', 'replaced_event', 'undone')),
    add column undone_because text constraint installation_undone_because check (undone_because in
        ('came_back', 'contradicted')),
    add constraint installation_undone_has_a_reason check
        ((coalesce(ended_by, '') = 'undone') = (undone_because is not null));
comment on column installation.undone_because is 'This part was never put in: what was read before came back, or another limit contradicts it.';

-- What was undone does not stand in the way of a part that is put in at the same moment after all.
drop index installation_starts_once;
create unique index installation_starts_once on installation (device_id, part, installed_at)
    where ended_by is distinct from 'undone';

alter table offer_event
    add column reason text,
    add constraint offer_event_reason_is_of_a_withdrawal check (reason is null or state = 'withdrawn');
comment on column offer_event.reason is 'Why an offer was withdrawn, in a code; null in events from before it was kept.';
