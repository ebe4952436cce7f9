"""Webhooks: signatures, retries, which changes, and where messages may go."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from standardwebhooks import Webhook
from tests.support import EPOCH
from tests.unit.stock_ledger.levels import known

from restock_common.contracts.envelope import Position
from restock_common.errors import Permanent
from stock_ledger.domain.feed import Interest
from stock_ledger.domain.webhooks import (
    Failure,
    Gone,
    Health,
    Notices,
    Schedule,
    Secret,
    Subscription,
    after_failure,
    check_secret,
    rotate,
    secret_of,
    signed_headers,
)
from stock_ledger.settings import LedgerSettings

REFERENCE = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = secret_of(bytes(range(32)))
USUAL = Schedule.parse(LedgerSettings.model_fields["webhooks_retry_s"].default)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def test_a_signature_is_the_schemes_published_one() -> None:
    """The vector that the scheme's own libraries are tested with."""
    at = datetime.fromtimestamp(1614265330, UTC)
    assert signed_headers(
        [Secret(REFERENCE)], "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}', at
    ) == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_a_secret_is_replaced_both_sign() -> None:
    now = datetime.now(UTC)
    both = rotate([Secret(REFERENCE)], OTHER, now)
    assert both == (Secret(OTHER), Secret(REFERENCE, now + DAY))
    headers = signed_headers(both, "msg_1", b"{}", now)
    for secret in (REFERENCE, OTHER):
        Webhook(secret).verify(b"{}", headers)
    later = signed_headers(both, "msg_1", b"{}", now + DAY)
    assert later["webhook-signature"].count("v1,") == 1
    assert rotate(both, OTHER, now) == both, "to give the same secret again changes nothing"
    assert rotate(both, secret_of(bytes(24)), now + DAY)[1:] == (Secret(OTHER, now + 2 * DAY),)


@pytest.mark.parametrize("text", ["", OTHER[6:], secret_of(bytes(23)), "whsec_no base64"])
def test_a_secret_that_is_none_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(Permanent) as refused:
        check_secret(text)
    assert not text or text not in str(refused.value)


def test_the_usual_schedule_is_the_specifications() -> None:
    at = [timedelta(seconds=sum(USUAL.delays_s[:n])) for n in range(10)]
    assert [f"{one // HOUR}:{one % HOUR // MINUTE:02}" for one in at] == [
        *("0:00", "0:00", "0:05", "0:35", "2:35", "7:35", "17:35", "31:35", "51:35", "75:35"),
    ]
    assert at[1] == timedelta(seconds=5)
    assert USUAL.delay(1, 0) == timedelta(seconds=5)
    assert USUAL.delay(1, 0.999) < timedelta(seconds=5.5)  # type: ignore[operator]
    assert USUAL.delay(10, 0) is None


@pytest.mark.parametrize("text", ["", "5,", "0", "-1", "inf", "nan", "5;6"])
def test_a_schedule_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Schedule.parse(text)


def test_a_webhook_is_left_alone_for_a_while_and_never_for_long() -> None:
    health, failed = Health(), Failure("500")
    for pause_s in (5, 300, 300, 300):
        now = health.paused_until or EPOCH
        health, gone = after_failure(health, failed, USUAL, now, 0)
        assert gone is None
        assert health.paused_until == now + timedelta(seconds=pause_s)
    assert (health.failures, health.failing_since) == (4, EPOCH)


def test_failures_of_what_was_under_way_together_count_once() -> None:
    first, _ = after_failure(Health(), Failure("500"), USUAL, EPOCH, 0)
    assert after_failure(first, Failure("500"), USUAL, EPOCH + timedelta(seconds=1), 0) == (
        first,
        None,
    )


def test_a_receiver_may_ask_to_be_left_alone_for_longer() -> None:
    asked = Failure("503", retry_after=timedelta(minutes=9))
    health, _ = after_failure(Health(), asked, USUAL, EPOCH, 0)
    assert health.paused_until == EPOCH + timedelta(minutes=9)


@pytest.mark.parametrize(
    ("failures", "late_s", "wanted"), [(9, 0, Gone.FAILING), (9, -1, None), (8, 0, None)]
)
def test_a_webhook_is_disabled_once_nothing_got_through_for_a_whole_schedule(
    failures: int, late_s: int, wanted: Gone | None
) -> None:
    now = EPOCH + USUAL.whole + timedelta(seconds=late_s)
    _, gone = after_failure(Health(failures, EPOCH, None), Failure("500"), USUAL, now, 0)
    assert gone is wanted


def test_a_webhook_that_is_gone_is_disabled_at_once() -> None:
    assert after_failure(Health(), Failure("410", gone=True), USUAL, EPOCH, 0)[1] is Gone.GONE


def test_a_webhook_is_told_the_latest_of_each_place_that_interests_it_since_it_was_made() -> None:
    notices = Notices(
        [
            Subscription("all", Interest(), {0: Position(1, 3)}),
            Subscription("milk", Interest.of(["milk"], [], []), {}),
        ]
    )
    for n, sku in enumerate(["tea", "milk", "milk", "tea", "tea"], 1):
        notices.add(known(sku, n), f"event{n}", EPOCH)
    told = [(one.webhook, one.place, one.message) for one in notices]
    assert told == [
        ("all", ("tea", "n1"), "msg_event5"),
        ("milk", ("milk", "n1"), "msg_event3"),
    ]
    body = orjson.loads(next(iter(notices)).body)
    assert (body["type"], body["timestamp"]) == ("stock.level_changed", EPOCH.isoformat())
    assert (body["data"]["on_hand"], body["data"]["position"]["sequence"]) == (5, 5)
