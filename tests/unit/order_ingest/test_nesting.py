"""Depth is told without parsing: from brackets outside strings."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_ingest.domain.findings import Refused
from order_ingest.domain.requests import MAX_DEPTH, check_depth, parse_storefront_message


def nested(depth: int) -> bytes:
    value: Any = 1
    for level in range(depth):
        value = [value, "]"] if level % 2 else {"a": value, "b": "{["}
    return json.dumps(value).encode()


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


def test_the_limit_is_exact() -> None:
    check_depth(nested(MAX_DEPTH))
    with pytest.raises(Refused, match="deeper than 32"):
        check_depth(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"]" * 100_000 + b"[" * 100_000,
        b'["' + b'\\"[' * 100_000,
    ],
)
def test_a_hundred_thousand_brackets_are_refused(raw: bytes) -> None:
    with pytest.raises(Refused) as caught:
        check_depth(raw + b"[" * 33)
    assert caught.value.malformed
    with pytest.raises(Refused):
        parse_storefront_message(raw + b"[" * 33)


def test_brackets_in_strings_are_words() -> None:
    check_depth(json.dumps({"a": "[" * 1000, "b": '\\"[{' * 1000, "[" * 100: "\\"}).encode())
    check_depth(json.dumps([{"a": [{}] * 10}] * 1000).encode())


JSON = st.recursive(
    st.none() | st.integers() | st.text(alphabet='[]{}"\\a'),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='[]{}"\\a'), inner),
    max_leaves=60,
)


@given(JSON, st.integers(0, 40))
def test_depth_is_what_a_parser_finds(value: Any, more: int) -> None:
    for _ in range(more):
        value = [value, []]
    raw = json.dumps(value).encode()
    if depth_of(value) <= MAX_DEPTH:
        check_depth(raw)
    else:
        with pytest.raises(Refused):
            check_depth(raw)
