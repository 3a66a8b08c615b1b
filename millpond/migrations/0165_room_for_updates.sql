-- Rows that every batch changes find room on their own page, so that no index has to follow them and nothing grows.

alter table reading_latest set (fillfactor = 70);
alter table sequence set (fillfactor = 70);
