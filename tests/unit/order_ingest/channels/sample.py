"""Recorded deliveries of every channel, and a shop of each that knows little."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from order_ingest.domain.channels import CHANNELS, Command, Shop, ShopSettings
from order_ingest.domain.channels import Place as PlaceOrder
from order_ingest.domain.places import City, Gazetteer
from order_ingest.domain.privacy import Privacy
from restock_common.contracts.ledger import Place

DATA = Path(__file__).parents[3] / "data" / "channels"
COMMANDS = ".commands.json"
SECRET = "a-secret-of-the-shop"  # what tests sign with


def city(country: str, region: str, latitude: float, longitude: float, *names: str) -> City:
    return City(country, region, names, Place(latitude=latitude, longitude=longitude), 1_000_000)


GAZETTEER = Gazetteer(
    [
        city("US", "IL", 41.85, -87.65, "Chicago"),
        city("US", "TX", 29.7633, -95.3633, "Houston"),
        city("DE", "02", 48.1374, 11.5755, "Munich", "München"),
        city("FR", "84", 45.7485, 4.8467, "Lyon"),
        city("FR", "11", 48.8534, 2.3488, "Paris"),
        city("JP", "32", 34.6937, 135.5022, "Osaka", "大阪市"),
        city("DK", "17", 55.6759, 12.5655, "Copenhagen", "København"),
        city("PL", "77", 50.0614, 19.9366, "Krakow", "Kraków"),
        city("RU", "66", 59.9386, 30.3141, "Saint Petersburg", "Санкт-Петербург"),
    ]
)

PRIVACY = Privacy("k" * 32, position_decimals=3)

SKUS = {
    "shopify": {"43729077": "milk"},
    "woocommerce": {"23": "milk"},
    "bigcommerce": {"361": "milk"},
    "medusa": {"variant_01JNG9": "milk"},
    "saleor": {"UHJvZHVjdFZhcmlhbnQ6MzQ5": "milk"},
}
"""The table of variants of each shop."""


@dataclass(frozen=True, slots=True)
class Case:
    """One recorded delivery."""

    channel: str
    name: str
    headers: dict[str, str]
    body: Any

    @property
    def raw(self) -> bytes:
        return json.dumps(self.body, ensure_ascii=False).encode()

    @property
    def golden(self) -> Path:
        return DATA / self.channel / f"{self.name}{COMMANDS}"


def cases() -> list[Case]:
    found = []
    for path in sorted(DATA.glob("*/*.json")):
        if not path.name.endswith(COMMANDS):
            told = json.loads(path.read_text())
            found.append(Case(path.parent.name, path.stem, told["headers"], told["body"]))
    return found


def case(channel: str, name: str) -> Case:
    return next(one for one in cases() if (one.channel, one.name) == (channel, name))


def settings(channel: str, **changes: Any) -> ShopSettings:
    return ShopSettings(
        **{
            "channel": channel,
            "secrets": (SecretStr(SECRET),),
            "unshipped": ("WARRANTY",),
            "return_location": "n1",
            "locations": {"24826418": "n2", "V2FyZWhvdXNlOjE=": "s1"},
            "currency": "USD",
            "country": "US",
            **changes,
        }
    )


def shop(channel: str, **changes: Any) -> Shop:
    return replace(
        Shop(
            channel.replace("_", "-"),
            settings(channel),
            GAZETTEER,
            PRIVACY,
            SKUS.get(channel, {}),
        ),
        **changes,
    )


def commands(one: Case, **changes: Any) -> tuple[Command, ...]:
    return CHANNELS[one.channel].adapt(one.headers, one.raw, shop(one.channel, **changes))


def told(command: Command) -> dict[str, Any]:
    """Return a command as JSON would tell it."""
    fields = {name: getattr(command, name) for name in command.__slots__}
    if fields.get("began", command) is None:
        del fields["began"]  # most do not tell it
    shown = {
        name: value.model_dump(mode="json", exclude_defaults=True)
        if isinstance(value, BaseModel)
        else _plain(value)
        for name, value in fields.items()
    }
    return {"command": type(command).__name__, **shown}


def _plain(value: Any) -> Any:
    if isinstance(value, PlaceOrder):
        return told(value)
    if hasattr(value, "__slots__") and not isinstance(value, str):
        return {name: getattr(value, name) for name in value.__slots__}
    return value
