-- Operators look for customers by how a name begins.
create index customer_by_name on customer (lower(name) text_pattern_ops);
