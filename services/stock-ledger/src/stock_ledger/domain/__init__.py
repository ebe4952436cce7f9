"""The ledger's rules: pure decisions, (books, message) -> decision."""
