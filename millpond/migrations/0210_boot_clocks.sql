-- Clocks that are wrong and yet go: of each boot how far they are from ours, so that what it measured keeps its distances.

create table boot_clock (
    serial   text not null,
    boot     text not null,
    seq      numeric(20, 0) not null,
    said_at  timestamptz not null,
    heard_at timestamptz not null,
    behind   interval not null,
    primary key (serial, boot)
);
comment on table boot_clock is 'Boots whose samples have implausible times. One row each, renewed in place.';
comment on column boot_clock.seq is 'The highest number that came live; said_at is its time as the device said it, heard_at when it came.';
comment on column boot_clock.behind is 'The least by which the device''s clock was behind ours when a live sample came: what is more is delay on the way.';
create index boot_clock_by_time on boot_clock (heard_at);
