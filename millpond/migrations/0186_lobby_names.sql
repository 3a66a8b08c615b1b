-- What else an unknown device is called, and what it says that it is.

alter table lobby add column said_model text not null default '';
alter table lobby add column other_names jsonb not null default '[]'
    constraint lobby_has_few_names check (jsonb_array_length(other_names) <= 4);
comment on column lobby.said_model is 'What its messages say that its model is, in their own words; empty when they do not say.';
comment on column lobby.other_names is 'What else its format calls it; it is known when one of them is an alias.';
