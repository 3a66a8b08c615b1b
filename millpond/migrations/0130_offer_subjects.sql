-- What an offer is about need not be a device; a decision says how it was ranked; and noes that repeat are counted.

create view device_in_use as
select d.device_id, d.serial, d.customer_id, m.name as names, m.sku,
       greatest(d.installed_at, w.owned_from) as installed_at
from device d
join device_model m using (model)
left join device_owner w on w.device_id = d.device_id and w.owned_until is null;
comment on view device_in_use is 'Devices with their owner of now (null: nobody), and since when that household has had them.';

alter table offer
    alter column device_id drop not null,
    add column subject_kind text,
    add column subject_key  text;
update offer set subject_kind = case when installation_id is null then 'device' else 'installation' end,
                 subject_key = coalesce(installation_id, device_id)::text;
alter table offer
    alter column subject_kind set not null,
    alter column subject_key set not null,
    add constraint offer_subject_names_its_device check (
        case subject_kind
            when 'installation' then device_id is not null and coalesce(installation_id::text = subject_key, false)
            when 'device' then installation_id is null and coalesce(device_id::text = subject_key, false)
            else device_id is null and installation_id is null
        end);
comment on column offer.subject_kind is 'What the offer is about: installation, device, or something that is no device at all.';
comment on column offer.subject_key is 'Which one: for an installation or a device its id, which its column repeats.';

-- A device and its parts are open once by the two indexes there are; for all other subjects there is this one.
create unique index one_open_offer_per_subject_and_product on offer (subject_kind, subject_key, sku)
    where state in ('open', 'seen') and device_id is null;
create index offer_by_subject on offer (subject_key, subject_kind, sku);
drop index offer_by_device;

alter table decision
    alter column device_id drop not null,
    add column subject_kind   text,
    add column subject_key    text,
    add column policy         text not null default 'rules-1',
    add column score          double precision,
    add column propensity     double precision
        constraint decision_propensity_is_a_probability check (propensity > 0 and propensity <= 1),
    add column slate_id       text,
    add column slate_position integer constraint decision_slate_position_counts_from_one check (slate_position >= 1),
    add column times          bigint not null default 1 constraint decision_times_counts check (times >= 1),
    add column last_at        timestamptz,
    add constraint decision_slate_has_a_place check ((slate_id is null) = (slate_position is null)),
    add constraint decision_issued_once check (outcome = 'not_issued' or times = 1);
update decision set subject_kind = case when installation_id is null then 'device' else 'installation' end,
                    subject_key = coalesce(installation_id, device_id)::text,
                    last_at = decided_at;
alter table decision
    alter column policy drop default,
    alter column subject_kind set not null,
    alter column subject_key set not null,
    alter column last_at set not null,
    add constraint decision_last_at_follows check (last_at >= decided_at),
    add constraint decision_subject_names_its_device check (
        case subject_kind
            when 'installation' then device_id is not null and coalesce(installation_id::text = subject_key, false)
            when 'device' then installation_id is null and coalesce(device_id::text = subject_key, false)
            else device_id is null and installation_id is null
        end);
comment on column decision.policy is 'Name and version of the rules that ranked. They have been the same ever since there were decisions.';
comment on column decision.score is 'What it was ranked by: the higher, the earlier on the slate. Null for a no, which is not ranked.';
comment on column decision.propensity is 'The probability with which the policy put it where it is; 1 where nothing was left to chance.';
comment on column decision.slate_id is 'What was ranked together has one slate. Null for a no, and for what was decided before slates were kept.';
comment on column decision.times is 'So many noes in a row about the same thing, to the same customer, by the same rule: from decided_at to last_at.';
create index decision_by_subject on decision (subject_key, subject_kind, sku, trigger, decided_at desc);
drop index decision_by_thing;
-- Counting a no again changes no index, and with room on the page it stays there.
alter table decision set (fillfactor = 85);
