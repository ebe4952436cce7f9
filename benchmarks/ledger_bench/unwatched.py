"""The ledger as it would be if nothing were counted: `python -m ledger_bench.unwatched`.

Its metrics are there, and do nothing.
"""

from typing import Any

from prometheus_client import Counter, Gauge, Histogram


def _same(self: Any, *_: Any, **__: Any) -> Any:
    return self


def _nothing(_: Any, *__: Any, **___: Any) -> None:
    """Count nothing."""


for _kind in (Counter, Gauge, Histogram):
    for _name, _instead in (
        ("labels", _same),
        ("inc", _nothing),
        ("dec", _nothing),
        ("set", _nothing),
        ("observe", _nothing),
    ):
        if hasattr(_kind, _name):
            setattr(_kind, _name, _instead)

if __name__ == "__main__":
    from stock_ledger.__main__ import main

    main()
