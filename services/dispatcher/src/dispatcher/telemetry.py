"""The dispatcher's own metric names; those of every service are in `restock_common.telemetry`."""

from prometheus_client import Counter, Gauge

ROUTES = Counter("restock_routes_planned", "Routes planned, each version of one counted")
ROUTE_STOPS = Counter("restock_route_stops_planned", "Parcels on the routes planned")
ROUTE_KM = Counter("restock_route_planned_km", "Kilometres of the routes planned")
ROUTE_COST = Counter(
    "restock_route_planned_cost",
    "Cost of the routes planned, in the currency of the vehicles: use, kilometres, drivers' hours",
)
UNSERVED = Counter(
    "restock_shipments_unserved", "Parcels that a plan has left out; they wait for the next wave"
)
WAVES_DUE = Gauge("restock_waves_due", "Waves that are closed and have no plan")
