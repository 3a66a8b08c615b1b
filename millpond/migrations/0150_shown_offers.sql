-- An offer with what its customer is told beside it, so that showing a page of them takes one look.

create view shown_offer as
select o.offer_id, o.decision_id, o.customer_id, o.subject_kind, o.subject_key, o.device_id, o.installation_id, o.sku,
       o.reason_code, o.facts, o.state, o.list_price_minor, o.price_minor, o.currency, o.valid_from, o.reply_by,
       o.valid_until, o.binding_id, o.credited_to, o.issued_at,
       p.name as product, t.name as staff_name, t.store_id, s.name as store_name, c.locale, c.time_zone
from offer o
join product p using (sku)
join current_customer c on c.known_as = o.customer_id
left join staff t on t.staff_id = o.credited_to
left join store s on s.store_id = t.store_id;
comment on view shown_offer is 'The offer''s own columns, its product''s names, who is credited, and how its customer is spoken to.';
