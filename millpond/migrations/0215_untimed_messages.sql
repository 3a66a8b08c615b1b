-- What a broker may deliver again after a crash, and holds values that say neither their number nor when they were measured.

create table untimed_message (
    consumer text not null,
    lane text not null,
    packet_id int not null,
    digest bytea not null,
    received_at timestamptz not null,
    came int not null default 1,
    constraint untimed_message_once primary key (consumer, lane, packet_id),
    constraint untimed_message_is_of_a_lane check (lane in ('live', 'backfill')),
    constraint untimed_message_has_a_packet_id check (packet_id between 1 and 65535)
);

comment on table untimed_message is 'Stored messages with values that have neither number nor time, by the packet id they came under; newest only.';
comment on column untimed_message.consumer is 'Whose session at the broker, with its lane: packet ids are of a session.';
comment on column untimed_message.digest is 'SHA-256 of topic and payload.';
comment on column untimed_message.received_at is 'When it first came.';
comment on column untimed_message.came is 'How often it was delivered to us under this packet id.';
