-- Gaps that are asked for: each with its own patience, so that none waits for another, and an end to how many a boot may have.

drop view sequence_gap;
drop index sequence_with_a_gap;
alter table sequence drop column asked_at;
alter table sequence add column overflow_at timestamptz;
comment on column sequence.overflow_at is 'When numbers were last left out, because the boot has more gaps than are kept of one.';
create function has_more_ranges(numbers nummultirange, most integer) returns boolean
language plpgsql immutable parallel safe as $$
begin
    return not isempty(numbers) and nummultirange(range_merge(numbers)) <> numbers
           and (select count(*) > most from unnest(numbers));
end $$;

create function first_ranges(numbers nummultirange, most integer) returns nummultirange
language plpgsql immutable parallel safe as $$
begin
    -- Nearly every boot has one range, and that is known at once.
    if not has_more_ranges(numbers, most) then
        return numbers;
    end if;
    return (select range_agg(kept) from (select kept from unnest(numbers) as kept limit most) as first_ones);
end $$;

create index sequence_that_overflows on sequence (overflow_at) where overflow_at is not null;

-- A boot counts from 0 or 1; what is missing between there and the highest number seen is a gap.
create view sequence_gap as
select serial, boot, lower(hole) as from_seq, upper(hole) - 1 as to_seq, last_seen_at
from sequence,
     unnest(nummultirange(numrange(least(1, lower(received + given_up)), upper(received + given_up)))
            - (received + given_up)) as hole
where nummultirange(range_merge(received + given_up)) <> received + given_up or lower(received + given_up) > 1;

create table watched_gap (
    serial   text not null,
    boot     text not null,
    from_seq numeric(20, 0) not null,
    to_seq   numeric(20, 0) not null,
    since    timestamptz not null,
    asks     integer not null default 0,
    asked_at timestamptz,
    ask_at   timestamptz not null,
    awaits_answer boolean not null default false,
    answered integer not null default 0,
    primary key (serial, boot, from_seq),
    foreign key (serial, boot) references sequence on delete cascade,
    constraint gap_is_not_empty check (from_seq <= to_seq),
    constraint gap_is_answered_after_it_was_asked_for check (answered <= asks)
);
comment on table watched_gap is 'The first gaps of each boot: what sequence_gap has, and how often each was asked for.';
comment on column watched_gap.since is 'Since when the gap is as large as it is.';
comment on column watched_gap.answered is 'After how many of the asks something came of which no number can be read.';
create index watched_gap_by_time on watched_gap (ask_at);
create index watched_gap_answered on watched_gap (answered) where answered > 0;

insert into watched_gap (serial, boot, from_seq, to_seq, since, ask_at)
select serial, boot, from_seq, to_seq, last_seen_at, last_seen_at
from (select *, row_number() over (partition by serial, boot order by from_seq) as place from sequence_gap) as gap
where place <= 20;

alter table ingest_consumer
    add column gaps              bigint not null default 0,
    add column devices_with_gaps bigint not null default 0,
    add column overflowing_boots bigint not null default 0,
    add column numbers_given_up  numeric not null default 0;
comment on column ingest_consumer.gaps is 'Gaps that were watched when this ingest last counted them, over all devices.';
comment on column ingest_consumer.numbers_given_up is 'Sequence numbers that this ingest gave up without their device''s word.';
