"""Replenishment policies, vectorised over skus, behind one Protocol."""
