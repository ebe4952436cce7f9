"""The API's description: bodies are read as bytes, so their schemas are told here."""

from collections.abc import Collection
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from order_ingest.api import idempotency
from order_ingest.api.answers import MODELS
from order_ingest.domain.channels import ShopSettings
from order_ingest.domain.requests import (
    KINDS,
    AdjustmentRequest,
    AmendmentRequest,
    CancelRequest,
    CatalogueRequest,
    ClockRequest,
    CountRequest,
    EntityBatch,
    ExpectedReceiptRequest,
    HoldRequest,
    KeyRequest,
    ManifestRequest,
    OrderBatch,
    OrderRequest,
    PolicyRequest,
    ReceiptBatch,
    ReceiptRequest,
    ReturnRequest,
    RotationRequest,
    ScanBatch,
    ScanRequest,
    SkuTable,
    TransferReceiptRequest,
    TransferRequest,
    TransferShipmentRequest,
)

_BODIES: tuple[type[BaseModel], ...] = (
    OrderRequest,
    OrderBatch,
    AmendmentRequest,
    CancelRequest,
    ReturnRequest,
    HoldRequest,
    ReceiptRequest,
    ReceiptBatch,
    CountRequest,
    AdjustmentRequest,
    ExpectedReceiptRequest,
    PolicyRequest,
    ScanRequest,
    ScanBatch,
    TransferRequest,
    TransferShipmentRequest,
    TransferReceiptRequest,
    ClockRequest,
    CatalogueRequest,
    KeyRequest,
    RotationRequest,
    ManifestRequest,
    ShopSettings,
    SkuTable,
    *KINDS.values(),
    *(EntityBatch[kind] for kind in KINDS.values()),  # type: ignore[valid-type]
)
_REFERENCES, _SCHEMAS = models_json_schema(
    [(model, "validation") for model in (*_BODIES, *MODELS)],
    ref_template="#/components/schemas/{model}",
)


def body_of(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """Return what a route adds to the description, so that its body has a schema."""
    schema = _REFERENCES[model, "validation"]
    return {
        "requestBody": {"required": required, "content": {"application/json": {"schema": schema}}}
    }


def raw_body() -> dict[str, Any]:
    """Return what a route adds to the description whose body is a shop's own, as it was signed."""
    said = "As the shop sends it, byte for byte: what is in it follows from the shop's channel."
    anything: dict[str, Any] = {"schema": {"description": said}}
    form = {"schema": {"type": "object", "description": "A ping of WooCommerce."}}
    content = {"application/json": anything, "application/x-www-form-urlencoded": form}
    return {"requestBody": {"required": True, "description": said, "content": content}}


def describe(api: FastAPI, without_key: Collection[str] = ()) -> None:
    """Give the API a description in which the models of all bodies stand among the components.

    Args:
        api: The API.
        without_key: The addresses that need no API key; all others do, which guards look at that
            FastAPI does not know of.
    """
    generate = api.openapi

    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            description = generate()
            components = description.setdefault("components", {})
            components.setdefault("schemas", {}).update(_SCHEMAS["$defs"])
            [scheme] = components["securitySchemes"]
            for path in description["paths"].keys() - set(without_key):
                for operation in description["paths"][path].values():
                    operation["security"] = [{scheme: []}]
            idempotency.describe(description)
        assert api.openapi_schema is not None, "the description has been generated"
        return api.openapi_schema

    api.openapi = openapi  # type: ignore[method-assign]
