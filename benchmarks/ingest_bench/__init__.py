"""The parts of `restock bench ingest`."""
