#!/bin/sh
# Makes the password and the access file, then becomes the broker (or whatever command it is given). Users of this file
# are renewed from the environment, and gone when their password is; devices' own, from add-device.sh, are kept.
set -eu
data="${MILLPOND_BROKER_DATA:-/mosquitto/data}"
config="${MILLPOND_BROKER_CONFIG:-/mosquitto/config}"
touch "$data/passwords" "$data/acl.devices"
chmod 0700 "$data/passwords"
mosquitto_passwd -b "$data/passwords" millpond "$MILLPOND_BROKER_PASSWORD"
if [ -n "${SIMULATORS_BROKER_PASSWORD:-}" ]; then
    mosquitto_passwd -b "$data/passwords" simulators "$SIMULATORS_BROKER_PASSWORD"
elif grep -q '^simulators:' "$data/passwords"; then
    mosquitto_passwd -D "$data/passwords" simulators
fi
cat "$config/acl" "$data/acl.devices" >"$data/acl"
chmod 0700 "$data/acl" "$data/acl.devices"
if [ "$(id -u)" = 0 ]; then
    chown mosquitto:mosquitto "$data/passwords" "$data/acl" "$data/acl.devices"
fi
if [ $# = 0 ]; then
    set -- /usr/sbin/mosquitto -c "$config/mosquitto.conf"
fi
exec "$@"
