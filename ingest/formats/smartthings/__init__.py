"""SmartThings, Samsung's cloud."""
