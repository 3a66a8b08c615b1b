"""miIO, the older protocol of Xiaomi's devices and of many that are sold under its roof."""
