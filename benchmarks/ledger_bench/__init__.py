"""What `restock bench ledger` is made of."""
