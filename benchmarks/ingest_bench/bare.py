"""The same server with an empty handler: what HTTP itself costs.

`python bare.py PORT`: uvicorn, the middlewares and the limits of every service, FastAPI, and one
route that reads nothing and answers 202.
"""

import sys

import uvloop
from fastapi import FastAPI, Response

from restock_common.runtime import Service
from restock_common.settings import ServiceSettings


async def _nothing() -> None:
    """Open and close nothing."""


def build(port: int) -> Service:
    """Return the server."""
    api = FastAPI(telemetry={"tracing": False, "metrics": False, "logs": False})

    @api.post("/v1/orders")
    async def empty() -> Response:
        return Response(status_code=202)

    return Service("bare", ServiceSettings(http_port=port), api, [], _nothing, _nothing)


if __name__ == "__main__":
    raise SystemExit(uvloop.run(build(int(sys.argv[1])).run()))
