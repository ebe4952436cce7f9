"""What is ordered together: a supplier's wishes made to fit what binds it."""

from replenisher.domain.plan.orders import Plan, PlannedLine, PlannedOrder, make_plan

__all__ = ["Plan", "PlannedLine", "PlannedOrder", "make_plan"]
