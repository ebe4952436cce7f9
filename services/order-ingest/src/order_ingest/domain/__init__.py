"""What the door decides: what it accepts, where an order belongs, and what it is called."""
