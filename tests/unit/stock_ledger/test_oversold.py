"""Oversold: promised and not there, or taken below nothing; other drifts are none of it."""

from stock_ledger.audit.live import oversold


def test_units_oversold_are_told_from_what_does_not_agree() -> None:
    drifts = [
        {"invariant": "open promises reserved", "expected": 7, "found": 4},
        {"invariant": "open promises held", "expected": 1, "found": 9},
        {"invariant": "balance of free", "expected": 0, "found": -2},
        {"invariant": "balance of damaged", "expected": 3, "found": 8},
    ]
    assert oversold(drifts) == 3 + 2
    assert oversold([]) == 0
