-- What was refused is found by whose it is, and may be mended by hand: the message as it came stays.

drop index quarantine_waiting;
create index quarantine_by_serial on quarantine (serial, received_at, quarantine_id) where stored_at is null;

create table quarantine_edit (
    digest     bytea not null constraint quarantine_edit_of_a_message references quarantined_message on delete cascade,
    edited     bytea not null,
    topic      text not null,
    payload    bytea not null,
    note       text,
    edited_at  timestamptz not null,
    edited_by  text not null,
    constraint quarantine_edit_once primary key (digest, edited)
);
comment on table quarantine_edit is 'A refused message as somebody mended it, stored under the time at which the original came.';
comment on column quarantine_edit.edited is 'The digest of the topic and the bytes that it was mended to: the same ones are stored once.';
