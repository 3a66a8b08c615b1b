-- What devices and households were told last: a broker that was away when it changed is told when it is back.

create table told_topic (
    topic          text primary key,
    device_id      bigint not null constraint told_topic_is_of_a_device references device,
    content_sha256 bytea not null,
    told_at        timestamptz not null
);
comment on table told_topic is 'One row a retained message of ours at the broker, with what it says; it goes when the message is taken back.';
create index told_topic_by_device on told_topic (device_id);
