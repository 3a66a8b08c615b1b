"""The facts of a customer: one row a person, worked out set-wise from orders, events, devices and consents."""
