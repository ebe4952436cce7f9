"""What benchmarks tell, and how: figures on standard output or to a file, progress to a person."""

import sys
import time
from collections.abc import Mapping
from math import ceil
from pathlib import Path

import orjson

_STARTED = time.monotonic()


def percentile(ascending: list[float], share: float) -> float:
    """Return the smallest value that at least this share of all values does not exceed."""
    return ascending[ceil(share * len(ascending)) - 1]


def said(*words: object) -> None:
    """Tell a person how it goes, and when; standard output is for the figures."""
    print(f"{time.monotonic() - _STARTED:7.1f} s", *words, file=sys.stderr, flush=True)


def write_line(figures: Mapping[str, object], path: str) -> None:
    """Write the figures as one JSON line to a file; `-` is standard output."""
    line = orjson.dumps(figures, option=orjson.OPT_APPEND_NEWLINE)
    if path == "-":
        sys.stdout.buffer.write(line)
    else:
        Path(path).write_bytes(line)
