-- States in which a part is to be replaced, and what else a model is called by hubs and clouds.

alter table part_limit add column due text[]
    constraint part_limit_due_is_of_a_state check (due is null or (measure = 'state' and cardinality(due) > 0));
comment on column part_limit.due is 'States of the metric in which the device asks for a new part.';

alter table device_model add column also text[] not null default '{}';
comment on column device_model.also is 'What languages call this model besides: a hub''s or a maker''s name for it.';
