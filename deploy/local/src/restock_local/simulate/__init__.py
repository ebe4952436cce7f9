"""The replenisher's policies over demand: `restock simulate policy`."""
