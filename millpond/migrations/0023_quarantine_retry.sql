-- What was refused can be stored after all; its item stays, with the moment, until retention takes it.
alter table quarantine add column stored_at timestamptz;
comment on column quarantine.stored_at is 'When its message was stored after all; null while the item is refused.';
create index quarantine_to_retry on quarantine (code, received_at, quarantine_id) where stored_at is null;
