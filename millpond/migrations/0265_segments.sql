-- What customers have in common: the facts of a customer, segments as conditions on them, and their members with a history.

create table customer_facts (
    customer_id       text primary key references customer,
    at                timestamptz not null,
    behaviour         boolean not null,
    devices           boolean not null,
    orders            integer,
    first_order_at    timestamptz,
    last_order_at     timestamptz,
    cycle_days        double precision constraint customer_facts_cycle check (cycle_days > 0),
    currency          text,
    spent             jsonb,
    refunds           integer,
    channels          text[],
    stores            text[],
    categories        text[],
    discounted_orders integer,
    new_orders        integer,
    discounted_ids    text[],
    new_ids           text[],
    checkouts         integer,
    gifts             integer,
    season_gifts      integer,
    coupons           integer,
    gift_ids          bigint[],
    coupon_ids        bigint[],
    interests         jsonb,
    reviews           integer,
    last_seen_at      timestamptz,
    models            text[],
    parts_due         integer,
    part_due_at       timestamptz,
    life_cycle        text constraint customer_facts_life_cycle check (life_cycle in
                      ('no_order', 'new', 'active', 'at_risk', 'lapsed', 'won_back')),
    turns_at          timestamptz,
    constraint customer_facts_need_a_consent check (behaviour or devices),
    constraint customer_facts_of_behaviour check (behaviour = (orders is not null)),
    constraint customer_facts_of_devices check (devices = (models is not null))
) with (fillfactor = 80);
create index customer_facts_that_turn on customer_facts (turns_at) where turns_at is not null;
comment on table customer_facts is 'One row a person who lets us look at what they do or own; who agrees to neither has none.';
comment on column customer_facts.at is 'For which moment they were worked out.';
comment on column customer_facts.behaviour is 'The purpose `personalisation` held: only then anything of orders and events is here.';
comment on column customer_facts.devices is 'The purpose `device_profiling` held: only then anything of devices is here.';
comment on column customer_facts.orders is 'How many were placed and not given back whole.';
comment on column customer_facts.cycle_days is 'How long they wait between two days on which they buy, drawn towards what is usual.';
comment on column customer_facts.currency is 'In which they bought most often.';
comment on column customer_facts.spent is 'By currency, minor units, without what was given back.';
comment on column customer_facts.discounted_orders is 'Orders with something below its price of that moment; some of them in discounted_ids.';
comment on column customer_facts.new_orders is 'Orders with something that had just come out; some of them in new_ids.';
comment on column customer_facts.checkouts is 'Events that say that they bought; of these the gifts, those in a season of gifts, and those with a coupon.';
comment on column customer_facts.interests is 'By category, how much they looked, wanted and bought, weighed by kind and age; without what they struck out.';
comment on column customer_facts.parts_due is 'Parts of their devices that are expected to be used up soon, the first at part_due_at.';
comment on column customer_facts.turns_at is 'When their life-cycle is another one if nothing happens.';

create table segment_cut (
    measure   text not null constraint segment_cut_measure check (measure in ('recency', 'frequency', 'money')),
    currency  text not null,
    at        timestamptz not null,
    customers bigint not null constraint segment_cut_customers check (customers >= 0),
    cuts      double precision[] constraint segment_cut_of_fifths check (cardinality(cuts) = 4),
    primary key (measure, currency)
);
comment on table segment_cut is 'Where customers are divided into fifths, by the newest full refresh; cuts are null while too few bought.';
comment on column segment_cut.currency is 'Of money; else empty.';

-- From 1 to 5: one more than there are cuts below the value. Equal values are in the same fifth.
create function fifth(value double precision, cuts double precision[]) returns integer language sql immutable as $$
    select 1 + (value > cuts[1])::integer + (value > cuts[2])::integer + (value > cuts[3])::integer + (value > cuts[4])::integer
$$;

create view customer_profile as
select f.*, (f.spent ->> f.currency)::bigint as spent_minor,
       fifth(extract(epoch from f.last_order_at)::double precision,
             (select cuts from segment_cut where measure = 'recency')) as recency_score,
       case when f.orders > 0 then fifth(f.orders, (select cuts from segment_cut where measure = 'frequency')) end
           as frequency_score,
       fifth((f.spent ->> f.currency)::double precision, m.cuts) as money_score,
       greatest(f.discounted_orders::double precision / nullif(f.orders, 0),
                f.coupons::double precision / nullif(f.checkouts, 0)) as discount_ratio,
       f.new_orders::double precision / nullif(f.orders, 0) as novelty_ratio,
       f.gifts::double precision / nullif(f.checkouts, 0) as gift_ratio
from customer_facts f left join segment_cut m on m.measure = 'money' and m.currency = f.currency;

create table segment (
    segment_id text primary key constraint segment_id_is_a_word check (segment_id ~ '^[a-z][a-z0-9_]{0,62}$'),
    title      jsonb not null constraint segment_title_in_english check (title ? 'en'),
    condition  jsonb not null constraint segment_condition_is_an_object check (jsonb_typeof(condition) = 'object'),
    needs      text[] not null,
    refers     text[] not null,
    built_in   boolean not null,
    created_at timestamptz not null,
    changed_at timestamptz not null
);
comment on column segment.title is 'What it is called, by language.';
comment on column segment.needs is 'The purposes that a customer must agree to before they are looked at for it.';
comment on column segment.refers is 'The segments that its condition names.';
comment on column segment.built_in is 'It ships with Millpond, and each `millpond migrate` renews it.';

create table segment_member (
    segment_id  text not null references segment,
    customer_id text not null references customer,
    from_at     timestamptz not null,
    until_at    timestamptz,
    evidence    jsonb not null constraint segment_member_evidence_is_an_object check (jsonb_typeof(evidence) = 'object'),
    primary key (segment_id, customer_id, from_at),
    constraint segment_member_in_order check (until_at >= from_at)
);
create unique index segment_member_now on segment_member (segment_id, customer_id) where until_at is null;
create index segment_member_by_customer on segment_member (customer_id);
create index segment_member_by_end on segment_member (until_at) where until_at is not null;
comment on column segment_member.evidence is 'What the condition saw of them when they came in.';

create table segment_size (
    segment_id text not null references segment,
    at         timestamptz not null,
    members    bigint not null constraint segment_size_not_negative check (members >= 0),
    primary key (segment_id, at)
);

create table segment_refresh (
    at        timestamptz primary key,
    complete  boolean not null,
    customers bigint not null constraint segment_refresh_customers check (customers >= 0),
    cycle_days double precision not null constraint segment_refresh_cycle check (cycle_days > 0)
);
comment on table segment_refresh is 'For which moments facts and members were renewed: of all customers, or of those who had changed.';
comment on column segment_refresh.cycle_days is 'How long customers usually waited between two orders, as it was taken: a whole refresh measures it.';

-- Whose segments are asked for by any id of theirs; one whose purposes do not all hold at the moment is not told.
create function segments_of(named text, moment timestamptz)
returns table (segment_id text, title jsonb, since timestamptz, evidence jsonb) language sql stable as $$
    select s.segment_id, s.title, m.from_at, m.evidence
    from person p join segment_member m on m.customer_id = p.customer_id and m.until_at is null join segment s using (segment_id)
    where p.known_as = named
      and s.needs <@ array(select h.purpose from consents_in_force(array[p.customer_id], moment) h)
$$;

create index order_by_writing on customer_order using brin (created_at);
create index refund_by_time on refund using brin (refunded_at);
create index consent_by_time on consent using brin (at);
