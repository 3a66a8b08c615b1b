#!/bin/sh
# Makes the password file from the environment, then becomes the broker. Devices' own users are added with
# `mosquitto_passwd /mosquitto/data/passwords SERIAL`; those of this file are renewed and the rest is kept.
set -eu
passwords=/mosquitto/data/passwords
touch "$passwords"
chmod 0700 "$passwords"
mosquitto_passwd -b "$passwords" millpond "$MILLPOND_BROKER_PASSWORD"
if [ -n "${SIMULATORS_BROKER_PASSWORD:-}" ]; then
    mosquitto_passwd -b "$passwords" simulators "$SIMULATORS_BROKER_PASSWORD"
fi
chown mosquitto:mosquitto "$passwords"
exec /usr/sbin/mosquitto -c /mosquitto/config/mosquitto.conf
