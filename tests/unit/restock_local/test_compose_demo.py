"""The shop of docker-compose.yml's profile `demo` says what order-ingest takes."""

from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

import pytest
from tests.tidy.repository import ROOT

from order_ingest.domain.requests import CountRequest, OrderRequest
from restock_common.contracts.catalogue import CatalogueEntity, Location, Pool, Product, Supplier

KINDS: dict[str, type[CatalogueEntity]] = {
    "pools": Pool,
    "locations": Location,
    "suppliers": Supplier,
    "products": Product,
}


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("RESTOCK_URL", "http://order-ingest:8000")
    monkeypatch.setenv("RESTOCK_KEY", "demo-key")
    spec = spec_from_file_location("demo", ROOT / "deploy" / "compose" / "demo.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_its_master_data_are_what_the_contracts_say(demo: ModuleType) -> None:
    for path, items in demo.master_data(["tea-1"]):
        kind = KINDS[path.removeprefix("/v1/").removesuffix(":batch")]
        for item in items:
            kind.model_validate(item)


def test_its_orders_and_counts_are_what_the_door_takes(
    demo: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    OrderRequest.model_validate(demo.order("1", "tea-1"))
    sent = []
    monkeypatch.setattr(demo, "send", lambda *request: sent.append(request))
    demo.fill(["tea-1"])
    ((method, path, body),) = sent
    assert (method, path) == ("POST", "/v1/counts")
    CountRequest.model_validate(body)
