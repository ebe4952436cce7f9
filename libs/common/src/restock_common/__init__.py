"""What every Restock service shares: contracts, and one way to read, decide, save and publish."""
