-- What a model's properties are called in the languages in which it speaks, by format and property.

alter table device_model add column speaks jsonb not null default '{}'
    constraint device_model_speaks_by_format check (jsonb_typeof(speaks) = 'object');
comment on column device_model.speaks is
    'By format and property: the metric that it is, and how to come from the raw value to the metric''s unit.';
