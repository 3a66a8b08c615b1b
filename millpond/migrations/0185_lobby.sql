-- Devices that nobody registered wait in a lobby: what they sent is in quarantine, and here is who they are.

create table lobby (
    name           text primary key,
    lobby_id       text not null constraint lobby_id_unique unique,
    format         text not null,
    identity       text not null,
    by_serial      boolean not null,
    state          text not null default 'waiting'
                   constraint lobby_state check (state in ('waiting', 'refused', 'admitted')),
    first_heard_at timestamptz not null,
    last_heard_at  timestamptz not null,
    topic          text not null,
    messages       bigint not null default 0 constraint lobby_messages_are_counted check (messages >= 0),
    bytes          bigint not null default 0 constraint lobby_bytes_are_counted check (bytes >= 0),
    dropped        bigint not null default 0,
    decided_at     timestamptz,
    decided_by     text,
    trouble        text,
    constraint lobby_says_who_decided check (num_nulls(decided_at, decided_by) in (0, 2))
);
comment on table lobby is 'Who speaks and is not registered. One row each; what it sent waits in quarantine under the same name.';
comment on column lobby.name is 'As quarantine.serial has it: a serial, or format/identity where the format has names of its own.';
comment on column lobby.messages is 'How many of its messages wait now, each repetition of one that has no number counted too.';
comment on column lobby.bytes is 'About what they cost in quarantine.';
comment on column lobby.dropped is 'How many of its messages were not kept: it is refused, or was beyond its limits.';
comment on column lobby.state is 'waiting; refused: not kept, only counted; admitted: registered, and nothing of it waits any more.';
comment on column lobby.trouble is 'Why a rule that matches could not admit it.';
create index lobby_waiting on lobby (last_heard_at, name) include (bytes) where state = 'waiting';
create index lobby_by_time on lobby (last_heard_at);

create table lobby_rule (
    rule_id text primary key,
    format  text not null constraint lobby_rule_says_its_format check (format ~ '^[a-z0-9._-]{1,64}$'),
    pattern text not null constraint lobby_rule_fits check (length(pattern) between 1 and 256),
    model   text not null constraint lobby_rule_names_a_model references device_model,
    region  text not null default '',
    made_at timestamptz not null,
    made_by text not null,
    constraint lobby_rule_once unique (format, pattern)
);
comment on table lobby_rule is 'A person''s word in advance: whoever is called so by a format is of this model.';
comment on column lobby_rule.pattern is 'The whole identity; * stands for any characters, ? for one.';

alter table quarantine add column again timestamptz[] not null default '{}';
comment on column quarantine.again is
    'When the same bytes of an unknown device came again: without a number each is news of its own, and is stored so.';
create index quarantine_waiting on quarantine (serial, received_at, quarantine_id)
    where stored_at is null and code in ('unknown_serial', 'unknown_device');

alter table quarantined_message add column retained boolean not null default false;
comment on column quarantined_message.retained is 'Whether the broker had kept it when it came first: then it may be of any age.';

alter table ingest_drop drop constraint drop_names_an_allowance;
alter table ingest_drop add constraint drop_names_an_allowance check (allowance ~ '^[a-z_]{1,32}$');

-- Who waits in quarantine already.
insert into lobby (name, lobby_id, format, identity, by_serial, first_heard_at, last_heard_at, topic, messages, bytes)
select q.serial, 'lob_' || left(md5(q.serial), 20),
       case when strpos(q.serial, '/') > 0 then split_part(q.serial, '/', 1) else 'millpond-v1' end,
       substr(q.serial, strpos(q.serial, '/') + 1), strpos(q.serial, '/') = 0,
       min(q.received_at), max(q.received_at), (array_agg(m.topic order by q.received_at desc))[1],
       count(*), sum(octet_length(m.payload) + 500)
from quarantine q join quarantined_message m using (digest)
where q.stored_at is null and q.code in ('unknown_serial', 'unknown_device') and q.serial <> ''
  and not starts_with(m.topic, 'import:')
group by q.serial order by max(q.received_at) desc limit 10000;
