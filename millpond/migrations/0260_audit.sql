-- Who saw or changed what of a person: a log that only grows, each entry sealed by a digest over itself and the one before.

create table audit_entry (
    number      bigint primary key constraint audit_entry_counts_from_one check (number >= 1),
    at          timestamptz not null,
    actor       text not null constraint audit_actor check (actor ~ '^[a-z]+:.' and length(actor) <= 220),
    action      text not null constraint audit_action check (action ~ '^[a-z][a-z0-9_]{0,63}$'),
    customer_id text,
    because     text not null constraint audit_because check (because ~ '^[a-z][a-z0-9_]{0,63}$'),
    detail      jsonb not null constraint audit_detail_is_an_object check (jsonb_typeof(detail) = 'object'),
    previous    bytea not null constraint audit_previous_is_sha256 check (length(previous) = 32),
    digest      bytea not null constraint audit_digest_is_sha256 check (length(digest) = 32)
);
-- No foreign key: whoever changes a customer's row and is recorded would wait for whoever is recorded reading it.
create index audit_entry_by_customer on audit_entry (customer_id, number) where customer_id is not null;
comment on column audit_entry.actor is 'Role and subject: operator:o, staff:sta_…, customer:cus_….';
comment on column audit_entry.customer_id is 'Whom it is about; null for what is about nobody in particular.';
comment on column audit_entry.because is 'A word for why they might: operator, bound_staff, till, or what was asked for.';
comment on column audit_entry.detail is 'Ids and words, never a name, an address or what somebody wrote.';
comment on column audit_entry.previous is 'The digest of the entry before it.';
comment on column audit_entry.digest is 'SHA-256 over the digest before it and the entry''s canonical text.';

-- One row, locked by whoever writes: two writers take turns, so the chain never forks.
create table audit_head (
    one          boolean primary key default true constraint audit_head_is_one check (one),
    number       bigint not null,
    digest       bytea not null,
    begins_after bigint not null,
    begins_from  bytea not null
);
comment on column audit_head.number is 'The newest entry, and in digest its digest.';
comment on column audit_head.begins_after is 'The newest entry that went by its age, and in begins_from its digest; 0 while none did.';
insert into audit_head (number, digest, begins_after, begins_from)
values (0, decode(repeat('00', 32), 'hex'), 0, decode(repeat('00', 32), 'hex'));

-- The canonical text is a JSON array as jsonb prints it: [number, microseconds since 1970, actor, action, customer_id,
-- because, detail]. What follows from another text has another digest.
create function audit_digest(previous bytea, number bigint, at timestamptz, actor text, action text, customer_id text,
                             because text, detail jsonb)
returns bytea language sql stable as $$
    select sha256($1 || convert_to(jsonb_build_array($2, (extract(epoch from $3) * 1000000)::bigint, $4, $5, $6, $7, $8)::text,
                                   'UTF8'))
$$;

-- One entry for each of some customers; a single null is for nobody in particular.
create function record_audit(at timestamptz, actor text, action text, customer_ids text[], because text, detail jsonb)
returns void language plpgsql as $$
declare
    head audit_head;
    follows bytea;
    whom text;
begin
    select * into strict head from audit_head for update;
    foreach whom in array customer_ids loop
        head.number := head.number + 1;
        follows := head.digest;
        head.digest := audit_digest(follows, head.number, $1, $2, $3, whom, $5, $6);
        insert into audit_entry values (head.number, $1, $2, $3, whom, $5, $6, follows, head.digest);
    end loop;
    update audit_head set number = head.number, digest = head.digest;
end $$;

-- How many entries at the beginning are older than a moment, and, when deleting, they go. The newest always stays.
create function end_audit_entries(before timestamptz, most bigint, deleting boolean)
returns bigint language plpgsql as $$
declare
    head audit_head;
    upto bigint;
begin
    select * into strict head from audit_head;
    select coalesce((select min(e.number) - 1 from audit_entry e where e.at >= before), head.number) into upto;
    upto := least(upto, head.number - 1, head.begins_after + coalesce(most, head.number));
    if deleting and upto > head.begins_after then
        update audit_head set begins_after = upto, begins_from = (select e.digest from audit_entry e where e.number = upto);
        delete from audit_entry e where e.number <= upto;
    end if;
    return greatest(upto - head.begins_after, 0);
end $$;

create function audit_only_grows() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' and tg_level = 'ROW' then
        if old.number <= (select begins_after from audit_head) then return old; end if;
    end if;
    raise exception '% takes no %: it only grows, and loses its oldest entries when they are old', tg_table_name, lower(tg_op)
        using errcode = 'check_violation', constraint = 'audit_only_grows';
end $$;
create trigger audit_only_grows before update or truncate on audit_entry
    for each statement execute function audit_only_grows();
create trigger audit_loses_only_its_oldest before delete on audit_entry
    for each row execute function audit_only_grows();
create trigger audit_head_stays before delete or truncate on audit_head
    for each statement execute function audit_only_grows();

create function audit_head_only_grows() returns trigger language plpgsql as $$
begin
    if new.number < old.number or new.begins_after < old.begins_after or new.begins_after > new.number then
        raise exception 'audit_head goes forward only'
            using errcode = 'check_violation', constraint = 'audit_only_grows';
    end if;
    return new;
end $$;
create trigger audit_head_only_grows before update on audit_head
    for each row execute function audit_head_only_grows();
