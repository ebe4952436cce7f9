"""The embedded platform, the simulated outside world, and the restock command."""
