"""A PostgreSQL and a broker without Docker, for the demo, the tests, the benchmarks and the proof."""
