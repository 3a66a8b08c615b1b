-- A person who sells, with the customer account that is theirs now: who was merged into another is that one here too,
-- so that nobody can credit themselves, or refund what they bought, by an account that they had before.

create view staff_member as
select s.staff_id, s.store_id, s.name, c.customer_id, s.badge_version, s.employed_from, s.left_at
from staff s left join current_customer c on c.known_as = s.customer_id;
