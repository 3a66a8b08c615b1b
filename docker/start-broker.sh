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
conf="$config/mosquitto.conf"
if [ -n "${BROKER_ADMIN_PASSWORD:-}" ]; then
    # Devices' users are then kept by the scheduler, in the plugin's own file; those above stay beside them.
    access="$data/dynamic-security.json"
    [ -e "$access" ] || mosquitto_ctrl dynsec init "$access" keeper "$BROKER_ADMIN_PASSWORD"
    for plugin in /usr/lib/mosquitto_dynamic_security.so /usr/lib/*/mosquitto_dynamic_security.so; do
        [ -e "$plugin" ] && break
    done
    { cat "$conf"; echo "plugin $plugin"; echo "plugin_opt_config_file $access"; } >"$data/mosquitto.conf"
    chmod 0600 "$access"
    conf="$data/mosquitto.conf"
fi
if [ "$(id -u)" = 0 ]; then
    chown mosquitto:mosquitto "$data"/passwords "$data"/acl* "$data"/*.conf "$data"/*.json 2>/dev/null || true
fi
if [ $# = 0 ]; then
    set -- /usr/sbin/mosquitto -c "$conf"
fi
exec "$@"
