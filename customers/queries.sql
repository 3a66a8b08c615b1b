-- name: insert_customer
-- Open a customer's account.
insert into customer (customer_id, external_key, name, locale, time_zone, created_at)
values (%(customer_id)s, %(external_key)s, %(name)s, %(locale)s, %(time_zone)s, %(at)s)
returning customer_id, external_key, name, locale, time_zone, created_at;

-- name: insert_customer_when_new
-- Open an account under an external key unless there is one; no row when there is.
insert into customer (customer_id, external_key, name, created_at)
values (%(customer_id)s, %(external_key)s, %(external_key)s, %(at)s)
on conflict (external_key) do nothing
returning customer_id, external_key, name, locale, time_zone, created_at;

-- name: select_customer
-- One customer, by our id, or else by the key the brand's own systems know them by.
select customer_id, external_key, name, locale, time_zone, created_at from customer
where customer_id = %(customer_id)s or external_key = %(customer_id)s
order by customer_id = %(customer_id)s desc limit 1;

-- name: select_customer_by_key
-- The customer with an external key.
select customer_id, external_key, name, locale, time_zone, created_at from customer where external_key = %(external_key)s;

-- name: select_customers
-- A page of customers after an id.
select customer_id, external_key, name, locale, time_zone, created_at
from customer where customer_id > %(after)s order by customer_id limit %(limit)s;

-- name: lock_customer
-- Whoever changes what a household is bound to, offered or sold does it one after the other.
select 1 from customer where customer_id = %(customer_id)s for no key update;
