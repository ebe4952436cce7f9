"""The composition root: `python -m forecaster`."""

from functools import partial

import uvloop
from threadpoolctl import threadpool_limits

from forecaster import api, store
from forecaster.settings import ForecasterSettings
from forecaster.stream import SERVICE, Forecaster
from forecaster.stream.scribe import Scribe, write_override
from restock_common import telemetry
from restock_common.contracts.topics import CATALOGUE, PROMOTIONS
from restock_common.kafka import Producer
from restock_common.runtime import Service
from restock_common.settings import read_settings


async def main() -> int:
    """Run the service; return its exit code."""
    threadpool_limits(
        1
    )  # its matrices are small: threads wait for each other longer than they work
    settings = read_settings(ForecasterSettings)
    telemetry.configure(SERVICE, settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    producer = Producer(settings)
    forecaster = Forecaster(
        kafka=settings,
        producer=producer,
        checkpoints=store,
        data_dir=settings.data_dir,
        checkpoint_every_events=settings.checkpoint_every_events,
        checkpoint_every_s=settings.checkpoint_every_s,
        learner=settings.learner,
    )
    scribes = [
        Scribe(settings, producer, forecaster.states, topic) for topic in (CATALOGUE, PROMOTIONS)
    ]
    service = Service(
        SERVICE,
        settings,
        api.build(
            forecaster.states,
            partial(write_override, producer),
            admin_key=settings.admin_key,
        ),
        [forecaster, *scribes],
        opening=producer.start,
        closing=producer.stop,
    )
    return await service.run()


if __name__ == "__main__":
    raise SystemExit(uvloop.run(main()))
