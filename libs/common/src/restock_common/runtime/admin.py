"""Routes that are for whoever has the service's admin key."""

from collections.abc import Awaitable, Callable
from hmac import compare_digest
from http import HTTPStatus
from typing import Annotated

from fastapi import Security
from fastapi.security import APIKeyHeader
from pydantic import SecretStr

from restock_common.runtime.problems import Problem

_KEY_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False)


def admins_only(admin_key: SecretStr | None, what: str) -> Callable[[str | None], Awaitable[None]]:
    """Return what lets nobody pass without the admin key, compared in constant time.

    Args:
        admin_key: Without one nobody passes.
        what: Which routes these are, as in "webhooks are off here".
    """
    wanted = None if admin_key is None else admin_key.get_secret_value().encode()

    async def check(given: Annotated[str | None, Security(_KEY_HEADER)]) -> None:
        if wanted is None:
            raise Problem(
                HTTPStatus.FORBIDDEN, f"{what} are off here: RESTOCK_ADMIN_KEY is not set"
            )
        if not compare_digest(wanted, (given or "").encode()):
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "the header X-API-Key is missing" if given is None else "X-API-Key is not known",
                {"WWW-Authenticate": 'ApiKey header="X-API-Key"'},
            )

    return check
