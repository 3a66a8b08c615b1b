"""What people did in the app, on the web and in shops: who tells it, the plan of events, and storing them."""
