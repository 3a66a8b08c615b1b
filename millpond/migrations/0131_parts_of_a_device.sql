-- All parts that a device ever had, the undone ones too: asked for each household that is decided.

create index installation_by_device on installation (device_id, part, installed_at);
