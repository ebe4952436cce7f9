"""When to order, how much, and why: pure functions of what has been told so far."""
