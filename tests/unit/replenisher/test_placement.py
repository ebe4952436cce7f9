"""The guaranteed-service model of two levels, as stockpyl solves it on a tree, to 1e-6."""

import numpy as np
import pytest
from stockpyl.gsm_tree import optimize_committed_service_times, preprocess_tree
from stockpyl.supply_chain_network import network_from_edges

from replenisher.domain.placement import Network, place


@pytest.mark.parametrize(
    ("central_lead", "central_holding", "leads", "holding", "sd"),
    [
        (6, 1.0, [2, 3], [1.5, 1.5], [10.0, 20.0]),
        (6, 1.0, [2, 3, 1], [9.0, 9.0, 9.0], [5.0, 4.0, 3.0]),
        (3, 2.0, [0, 4], [2.5, 2.0], [1.0, 8.0]),
        (10, 0.1, [1, 1, 1], [0.1, 0.1, 0.1], [7.0, 7.0, 7.0]),
    ],
)
def test_it_is_where_stockpyl_puts_it(
    central_lead: int,
    central_holding: float,
    leads: list[int],
    holding: list[float],
    sd: list[float],
) -> None:
    regions = list(range(2, len(leads) + 2))
    tree = network_from_edges(
        edges=[(1, region) for region in regions],
        node_order_in_lists=[1, *regions],
        processing_time=[central_lead, *leads],
        external_inbound_cst=[0] + [None] * len(leads),
        external_outbound_cst=[None] + [0] * len(leads),
        local_holding_cost=[central_holding, *holding],
        demand_bound_constant=[1.645] * (len(leads) + 1),
        demand_type=[None] + ["N"] * len(leads),
        mean=[0] * (len(leads) + 1),
        standard_deviation=[0, *sd],
    )
    _, known = optimize_committed_service_times(preprocess_tree(tree))
    found = place(
        Network(
            central_lead,
            central_holding,
            np.array(leads),
            np.array(holding),
            np.array(sd),
            np.zeros(len(leads), dtype=np.int64),
            1.645,
        )
    )
    assert found.cost == pytest.approx(known, abs=1e-6)
