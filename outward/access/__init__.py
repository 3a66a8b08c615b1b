"""Who may speak at the broker: mosquitto's dynamic security plugin is kept to what our database says."""
