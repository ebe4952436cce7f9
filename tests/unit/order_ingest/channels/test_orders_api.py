"""How shops' own APIs are asked for orders, and what their answers say."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from tests.unit.order_ingest.channels.sample import case

from order_ingest.domain.channels import CHANNELS, Ask, OrdersApi, ShopApi, Unreadable
from order_ingest.domain.channels.orders_api import MAX_RETRY_AFTER_S, retry_after_s

SINCE = datetime(2026, 3, 2, 10, 0, 0, 5000, tzinfo=UTC)


def reader(channel: str) -> OrdersApi:
    build = CHANNELS[channel].orders_api
    assert build is not None
    return build(
        ShopApi(url="https://shop.example", key=SecretStr("ck"), secret=SecretStr("cs-secret"))
    )


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_shopify_is_asked_for_orders_of_every_status() -> None:
    ask = reader("shopify").changed_since(SINCE)
    assert ask.path == "/admin/api/2025-07/orders.json"
    assert dict(ask.query) == {
        "status": "any",
        "updated_at_min": "2026-03-02T10:00:00+00:00",
        "limit": "250",
    }
    assert reader("shopify").credentials() == {"X-Shopify-Access-Token": "cs-secret"}


def test_shopifys_next_page_is_at_the_same_address_whatever_the_link_says() -> None:
    shopify, ask = reader("shopify"), Ask("/admin/api/2025-07/orders.json", (("limit", "250"),))
    link = (
        '<https://evil.example/x?page_info=before&limit=250>; rel="previous",'
        ' <https://evil.example/y?page_info=after&limit=250>; rel="next"'
    )
    page = shopify.page(ask, {"link": link}, body({"orders": [{"id": 1}, {"id": 2}]}))
    assert [json.loads(one) for one in page.orders] == [{"id": 1}, {"id": 2}]
    assert page.next == Ask(ask.path, (("page_info", "after"), ("limit", "250")))
    previous = link.partition(",")[0]
    assert shopify.page(ask, {"link": previous}, body({"orders": []})).next is None
    assert page.next is not None
    with pytest.raises(Unreadable, match="the same one"):
        shopify.page(page.next, {"link": link}, body({"orders": []}))


@pytest.mark.parametrize(
    ("told", "pause_s"),
    [("1/40", 0), ("31/40", 0), ("32/40", 6), ("40/40", 10), ("80/80", 10), ("x", 0), ("", 0)],
)
def test_shopifys_bucket_is_not_filled_to_the_brim(told: str, pause_s: float) -> None:
    headers = {"x-shopify-shop-api-call-limit": told}
    assert reader("shopify").pause_s(headers) == pytest.approx(pause_s)


def test_woocommerces_pages_follow_one_another() -> None:
    woocommerce = reader("woocommerce")
    ask = woocommerce.changed_since(SINCE)
    query = dict(ask.query)
    assert (query["modified_after"], query["dates_are_gmt"]) == ("2026-03-02T10:00:00", "true")
    assert (query["orderby"], query["order"]) == ("id", "asc")
    assert woocommerce.credentials() == {"Authorization": "Basic Y2s6Y3Mtc2VjcmV0"}
    told = {"x-wp-total": "101", "x-wp-totalpages": "2"}
    page = woocommerce.page(ask, told, body([{"id": 1}]))
    assert page.total == 101
    assert page.next is not None
    assert dict(page.next.query) == {**query, "page": "2"}
    assert woocommerce.page(page.next, told, body([{"id": 2}])).next is None
    untold = woocommerce.page(ask, {}, body([{}] * 100))
    assert untold.next == page.next, "a full page may not be the last"
    assert woocommerce.page(ask, {}, body([{}] * 99)).next is None


def test_a_single_order_is_asked_for_with_the_lines_of_its_refunds() -> None:
    woocommerce = reader("woocommerce")
    order, refunds = woocommerce.one("727")
    assert (order.path, refunds.path) == (
        "/wp-json/wc/v3/orders/727",
        "/wp-json/wc/v3/orders/727/refunds",
    )
    joined = woocommerce.joined([body({"id": 727, "refunds": [{"id": 3}]}), body([{"id": 4}])])
    assert json.loads(joined) == {"id": 727, "refunds": [{"id": 4}]}
    assert reader("shopify").joined([body({"order": {"id": 1}})]) == b'{"id":1}'


@pytest.mark.parametrize("channel", ["shopify", "woocommerce"])
@pytest.mark.parametrize("order", ["", "..", "1/../../users", "727?x", "a", "٤٢"])
def test_what_no_order_can_be_called_is_not_asked_for(channel: str, order: str) -> None:
    assert reader(channel).one(order) == ()


@pytest.mark.parametrize("channel", ["shopify", "woocommerce"])
@pytest.mark.parametrize(
    "answer",
    [b"", b"<html>", b"null", b"{}", b'{"orders": 1}', b'{"orders": [1]}', b"[1]", b"\xff"],
)
def test_what_is_no_list_of_orders_is_unreadable(channel: str, answer: bytes) -> None:
    api = reader(channel)
    with pytest.raises(Unreadable):
        api.page(api.changed_since(SINCE), {}, answer)
    with pytest.raises(Unreadable):
        api.joined([answer for _ in api.one("1")])


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (None, 0),
        ("2.0", 2),
        ("-3", 0),
        ("nan", 0),
        ("soon", 0),
        ("1e9", MAX_RETRY_AFTER_S),
        ("Mon, 02 Mar 2026 10:00:30 GMT", 30),
        ("Mon, 02 Mar 2026 09:00:30 GMT", 0),
    ],
)
def test_how_long_a_shop_wants_to_be_left_alone(text: str | None, wanted: float) -> None:
    now = SINCE - timedelta(milliseconds=5)
    assert retry_after_s(text, now) == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("channel", "created", "changed"),
    [("shopify", "order-created", "edited"), ("woocommerce", "order-created", "updated")],
)
def test_an_order_is_shown_in_the_same_state_by_webhook_and_by_api(
    channel: str, created: str, changed: str
) -> None:
    one, shows, api = case(channel, created), CHANNELS[channel].shows, reader(channel)
    assert shows is not None
    told = shows(one.headers, one.raw)
    assert told is not None
    assert shows(api.headers, one.raw) == told, "how it began, read later"
    assert str(told.number) == str(one.body.get("order_number") or one.body["number"])
    later = case(channel, changed)
    shown = shows(later.headers, later.raw)
    assert shown is not None
    assert (shown.order, shown.number) == (told.order, told.number)
    assert shown.changed_at > told.changed_at
    assert shown.state != told.state
    elsewhere = case(channel, "another-topic")
    assert shows(elsewhere.headers, elsewhere.raw) is None
