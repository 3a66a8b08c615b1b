"""Brother's printers, and others' over SNMP."""
