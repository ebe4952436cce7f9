"""Keys: told apart by their id, compared by a digest, good until they end."""

from datetime import UTC, datetime, timedelta

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


def test_nobody_gives_what_he_has_not() -> None:
    holder = Holder("shop", ID, frozenset({Action.KEYS, Action.ORDERS}))
    assert keys.may_grant(holder, [Action.ORDERS])
    assert not keys.may_grant(holder, [Action.ORDERS, Action.MANIFEST])
    assert keys.may_grant(Holder("shop", "environment", EVERY_ACTION), list(Action))
