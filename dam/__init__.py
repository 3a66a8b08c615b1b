"""What is known of people over all packages: the report of the dam, one person's story, their export and erasure."""
