"""The ledger: reserves, ships and receives stock, and cannot oversell."""
