"""What the forecaster reads from the environment."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from forecaster.domain.learners import new_learner
from forecaster.domain.state import DEFAULT_LEARNER
from restock_common.settings import AdminKey, ServiceSettings


class ForecasterSettings(ServiceSettings):
    """What every service reads, and where and how often the forecaster writes its state down.

    Attributes:
        data_dir: Where RocksDB lives, one folder a process; if it is lost, the changelog topic
            restores it.
        checkpoint_every_events: A checkpoint is due after so many events of one partition.
        checkpoint_every_s: And after so many seconds, where anything has happened.
        learner: What learns, by its name in the registry, or several by commas, that compete; where
            it is another than before, all is learned again from the log.
        admin_key: What `X-API-Key` must be to set overrides, 8 characters or more; without one,
            overrides are off.
    """

    data_dir: Path = Path(".restock/forecaster")
    checkpoint_every_events: Annotated[int, Field(ge=1, le=100_000)] = 5_000
    checkpoint_every_s: Annotated[float, Field(gt=0, le=600)] = 15.0
    learner: str = DEFAULT_LEARNER
    admin_key: AdminKey = None

    @field_validator("learner")
    @classmethod
    def _known(cls, value: str) -> str:
        new_learner(value)
        return value
