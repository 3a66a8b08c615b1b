-- The dam's report looks at orders that sources told of: few among many events, and wanted by when they came.
create index event_order_by_arrival on event (received_at) where name = 'Order Completed';
