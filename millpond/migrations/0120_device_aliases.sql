-- What formats that do not know our serials call a device: a hub's name for it, a maker's id.

create table device_alias (
    format      text not null,
    external_id text not null,
    device_id   bigint not null constraint device_alias_is_of_a_device references device,
    aliased_at  timestamptz not null,
    constraint device_alias_names_one_device primary key (format, external_id),
    constraint device_alias_says_its_format check (format ~ '^[a-z0-9._-]{1,64}$'),
    constraint device_alias_fits check (length(external_id) between 1 and 256)
);
create index device_alias_by_device on device_alias (device_id);
comment on table device_alias is 'Messages of a format that speak of external_id are of this device. Our own format uses serials.';
