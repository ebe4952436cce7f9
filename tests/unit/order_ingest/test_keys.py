"""Keys: told apart by their id, compared by a digest, good until they end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from order_ingest.domain import keys
from order_ingest.domain.keys import EVERY_ACTION, Action, ApiKey, Holder

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ID, SECRET = "0123456789abcdef", "f" * 64


def key(ends_at: datetime | None = None) -> ApiKey:
    digest = keys.digest_of(SECRET)
    return ApiKey(ID, "shop", "till", frozenset({Action.ORDERS}), digest, NOW, ends_at)


def test_a_key_is_taken_apart_as_it_was_put_together() -> None:
    assert keys.taken_apart(keys.key_text(ID, SECRET)) == (ID, SECRET)


@pytest.mark.parametrize(
    "text", ["", "rsk_", f"rsk_{ID}", f"rsk_{ID}_{SECRET}0", f"RSK_{ID}_{SECRET}", f"{ID}_{SECRET}"]
)
def test_whatever_else_is_no_key(text: str) -> None:
    assert keys.taken_apart(text) is None


def test_a_key_opens_with_its_secret_until_it_ends() -> None:
    assert keys.opens(key(), SECRET, NOW)
    assert not keys.opens(key(), "0" * 64, NOW)
    assert keys.opens(key(NOW + timedelta(seconds=1)), SECRET, NOW)
    assert not keys.opens(key(NOW), SECRET, NOW)


def test_what_is_kept_of_a_key_does_not_hold_its_secret() -> None:
    assert SECRET not in repr(key())
    assert len(key().digest) == 32


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, None),
        ({"ends_at": NOW - timedelta(seconds=1)}, None),
        ({"shop": "other"}, "shop"),
        ({"actions": frozenset({Action.ORDERS, Action.MANIFEST})}, "actions"),
        ({"ends_at": None}, "ends_at"),
        ({"ends_at": NOW + timedelta(seconds=1)}, "ends_at"),
    ],
)
def test_nobody_gives_what_he_has_not(changes: dict[str, Any], field: str | None) -> None:
    holder = Holder("shop", ID, frozenset({Action.KEYS, Action.ORDERS}), ends_at=NOW)
    found = keys.excess(holder, replace(key(NOW), **changes))
    assert (found and found[0]) == field


def test_a_key_of_the_environment_gives_everything() -> None:
    holder = Holder("shop", "environment", EVERY_ACTION)
    assert keys.excess(holder, replace(key(), actions=EVERY_ACTION)) is None
