"""What all requests are."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from restock_common.units import Identifier

MAX_BATCH_ITEMS = 1_000
MAX_CATALOGUE_ITEMS = 5_000

MAX_OWN_CHARACTERS = 95

ShopsOwn = Annotated[Identifier, Field(max_length=MAX_OWN_CHARACTERS)]
"""A shop's own id of something: with a shop of 32 characters and a colon, 128 in all."""


class Request(BaseModel):
    """A frozen request."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)
