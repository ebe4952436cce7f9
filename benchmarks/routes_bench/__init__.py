"""The pieces of the benchmark of routes."""
