"""OpenAPI of every service with an API, from the routes themselves; nothing is started."""

import base64
from typing import Any, cast

from fastapi import FastAPI
from pydantic import SecretStr

from restock_common.sealing import KEY_BYTES

_NOBODY = cast("Any", None)
"""Stands for what only answers requests, and none are made here."""


def documents() -> dict[str, dict[str, Any]]:
    """Return the OpenAPI document of each service, by its name."""
    apis = {
        "order-ingest": _order_ingest(),
        "stock-ledger": _stock_ledger(),
        "forecaster": _forecaster(),
        "replenisher": _replenisher(),
        "dispatcher": _dispatcher(),
    }
    return {name: api.openapi() for name, api in apis.items()}


def _order_ingest() -> FastAPI:
    """With the clock's door, which is there only in a replay."""
    from order_ingest.__main__ import build
    from order_ingest.settings import Settings

    no_key = SecretStr(f"none={base64.b64encode(bytes(KEY_BYTES)).decode()}")
    settings = Settings(
        api_keys=SecretStr("shop=not-a-real-key"),
        token_secret=SecretStr("not-a-real-secret-" + "-" * 32),
        master_keys=no_key,
        dead_letter_keys=no_key,
        clock="replay",
    )
    return build(settings).api


def _stock_ledger() -> FastAPI:
    """With look-ups, feed and webhooks: as a reader that has an admin key."""
    from stock_ledger.__main__ import build
    from stock_ledger.settings import LedgerSettings

    return build(LedgerSettings(role="all", admin_key=SecretStr("not-a-real-admin-key"))).api


def _forecaster() -> FastAPI:
    from forecaster.api import build

    return build(_NOBODY, _NOBODY, admin_key=SecretStr("not-a-real-admin-key"))


def _replenisher() -> FastAPI:
    from replenisher.api import make_api

    return make_api(_NOBODY, _NOBODY, _NOBODY)


def _dispatcher() -> FastAPI:
    from dispatcher.api import create_api

    return create_api(_NOBODY, _NOBODY, _NOBODY, admin_key=SecretStr("not-a-real-admin-key"))
