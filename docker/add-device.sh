#!/bin/sh
# Gives a device a user of its own and says its name: add-device.sh SERIAL PASSWORD. The name is the serial; a colon, which
# Mosquitto takes in no user name, is written %3A, and such a device's topics are named one by one.
#   docker compose exec broker sh /mosquitto/config/add-device.sh SERIAL PASSWORD && docker compose kill -s HUP broker
set -eu
data="${MILLPOND_BROKER_DATA:-/mosquitto/data}"
serial="${1:?say the serial}"
password="${2:?say the password}"
case "$serial" in
    *[!A-Za-z0-9._:-]*) echo "serial '$serial' is not letters, digits, dots, colons, dashes or underscores" >&2; exit 1 ;;
    millpond | simulators) echo "'$serial' is the name of another user" >&2; exit 1 ;;
esac
user=$(printf '%s' "$serial" | sed 's/:/%3A/g')
mosquitto_passwd -b "$data/passwords" "$user" "$password"
if [ "$user" != "$serial" ] && ! grep -qxF "user $user" "$data/acl.devices"; then
    {
        echo "user $user"
        for lane in telemetry backfill status events command/+/result raw/+; do echo "topic write millpond/v1/$serial/$lane"; done
        for lane in ack command; do echo "topic read millpond/v1/$serial/$lane"; done
    } | tee -a "$data/acl.devices" >>"$data/acl"
fi
echo "$user"
