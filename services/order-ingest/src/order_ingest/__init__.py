"""The door: orders, receipts, counts, master data and time, validated, homed and published."""
