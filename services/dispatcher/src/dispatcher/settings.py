"""What the dispatcher reads from the environment, once."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from dispatcher.domain.effort import Effort
from dispatcher.domain.rules import MICRO, Rules
from restock_common.settings import AdminKey, ServiceSettings


class Settings(ServiceSettings):
    """The dispatcher's own settings, beside those of every service.

    Attributes:
        wave_cut_off_hour: Waves close each day at this hour, UTC.
        wave_shipments_max: A wave with so many shipments closes at once.
        urgent_minutes: Shipments that cannot wait for the next wave gather for so long.
        loading_minutes: How long a vehicle is loaded; what leaves sooner is not planned anew.
        delivery_attempts: What could not be delivered so often is brought back for good.
        retell_minutes: A route that proves so much later than was told is told again.
        admin_key: What `X-API-Key` must be to report deliveries and failures, delays and vehicles,
            8 characters or more; without one, nobody can.
        service_minutes: How long a stop takes.
        road_factor: Length of the road over length of the great circle.
        driver_cost_per_hour: In the currency of the vehicles' costs.
        drop_penalty: What leaving a parcel out is taken to cost, for each wave it has waited.
        route_dial: From 0, the cheapest plan, to 1, the fastest.
        stability_cost: Of each stop that changes its vehicle when a day is planned anew.
        solver_engine: Which engine finds routes; `pyvrp` has to be installed.
        solver_seconds: How long a search from nothing may go on.
        solver_replan_seconds: How long one that changes a plan that stands may go on.
        solver_iterations: Stop after so many instead: then plans repeat themselves; 0 by the clock.
        solver_workers: Processes that solve side by side, a wave each.
    """

    wave_cut_off_hour: Annotated[int, Field(ge=0, le=23)] = 0
    wave_shipments_max: Annotated[int, Field(ge=1, le=100_000)] = 5000
    urgent_minutes: Annotated[int, Field(ge=1, le=120)] = 5
    loading_minutes: Annotated[int, Field(ge=0, le=600)] = 30
    delivery_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    retell_minutes: Annotated[int, Field(ge=1, le=600)] = 30
    admin_key: AdminKey = None
    service_minutes: Annotated[float, Field(gt=0, le=120)] = 4.0
    road_factor: Annotated[float, Field(ge=1, le=5)] = 1.3
    driver_cost_per_hour: Annotated[float, Field(ge=0, le=1000)] = 25.0
    drop_penalty: Annotated[float, Field(gt=0, le=1_000_000)] = 1000.0
    route_dial: Annotated[float, Field(ge=0, le=1)] = 0.0
    stability_cost: Annotated[float, Field(ge=0, le=1000)] = 2.0
    solver_engine: Literal["ortools", "pyvrp"] = "ortools"
    solver_seconds: Annotated[float, Field(ge=1, le=3600)] = 10.0
    solver_replan_seconds: Annotated[float, Field(ge=1, le=3600)] = 2.0
    solver_iterations: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    solver_workers: Annotated[int, Field(ge=1, le=64)] = 2

    def rules(self) -> Rules:
        """Return what holds for every wave, in whole numbers."""
        return Rules(
            cut_off_hour=self.wave_cut_off_hour,
            wave_size_max=self.wave_shipments_max,
            urgent=timedelta(minutes=self.urgent_minutes),
            loading=timedelta(minutes=self.loading_minutes),
            attempts_max=self.delivery_attempts,
            retell=timedelta(minutes=self.retell_minutes),
            service_s=round(self.service_minutes * 60),
            road_factor=self.road_factor,
            driver_cost_per_hour=round(self.driver_cost_per_hour * MICRO),
            drop_penalty=round(self.drop_penalty * MICRO),
            stability_cost=round(self.stability_cost * MICRO),
            dial=self.route_dial,
        )

    def effort(self) -> Effort:
        """Return how long a search may go on."""
        return Effort(
            engine=self.solver_engine,
            seconds=self.solver_seconds,
            replan_seconds=self.solver_replan_seconds,
            iterations=self.solver_iterations or None,
        )
