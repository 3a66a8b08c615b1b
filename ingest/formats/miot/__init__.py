"""MIoT, the specification of Xiaomi's newer devices."""
