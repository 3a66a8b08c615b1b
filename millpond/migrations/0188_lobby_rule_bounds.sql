-- A rule is a word about names, and anybody can make up names: it admits so many and no more.

alter table lobby_rule add column admitted bigint not null default 0;
comment on column lobby_rule.admitted is 'How many devices it admitted.';
