-- Who was merged into another is one person with them: what either of them said counts for both.

create or replace function consents_in_force(customer_ids text[], moment timestamptz)
returns table (customer_id text, purpose text) language sql stable as $$
    with asked as (
        select c.customer_id, coalesce(c.merged_into, c.customer_id) as person
        from customer c where c.customer_id = any(customer_ids)
    ), known as (
        select a.person, a.person as customer_id from asked a
        union
        select a.person, m.customer_id from asked a join customer m on m.merged_into = a.person
    ), said as (
        select distinct on (k.person, c.purpose) k.person, c.purpose, c.version, c.given
        from known k join consent c on c.customer_id = k.customer_id and c.at <= moment
        order by k.person, c.purpose, c.at desc, c.consent_id desc
    )
    select asked.customer_id, p.purpose
    from asked
    cross join (select distinct on (v.purpose) v.purpose, v.version, v.basis from purpose v
                where v.valid_from <= moment order by v.purpose, v.valid_from desc, v.version desc) p
    left join said on said.person = asked.person and said.purpose = p.purpose
    where case p.basis when 'consent' then said.given and said.version = p.version else coalesce(said.given, true) end
$$;
