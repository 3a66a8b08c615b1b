-- Ingest remembers devices and metrics from batch to batch; here it sees that it must look again. Devices that are added
-- change nothing that it remembers: it looks up those that it does not know.

create table registry_changes (
    changes bigint not null,
    only_one boolean primary key default true constraint registry_changes_is_one_row check (only_one)
);
comment on table registry_changes is 'How often something changed or went that ingest may remember of devices, models and metrics.';
insert into registry_changes (changes) values (0);

create function count_registry_change() returns trigger language plpgsql as $$
begin
    update registry_changes set changes = changes + 1;
    return null;
end $$;

-- At the commit, so that nobody waits for whoever registers a model; and only where something is another.
create constraint trigger device_goes after delete on device
    deferrable initially deferred for each row execute function count_registry_change();
create constraint trigger device_becomes_another after update on device
    deferrable initially deferred for each row
    when ((old.device_id, old.serial, old.model) is distinct from (new.device_id, new.serial, new.model))
    execute function count_registry_change();
create constraint trigger model_is_new_or_goes after insert or delete on device_model
    deferrable initially deferred for each row execute function count_registry_change();
create constraint trigger model_becomes_another after update on device_model
    deferrable initially deferred for each row when (old is distinct from new) execute function count_registry_change();
create constraint trigger metric_is_new_or_goes after insert or delete on metric
    deferrable initially deferred for each row execute function count_registry_change();
create constraint trigger metric_becomes_another after update on metric
    deferrable initially deferred for each row when (old is distinct from new) execute function count_registry_change();
