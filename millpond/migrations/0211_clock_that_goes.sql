-- Whether a boot's wrong clock was seen to go: only then does it date what was measured after the last live sample.

alter table boot_clock add column goes boolean not null default true;
alter table boot_clock alter column goes drop default;
comment on column boot_clock.goes is 'Two live samples have shown that it goes about as fast as ours.';
