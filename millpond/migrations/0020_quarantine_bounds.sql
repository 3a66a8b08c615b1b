-- Quarantine has bounds: a head of what is too large, one row for the many, and a bad value is known by its sample.

alter table quarantined_message add column size_bytes bigint;
update quarantined_message set size_bytes = octet_length(payload);
alter table quarantined_message alter column size_bytes set not null;
alter table quarantined_message
    add constraint quarantine_keeps_no_more_than_came check (octet_length(payload) <= size_bytes);
comment on column quarantined_message.payload is 'The bytes as they came; of a message that was too large only the beginning.';
comment on column quarantined_message.size_bytes is 'How many bytes came; the digest is of all of them.';

alter table quarantine add column items bigint not null default 1;
alter table quarantine add column boot text;
alter table quarantine add constraint quarantine_counts_items check (items >= 1);
comment on column quarantine.items is 'How many refused items this row stands for: more than one where a message had too many to list.';
comment on column quarantine.boot is 'With serial and item what the item is known by, also in a message cut differently; null where the sample has no number.';

create unique index quarantine_once_per_sample on quarantine (serial, boot, item) where boot is not null;

-- Items are kept first, and then the messages of those that were new: the reference holds at the end of the transaction.
alter table quarantine drop constraint quarantine_digest_fkey;
alter table quarantine add constraint quarantine_has_its_message
    foreign key (digest) references quarantined_message deferrable initially deferred;
