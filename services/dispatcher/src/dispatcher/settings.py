"""What the dispatcher reads from the environment, once."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from dispatcher.domain.routing import Effort
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
        solver_solutions: The search's stop rule; see `Effort`.
        solver_seconds_max: The search's safety net; see `Effort`.
        solver_workers: Processes that solve side by side, a wave each.
        solver_sector_stops: Larger waves are solved in sectors of at most this many stops.
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
    solver_solutions: Annotated[int, Field(ge=1, le=1_000_000)] = 30
    solver_seconds_max: Annotated[int, Field(ge=1, le=3600)] = 30
    solver_workers: Annotated[int, Field(ge=1, le=64)] = 2
    solver_sector_stops: Annotated[int, Field(ge=10, le=1000)] = 150

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
            sector_stops=self.solver_sector_stops,
        )

    def effort(self) -> Effort:
        """Return how long a search may go on."""
        return Effort(self.solver_solutions, self.solver_seconds_max)
