-- Hours are compressed series by series, as readings are: a chart reads one series. What is compressed already is done again.
alter materialized view reading_hour_live set (timescaledb.compress = true,
    timescaledb.compress_segmentby = 'device_id, metric_id', timescaledb.compress_orderby = 'hour');
