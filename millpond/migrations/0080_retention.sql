-- What is old is found by its time, so that a day's retention reads what it deletes and not whole tables.

create index quarantined_message_by_time on quarantined_message (received_at);
create index conflict_by_time on reading_conflict (received_at);
create index effective_time_by_time on effective_time (effective_at);
create index idempotency_key_by_time on idempotency_key (created_at);
create index scan_by_time on scan (scanned_at);
create index decision_that_made_no_offer on decision (decided_at) where outcome = 'not_issued';
create index forecast_run_by_time on forecast_run (made_at);
