"""Any service may be killed with SIGKILL at any moment: the business figures stay the same."""

import asyncio
from datetime import timedelta

import pytest
from tests.e2e.small import RunSmall

from restock_local.demo.calendar import START, Stretch
from restock_local.demo.feeder import Moment
from restock_local.demo.figures import Figures
from restock_local.supervisor import SERVICES, Supervisor

pytestmark = pytest.mark.e2e

KILLED_AT = {
    (START + timedelta(hours=23, minutes=58), "sending"),  # most of a day's orders
    (START + timedelta(hours=24), "closing"),  # forecasts, review and waves
}


@pytest.mark.parametrize("service", [kind.name for kind in SERVICES])
async def test_a_killed_service_loses_nothing_and_applies_nothing_twice(
    service: str, run_small: RunSmall, undisturbed: Figures
) -> None:
    kills = []

    async def kill_and_restart(supervisor: Supervisor, stretch: Stretch, moment: Moment) -> None:
        if (stretch.end, moment) in KILLED_AT:
            supervisor.kill(service)
            kills.append(moment)
            await asyncio.sleep(0.3)  # others go on without it, and send to it, for a while
            await supervisor.restart(service)

    found = await run_small(kill_and_restart)
    assert kills == ["sending", "closing"]
    assert found.faults == {}
    assert found.business() == undisturbed.business()
