"""Examples of what the other services tell, of master data and of dead letters."""

from datetime import date, time, timedelta

from tests.contracts.examples.common import HOME, NEXT_DAY, NOON

from restock_common.contracts import Event
from restock_common.contracts.catalogue import (
    Location,
    Pool,
    PriceBreak,
    Product,
    SeriesValue,
    Supplier,
    SupplierTerms,
    Vehicle,
)
from restock_common.contracts.dead_letters import DeadLetter
from restock_common.contracts.demand import (
    FactsNoted,
    ForecastOverridden,
    OverrideWithdrawn,
    ProductNote,
    SiteNote,
)
from restock_common.contracts.dispatch import (
    RoutePlanned,
    ShipmentDelivered,
    ShipmentUnserved,
    Stop,
    WithdrawalRefused,
)
from restock_common.contracts.forecasts import (
    DemandForecast,
    FeatureShare,
    HorizonForecast,
)
from restock_common.contracts.insights import (
    DriftDetected,
    ModelSwitched,
    OverrideLoss,
    OverrideMeasured,
)
from restock_common.contracts.ledger import Component
from restock_common.contracts.promotions import Price, Promotion
from restock_common.contracts.replenishment import (
    OrderReason,
    PurchaseOrderClosed,
    PurchaseOrderLine,
    PurchaseOrderPlaced,
)

REASON = OrderReason(
    formula="s = F^-1(0.95); S = s + cover; Q = ceil((S - position) / pack) * pack",
    inventory_position=4,
    on_hand=7,
    reserved=2,
    backordered=0,
    on_order=0,
    reorder_point=9,
    order_up_to_level=16,
    protection_interval_days=4.0,
    protection_demand_mean=5.5,
    protection_demand_sd=2.75,
    cycle_service_level=0.95,
    minimum_order_quantity=6,
    pack_size=6,
    forecast_learned_until=NEXT_DAY,
    unsellable=4,
    in_transit=3,
)

EXAMPLES: tuple[Event, ...] = (
    DemandForecast(
        sku="1029743",
        location="south-1",
        model="ew-1",
        learned_until=NEXT_DAY,
        horizons=(
            HorizonForecast(days=1, mean=1.25, size=0.8),
            HorizonForecast(days=7, mean=8.5, size=4.5),
        ),
        learned_days=120,
        last_demand_on=NEXT_DAY.date(),
        explanation=(FeatureShare(feature="its own demand", units=15.5),),
        override="fair",
    ),
    FactsNoted(
        partition=2,
        products=(
            ProductNote(
                sku="1029743",
                category="milk",
                unit_price=2.5,
                effective_from=NEXT_DAY.date(),
            ),
        ),
        sites=(
            SiteNote(
                location="south-1",
                country="US",
                closed_weekdays=(6,),
                effective_from=NEXT_DAY.date(),
            ),
        ),
        series=(SeriesValue(series="weather", day=NEXT_DAY.date(), value=21.5),),
        promotions=(
            Promotion(
                promotion="spring",
                sku="1029743",
                location=None,
                starts_on=NEXT_DAY.date(),
                ends_on=NEXT_DAY.date(),
                price=None,
                discount_share=0.2,
                mechanic="display",
                cancelled=False,
            ),
        ),
        prices=(Price(sku="1029743", location=None, effective_from=NEXT_DAY.date(), price=2.0),),
        complete=True,
    ),
    ForecastOverridden(
        override="fair",
        sku="1029743",
        location="south-1",
        first_day=NEXT_DAY.date(),
        last_day=NEXT_DAY.date(),
        units_per_day=40.0,
        factor=None,
        by="ada",
        reason="a fair in town",
        at=NEXT_DAY,
    ),
    OverrideWithdrawn(
        override="fair",
        sku="1029743",
        location="south-1",
        by="bob",
        reason="it rains",
        at=NEXT_DAY,
    ),
    OverrideMeasured(
        override="fair",
        sku="1029743",
        location="south-1",
        first_day=NEXT_DAY.date(),
        last_day=NEXT_DAY.date(),
        units=38,
        planner=OverrideLoss(mean=40.0, absolute_error=2.0, pinball=0.9),
        model=OverrideLoss(mean=9.0, absolute_error=29.0, pinball=8.5),
    ),
    DriftDetected(
        sku="1029743",
        location="south-1",
        learned_until=NEXT_DAY,
        direction="rise",
        rate_before=1.25,
        rate_after=3.5,
    ),
    ModelSwitched(
        partition=2,
        segment="A/X/2",
        learned_until=NEXT_DAY,
        before="global-mixture",
        after="holt-winters",
        loss_before=0.25,
        loss_after=0.225,
        n=412.5,
    ),
    PurchaseOrderPlaced(
        supplier="supplier-3",
        purchase_order="po-1",
        location="north-1",
        placed_at=NEXT_DAY,
        lines=(
            PurchaseOrderLine(
                order_line="pol-1", need="need-1", sku="1029743", quantity=12, reason=REASON
            ),
        ),
    ),
    PurchaseOrderClosed(
        supplier="supplier-3", purchase_order="po-1", location="north-1", closed_at=NOON
    ),
    RoutePlanned(
        location="north-1",
        route="route-1",
        wave="wave-1",
        plan_version=2,
        vehicle="van-1",
        departs_at=NEXT_DAY + timedelta(hours=8),
        returns_at=NEXT_DAY + timedelta(hours=10),
        distance_km=23.75,
        load_grams=5400,
        stops=(
            Stop(
                allocation="a-1",
                order="shop:42",
                destination=HOME,
                arrives_at=NEXT_DAY + timedelta(hours=9),
                distance_km=11.5,
            ),
        ),
    ),
    ShipmentUnserved(
        location="north-1",
        allocation="a-1",
        order="shop:42",
        wave="wave-1",
        reason="weighs 900000 g, the largest vehicle here takes 800000 g",
    ),
    ShipmentDelivered(
        location="north-1",
        allocation="a-1",
        order="shop:42",
        route="route-1",
        delivered_at=NEXT_DAY + timedelta(hours=9, minutes=4),
    ),
    WithdrawalRefused(
        location="north-1", allocation="a-1", order="shop:42", reason="route-1 has left"
    ),
    Product(
        effective_from=date(2017, 2, 1),
        sku="1029743",
        name="Milk, 1 gal",
        category="DAIRY",
        supplier="supplier-3",
        weight_grams=3900,
        pack_size=6,
        minimum_order_quantity=6,
        unit_cost=2.15,
        components=(Component(sku="995242", quantity=2),),
        barcodes=("4006381333931",),
        unit_price=2.99,
        shelf_life_days=21,
    ),
    Supplier(
        effective_from=date(2017, 2, 1),
        supplier="supplier-3",
        name="Dairy of the North",
        lead_time_days_mean=2.5,
        lead_time_days_sd=0.75,
        review_period_days=1.0,
        cycle_service_level=0.97,
    ),
    SupplierTerms(
        effective_from=date(2017, 2, 1),
        terms="dairy-milk",
        supplier="supplier-3",
        sku="1029743",
        currency="USD",
        unit_cost=2.1,
        price_breaks=(PriceBreak(from_units=600, unit_cost=1.95),),
        pack_size=6,
        pallet_units=480,
        truck_units=12_000,
        minimum_order_quantity=12,
        minimum_order_value=250.0,
        fixed_order_cost=40.0,
        weekly_budget=9000.0,
        lead_time_days_mean=2.5,
        lead_time_days_sd=0.5,
        order_weekdays=(0, 3),
        cut_off=time(14, 30),
        shelf_life_days=14,
    ),
    Location(
        effective_from=date(2017, 2, 1),
        location="north-1",
        pool="north",
        name="North, first",
        place=HOME,
        country="US",
        closed_weekdays=(6,),
        storage_capacity_units=50_000,
    ),
    Pool(pool="north", shard=1, name="North"),
    Vehicle(
        effective_from=date(2017, 2, 1),
        vehicle="van-1",
        location="north-1",
        capacity_grams=800_000,
        speed_kmh=32.5,
        shift_start_hour=7.5,
        shift_hours=8.0,
        cost_per_km=0.45,
        fixed_cost=25.0,
    ),
    SeriesValue(series="temperature-chicago", day=date(2017, 1, 2), value=-3.5),
    Promotion(
        sku="1029743",
        location="north-1",
        promotion="winter",
        starts_on=date(2017, 1, 9),
        ends_on=date(2017, 1, 15),
        price=1.99,
        discount_share=0.25,
        mechanic="front page of the mailer",
        cancelled=True,
    ),
    Price(sku="1029743", location="north-1", effective_from=date(2017, 2, 1), price=3.09),
    DeadLetter(
        consumer="stock-ledger",
        source_topic="restock.ledger.v1",
        source_partition=1,
        source_offset=77,
        reason="Input should be greater than 0",
        field="lines.0.quantity",
        attempt=1,
        sealed="AQRrZXkx",
        body_bytes=2,
    ),
)
