"""VeSync, the cloud of Levoit's devices."""
