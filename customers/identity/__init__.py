"""Who is one person: what others say of it, which of it is believed, and two customers who become one."""
