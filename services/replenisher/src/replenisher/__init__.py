"""The replenisher: orders the right amount, in time, and says why."""
