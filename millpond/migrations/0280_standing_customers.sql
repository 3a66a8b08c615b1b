-- Customers who stand for themselves, for whoever goes through all of them; only customers/ reads the table.
create view standing_customer as
select customer_id, created_at, erased_at from customer where merged_into is null;
