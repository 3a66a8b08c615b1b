-- name: select_counts
-- What is in the database, stage by stage.
select (select count(*) from device) as devices,
       (select stored from ingest_total) as readings_stored,
       (select quarantined from ingest_total) as readings_quarantined,
       (select count(*) from installation) as installations,
       (select count(*) from depletion_forecast where depletes_p50 is not null) as forecasts,
       (select count(*) from offer) as offers_issued,
       (select count(*) from offer where credited_to is not null) as offers_credited,
       (select count(*) from event) as events,
       (select count(*) from customer_order) as orders,
       (select coalesce(sum(p.amount_minor), 0) from posting p join ledger_entry using (entry_id)
        join account using (account_id) where account.staff_id is not null)::bigint as commission_minor,
       (select min(currency) from posting) as currency;

-- name: select_newest_reading
-- When the fleet last said anything, by its own clock.
select max(newest_at) from device_latest;

-- name: select_customers_with_offers
-- Customers with open offers: something that runs out first, then readers of English, then by how many they have.
select c.customer_id from offer join current_customer c on c.known_as = offer.customer_id where state in ('open', 'seen')
group by c.customer_id, c.locale
order by bool_or(reason_code = 'depletion') desc, c.locale = 'en' desc, count(*) desc, c.customer_id;
