"""Commands that come before what they are about."""

from datetime import timedelta

import pytest
from tests.unit.order_ingest.sample import NOW

from order_ingest.domain.findings import Unknown
from order_ingest.domain.orders import cancelled_id, shops_id
from order_ingest.domain.requests import AmendmentRequest, CancelRequest, parse
from order_ingest.domain.requests.base import MAX_OWN_CHARACTERS
from order_ingest.domain.waiting import KINDS, command_on_order, release_of_hold


def test_a_command_without_a_time_came_when_it_came() -> None:
    """So that it is the same event, whoever delivers it and when."""
    command = command_on_order("s", "s:1", CancelRequest(reason="late"), NOW)
    assert (command.event, command.came_at) == (cancelled_id("s:1"), NOW)
    assert parse(KINDS[command.name], command.body.encode()) == CancelRequest(
        cancelled_at=NOW, reason="late"
    )


def test_a_command_keeps_the_time_that_it_tells() -> None:
    before = NOW - timedelta(days=1)
    request = AmendmentRequest(revision=3, lines=(), amended_at=before)
    command = command_on_order("s", "s:1", request, NOW)
    assert parse(KINDS[command.name], command.body.encode()) == request


def test_why_it_waits() -> None:
    assert release_of_hold("s", "s:c", NOW).reason == "hold 's:c' has not been held here"


def test_what_can_never_come_is_not_waited_for() -> None:
    longest = shops_id("s", "n" * MAX_OWN_CHARACTERS)
    assert command_on_order("s", longest, CancelRequest(), NOW).subject == longest
    with pytest.raises(Unknown, match="is not known"):
        command_on_order("s", longest + "n", CancelRequest(), NOW)
    with pytest.raises(Unknown, match="is not known"):
        release_of_hold("s", longest + "n", NOW)
