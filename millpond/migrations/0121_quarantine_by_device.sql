-- One message may speak of many devices: what is refused of it is known by the device too.
alter table quarantine drop constraint quarantine_once_per_item;
alter table quarantine add constraint quarantine_once_per_item unique (digest, serial, item);
comment on column quarantine.serial is 'Whose the item is: a serial, or format/name for a device that its format calls so and nobody knows.';
