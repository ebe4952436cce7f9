"""What benchmarks are asked and what they tell: figures to a program, progress to a person."""

import argparse
import sys
import time
from collections.abc import Coroutine, Mapping
from math import ceil
from pathlib import Path
from typing import Any

import orjson

from restock_local.session import ToldToEnd, run_session

_STARTED = time.monotonic()


def percentile(ascending: list[float], share: float) -> float:
    """Return the smallest value that at least this share of all values does not exceed."""
    return ascending[ceil(share * len(ascending)) - 1]


def said(*words: object) -> None:
    """Tell a person how it goes, and when; standard output is for the figures."""
    print(f"{time.monotonic() - _STARTED:7.1f} s", *words, file=sys.stderr, flush=True)


def arguments(
    name: str, doc: str | None, *, platform: str | None = "apache"
) -> argparse.ArgumentParser:
    """Return a parser of what every benchmark is asked.

    Args:
        name: The benchmark's.
        doc: What it measures.
        platform: The one that is used unless another is asked for; None where none is needed.
    """
    parser = argparse.ArgumentParser(
        prog=f"restock bench {name}",
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", default="-", metavar="PATH", help="where to; - is stdout")
    if platform is not None:
        parser.add_argument("--platform", default=platform, help="auto, docker, apache or embedded")
    return parser


def report(measuring: Coroutine[Any, Any, Mapping[str, object]], path: str) -> int:
    """Measure, write one JSON line, return the exit code."""
    try:
        figures = run_session(measuring)
    except ToldToEnd as told:
        return told.exit_code
    write_line(figures, path)
    return 0


def write_line(figures: Mapping[str, object], path: str) -> None:
    """Write the figures as one JSON line to a file; `-` is standard output."""
    line = orjson.dumps(figures, option=orjson.OPT_APPEND_NEWLINE)
    if path == "-":
        sys.stdout.buffer.write(line)
    else:
        Path(path).write_bytes(line)
