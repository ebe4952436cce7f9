"""What the forecaster reads from the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from restock_common.settings import ServiceSettings


class ForecasterSettings(ServiceSettings):
    """What every service reads, and where and how often the forecaster writes its state down.

    Attributes:
        data_dir: Where RocksDB lives, one folder a process; if it is lost, the changelog topic
            restores it.
        checkpoint_every_events: A checkpoint is due after so many events of one partition.
        checkpoint_every_s: And after so many seconds, where anything has happened.
    """

    data_dir: Path = Path(".restock/forecaster")
    checkpoint_every_events: Annotated[int, Field(ge=1, le=100_000)] = 5_000
    checkpoint_every_s: Annotated[float, Field(gt=0, le=600)] = 15.0
