-- The key of our own pages is in the hands of everybody who opens one, so it may be read again.

alter table source_key add column shown text;
comment on column source_key.shown is 'The write key itself, where pages of ours show it to everybody; else null.';
create unique index source_key_shown_once on source_key ((true)) where shown is not null and ended_at is null;
