-- A purpose says what is used and how long; two more are known; where a customer lives; and what they want no part in.

alter table purpose
    drop constraint purpose_known,
    add constraint purpose_known check (purpose in (
        'service', 'personalisation', 'device_profiling', 'marketing_app', 'marketing_email', 'marketing_sms',
        'marketing_messenger', 'marketing_night', 'staff_contact', 'location', 'research')),
    add column uses  jsonb constraint purpose_uses_in_every_language check (uses ?& array['en', 'ko', 'zh']),
    add column keeps jsonb constraint purpose_keeps_in_every_language check (keeps ?& array['en', 'ko', 'zh']),
    add column own   boolean not null default false;
comment on column purpose.uses is 'What of the customer''s is used for it, by language.';
comment on column purpose.keeps is 'How long it is kept for that, by language.';
comment on column purpose.own is 'Worded by an operator: what ships has no say in this purpose any more.';

-- The first versions were there before anybody could read them. What ships says once of each what is used and how long;
-- apart from that, what was said and what it was said to stays as it was.
drop trigger purpose_only_grows on purpose;
create trigger purpose_only_grows before delete or truncate on purpose
    for each statement execute function consent_only_grows();
create function purpose_stays_as_it_was() returns trigger language plpgsql as $$
begin
    if old.uses is null and old.keeps is null
       and row(new.purpose, new.version, new.basis, new.words, new.valid_from, new.own)
           = row(old.purpose, old.version, old.basis, old.words, old.valid_from, old.own) then
        return new;
    end if;
    raise exception 'a version of % takes no update: add a new version instead', old.purpose
        using errcode = 'check_violation', constraint = 'consent_only_grows';
end $$;
create trigger purpose_stays_as_it_was before update on purpose
    for each row execute function purpose_stays_as_it_was();

-- Nobody but the customer says yes for them: an operator who writes one down says how they know.
alter table consent add constraint consent_yes_written_down_has_evidence check (
    not given or source <> 'operator' or (evidence ? 'how' and evidence ? 'reference')) not valid;
create index consent_yes_by_purpose on consent (purpose, at) where given;

alter table customer add column country text constraint customer_country_is_two_letters check (country ~ '^[A-Z]{2}$');
comment on column customer.country is
    'ISO 3166 code of where they live, as somebody said it; null where it is read from their time zone and language.';

create table tag_objection (
    customer_id text not null references customer,
    tag         text not null constraint tag_objection_bounds check (length(tag) between 1 and 200),
    at          timestamptz not null,
    source      text not null constraint tag_objection_source check (source ~ '^[a-z][a-z_]*$'),
    primary key (customer_id, tag)
);
comment on table tag_objection is 'An interest that a customer struck out: nothing is concluded from it about them again.';

-- By whichever of their ids somebody asks: the tags that one person struck out, also before they were merged.
create view objected_tag as
select asked.customer_id, o.tag, min(o.at) as at
from customer asked
join customer known on coalesce(known.merged_into, known.customer_id) = coalesce(asked.merged_into, asked.customer_id)
join tag_objection o on o.customer_id = known.customer_id
group by asked.customer_id, o.tag;
