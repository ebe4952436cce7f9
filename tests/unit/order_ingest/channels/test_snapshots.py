"""What becomes of edits, refunds and ties, whichever order deliveries come in."""

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.order_ingest.channels.sample import GAZETTEER, Case, case, commands, settings, shop

from order_ingest.domain.channels import (
    Amend,
    Cancel,
    Ignored,
    InvalidPayload,
    Place,
    Return,
    Unmapped,
)
from order_ingest.domain.channels.snapshots import Item, revision
from order_ingest.domain.places import Precision
from order_ingest.domain.privacy import Privacy

AT = datetime(2025, 3, 4, 16, 20, 30, tzinfo=UTC)


def item(line: str, ordered: int, target: int) -> Item:
    return Item("line_items.0", line, "tea", "", "", ordered, target)


def changed(one: Case, **fields: Any) -> Case:
    return Case(one.channel, one.name, one.headers, {**deepcopy(one.body), **fields})


def amendment(one: Case) -> Amend:
    return next(command for command in commands(one) if isinstance(command, Amend))


def test_a_later_state_has_a_higher_revision() -> None:
    much = [item("1", 100_000, 0)]
    assert revision(AT + timedelta(milliseconds=1), []) > revision(AT, much)


def test_of_two_states_of_one_second_the_one_that_has_seen_more_is_the_newer() -> None:
    first = [item("1", 2, 2)]
    taken_out = [item("1", 2, 1)]
    put_in_again = [item("1", 3, 2)]
    added = [item("1", 3, 2), item("2", 1, 1)]
    states = [first, taken_out, put_in_again, added]
    revisions = [revision(AT, state) for state in states]
    assert revisions == sorted(set(revisions))


def test_where_nothing_tells_which_is_newer_one_of_them_always_is() -> None:
    one, other = [item("1", 2, 2)], [item("2", 2, 2)]
    assert revision(AT, one) != revision(AT, other)
    assert revision(AT, [*one, *other]) == revision(AT, [*other, *one])


@pytest.mark.parametrize("year", [1, 1969, 2249, 9999])
def test_a_revision_fits_in_the_ledger(year: int) -> None:
    with pytest.raises(InvalidPayload, match="updated_at"):
        revision(AT.replace(year=year), [])
    assert 0 < revision(AT.replace(year=2248, month=1), [item("1", 10**9, 0)]) < 2**63


def test_two_edits_in_one_second_at_shopify() -> None:
    """The edit that came second took a unit out; it wins in whatever order they arrive."""
    one = case("shopify", "edited")
    later = changed(one)
    later.body["line_items"][2]["current_quantity"] = 2
    assert amendment(later).request.revision > amendment(one).request.revision
    assert [line.quantity for line in amendment(later).request.lines] == [1, 2]


def test_what_came_back_is_not_taken_out_of_what_is_still_to_ship() -> None:
    """Of three units one was sent and came back: two are still to be sent."""
    one = case("shopify", "partial-refund-with-restocking")
    tea = {**one.body["line_items"][0], "quantity": 3, "current_quantity": 2}
    refund = deepcopy(one.body["refunds"][0])
    refund["refund_line_items"] = refund["refund_line_items"][:1]
    fulfilled = one.body["fulfillments"][:1]
    state = changed(one, line_items=[tea], refunds=[refund], fulfillments=fulfilled)
    place, amend, back = commands(state)
    assert isinstance(place, Place)
    assert isinstance(back, Return)
    assert isinstance(amend, Amend)
    assert [line.quantity for line in amend.request.lines] == [3]
    assert [line.quantity for line in back.request.lines] == [1]


def test_an_order_of_which_nothing_is_left_is_amended_to_nothing() -> None:
    one = case("shopify", "edited")
    gone = [{**line, "current_quantity": 0} for line in one.body["line_items"]]
    [amend] = commands(changed(one, line_items=gone))
    assert isinstance(amend, Amend)
    assert amend.request.lines == ()
    assert amend.began is not None
    ordered = [line["quantity"] for line in one.body["line_items"] if line["requires_shipping"]]
    assert [line.quantity for line in amend.began.request.lines] == ordered


def test_a_cancellation_tells_how_the_order_began() -> None:
    """The shop counts nothing of it as current any more, and took it back to its own stock."""
    one = case("shopify", "cancelled")
    gone = [{**line, "current_quantity": 0} for line in one.body["line_items"]]
    [cancel] = commands(changed(one, line_items=gone))
    assert isinstance(cancel, Cancel)
    assert cancel.began is not None
    assert [line.quantity for line in cancel.began.request.lines] == [
        line["quantity"] for line in gone
    ]


@pytest.mark.parametrize(
    "beginning",
    [{"line_items": []}, {"line_items": [{"id": 1, "sku": "tea", "quantity": 1}] * 2}],
)
def test_a_cancellation_whose_beginning_cannot_be_read_is_one(beginning: dict[str, Any]) -> None:
    [cancel] = commands(changed(case("shopify", "cancelled"), **beginning))
    assert isinstance(cancel, Cancel)
    assert cancel.began is None


def test_a_cancellation_whose_beginning_names_what_nobody_knows_is_one() -> None:
    line = {"id": 1, "sku": "", "variant_id": 99, "quantity": 1}
    with pytest.raises(Unmapped, match="99") as unmapped:
        commands(changed(case("shopify", "cancelled"), line_items=[line]))
    [cancel] = unmapped.value.otherwise
    assert isinstance(cancel, Cancel)
    assert cancel.began is None


def test_a_cancellation_that_comes_before_the_order_is_a_cancellation() -> None:
    [cancel] = commands(case("shopify", "cancelled"))
    assert isinstance(cancel, Cancel)
    assert (cancel.order, cancel.request.reason) == ("5630418321441", "customer")


def test_the_table_of_variants_goes_first_where_the_shop_says_so() -> None:
    one = case("shopify", "order-created")
    table = {"43729076": "breakfast", "43729077": ""}
    by_variant = shop("shopify", settings=settings("shopify", sku_from="variant"), skus=table)
    place = commands(one, settings=by_variant.settings, skus=table)[0]
    assert isinstance(place, Place)
    assert [line.sku for line in place.request.lines] == ["breakfast"]
    with pytest.raises(Unmapped, match="43729076"):
        commands(one, settings=by_variant.settings, skus={})


def test_a_product_is_looked_up_where_there_is_no_variant() -> None:
    one = case("shopify", "variant-nobody-knows")
    place = commands(one, skus={"product:88888888": "tea"})[0]
    assert isinstance(place, Place)
    assert [line.sku for line in place.request.lines] == ["tea"]


def test_a_return_to_nowhere_waits_for_the_settings() -> None:
    one = case("shopify", "refund-restocked-in-two-places")
    with pytest.raises(Unmapped, match="905684977"):
        commands(one, settings=settings("shopify", return_location=None))


def test_values_are_told_in_the_currency_that_they_are_ranked_by() -> None:
    dollars = commands(case("shopify", "order-created"))[0]
    yen = commands(case("shopify", "yen-and-another-script"))[0]
    assert isinstance(dollars, Place)
    assert isinstance(yen, Place)
    assert (dollars.request.value, yen.request.value) == (109.68, None)


def test_a_customer_is_one_token_in_a_shop_and_another_in_the_next() -> None:
    one = case("shopify", "order-created")
    first, again = commands(one)[0], commands(changed(one, id=1))[0]
    elsewhere = commands(one, name="other")[0]
    otherwise = commands(one, privacy=Privacy("another" * 5, 3))[0]
    tokens = [
        place.request.customer
        for place in (first, again, elsewhere, otherwise)
        if isinstance(place, Place)
    ]
    assert tokens[0] == tokens[1]
    assert len(set(tokens)) == 3


def test_an_address_without_a_country_is_in_the_shops_own() -> None:
    one = changed(case("shopify", "gift-card-only"), line_items=[], billing_address=None)
    assert isinstance(commands(one)[0], Ignored)
    order = changed(case("shopify", "order-created"), shipping_address=None, billing_address=None)
    place = commands(order)[0]
    assert isinstance(place, Place)
    assert place.precision is Precision.COUNTRY
    with pytest.raises(Unmapped, match="country"):
        commands(order, settings=settings("shopify", country=None))


@pytest.mark.parametrize(
    ("country", "region", "name", "precision"),
    [
        ("US", "IL", "CHICAGO", Precision.CITY),
        ("us", "", "chicago", Precision.CITY),
        ("DE", "", "Munchen", Precision.CITY),
        ("JP", "JP-27", "大阪市", Precision.CITY),
        ("US", "TX", "Nowhere", Precision.REGION),
        ("FR", "84", "Nulle Part", Precision.COUNTRY),
    ],
)
def test_an_address_is_found_as_near_as_can_be(
    country: str, region: str, name: str, precision: Precision
) -> None:
    found = GAZETTEER.find(country, region, name)
    assert found is not None
    assert found.precision is precision


def test_nobody_is_found_in_a_country_that_is_none() -> None:
    assert GAZETTEER.find("ZZ", "", "Chicago") is None


def test_a_payload_is_refused_with_all_its_places() -> None:
    one = case("shopify", "order-created")
    lines = [{"id": 1, "quantity": -1}, {"id": True, "quantity": "1.5"}]
    broken = changed(one, line_items=lines, created_at="yesterday")
    with pytest.raises(InvalidPayload) as refused:
        commands(broken)
    assert {found.field for found in refused.value.findings} == {
        "created_at",
        "line_items.0.quantity",
        "line_items.1.id",
        "line_items.1.quantity",
    }
    assert json.dumps([found.value for found in refused.value.findings])


def test_an_order_that_was_called_off_and_paid_after_all_is_shipped() -> None:
    """WooCommerce calls unpaid orders off after an hour, and takes them up when money comes."""
    placed = case("woocommerce", "order-created")
    called_off = amendment(case("woocommerce", "cancelled"))
    [_, paid] = commands(
        changed(
            Case("woocommerce", "", {"x-wc-webhook-topic": "order.updated"}, placed.body),
            date_modified_gmt="2025-03-04T20:00:00",
        )
    )
    assert isinstance(paid, Amend)
    assert called_off.request.lines == ()
    assert [line.quantity for line in paid.request.lines] == [2, 1]
    assert paid.request.revision > called_off.request.revision
