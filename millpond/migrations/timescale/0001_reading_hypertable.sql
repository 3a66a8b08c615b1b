-- reading becomes a hypertable of weekly chunks, compressed by device and metric once late data is rare.
select create_hypertable('reading', 'measured_at', chunk_time_interval => interval '7 days', migrate_data => true);
alter table reading set (timescaledb.compress, timescaledb.compress_segmentby = 'device_id, metric_id',
                         timescaledb.compress_orderby = 'measured_at');
select add_compression_policy('reading', compress_after => interval '30 days');
