"""Where requests for a shop's orders do not go."""

import pytest

from order_ingest.domain.channels import Ask, Unreadable
from order_ingest.stream.shop_client import ShopClient, http_client


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "nowhere.invalid"])
async def test_no_name_leads_into_this_network(host: str) -> None:
    async def before() -> None:
        return None

    async with http_client(allow_private=False) as http:
        client = ShopClient(http, f"https://{host}:1", {}, before)
        with pytest.raises(Unreadable, match="its name"):
            await client.get(Ask("/"))
    async with http_client(allow_private=True) as http:
        client = ShopClient(http, "http://127.0.0.1:1", {}, before)
        with pytest.raises(Unreadable, match="no answer"):
            await client.get(Ask("/"))
