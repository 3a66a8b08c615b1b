-- What unknown devices sent waits in quarantine and is counted there, but nobody refused it: the alarm is about the rest.

alter table ingest_minute add column waiting bigint not null default 0
    constraint what_waits_is_in_quarantine check (waiting between 0 and quarantined);
comment on column ingest_minute.waiting is 'How many of the quarantined items wait in the lobby.';
