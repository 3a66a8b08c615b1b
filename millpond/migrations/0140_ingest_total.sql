-- What came in and what became of it, said once: the metrics page, the operator's page, the demo and test suites ask it.

create view ingest_total as
select coalesce(sum(messages), 0)::bigint as messages, coalesce(sum(received), 0)::bigint as received,
       coalesce(sum(stored), 0)::bigint as stored, coalesce(sum(duplicate), 0)::bigint as duplicate,
       coalesce(sum(conflict), 0)::bigint as conflict, coalesce(sum(quarantined), 0)::bigint as quarantined,
       coalesce(sum(dropped), 0)::bigint as dropped,
       (select coalesce(sum(in_flight), 0)::bigint from ingest_consumer) as in_flight
from ingest_minute;
comment on view ingest_total is
    'Metric values since the beginning: received = stored + duplicate + conflict + quarantined; those in_flight are in none of them.';
