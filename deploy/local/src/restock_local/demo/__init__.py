"""The demo: real orders through the door, a simulated outside world, and figures read back."""
