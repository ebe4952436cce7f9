"""The dispatcher: gathers allocations into waves and routes them with OR-Tools."""
