"""What could not be taken, kept with its bytes: found, shown, replayed once its cause is gone; and unknown events."""
