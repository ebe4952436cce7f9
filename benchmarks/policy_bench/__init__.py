"""The parts of `restock bench policy`."""
