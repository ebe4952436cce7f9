"""What may be told of a fault to everybody: the reason without the value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restock_common.errors import plain_field, shown, without_values


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("is missing", "is missing"),
        ("Input should be greater than 0: 0 (+1 more)", "Input should be greater than 0"),
        ("is not an RFC 3339 time: 'Anna: 5'", "is not an RFC 3339 time"),
        ("order 'shop:1' was placed before", "order ... was placed before"),
        ("'a' is of 'b': 'c'", "..."),
        ('order "it\'s" is not known', "order ... is not known"),
        ("has 2000 bytes, 1024 at most: b'x'", "has 2000 bytes, 1024 at most"),
    ],
)
def test_values_are_left_out(reason: str, told: str) -> None:
    assert without_values(reason) == told


@given(st.text(min_size=1))
def test_no_value_gets_through(value: str) -> None:
    marked = f"Anna{value}Smith"
    for reason in (f"is wrong: {shown(marked)!r}", f"order {marked!r} is not known", f"{marked!r}"):
        assert "Anna" not in without_values(reason)
        assert "Smith" not in without_values(reason)


@pytest.mark.parametrize(
    ("field", "told"),
    [
        ("lines.0.sku", "lines.0.sku"),
        ("header ce_id", "header ce_id"),
        ("lines.0.anna@example", "lines.0.?"),
        ("lines.0.Anna Smith", "lines.0.?"),
        ("Anna", "?"),
        ("Anna Smith of 12 Long Street", "?"),
    ],
)
def test_a_field_is_told_where_it_is_a_plain_name(field: str, told: str) -> None:
    assert plain_field(field) == told
