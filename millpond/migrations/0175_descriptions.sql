-- What messages of a format describe of later ones: a hub's devices, a property's unit, which number stands for which name.

create table format_description (
    format       text not null,
    key          text not null,
    owner        text not null,
    body         bytea not null,
    described_at timestamptz not null,
    constraint format_description_once primary key (format, key),
    constraint format_description_fits check (length(key) between 1 and 512 and length(owner) <= 256)
);
create index format_description_of_an_owner on format_description (format, owner);
comment on table format_description is 'What a format must know to read its messages, and heard in others; newest word only.';
comment on column format_description.key is 'What a message that needs it says of itself: a topic, a device, a name.';
comment on column format_description.owner is 'Who described it: a device or a hub, which may describe so many things.';
