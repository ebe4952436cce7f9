"""How the kernel is compiled: once for each machine, and then read from a cache."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

ParamsT = ParamSpec("ParamsT")
ResultT = TypeVar("ResultT")


def compiled(function: Callable[ParamsT, ResultT]) -> Callable[ParamsT, ResultT]:
    """Compile a function over arrays; other threads run while it runs.

    Without a folder that the cache can be written to (an image with a read-only file system and
    no NUMBA_CACHE_DIR) each process compiles for itself, which takes some 20 s.
    """
    try:
        quick = numba.njit(cache=True, nogil=True)(function)
    except RuntimeError:
        quick = numba.njit(nogil=True)(function)
    return cast("Callable[ParamsT, ResultT]", quick)


def inlined(function: Callable[ParamsT, ResultT]) -> Callable[ParamsT, ResultT]:
    """Compile a function into each of its callers.

    A call that hands over `Task` and `State` copies some 400 words: measured, it took nine tenths
    of the whole search.
    """
    return cast("Callable[ParamsT, ResultT]", numba.njit(inline="always")(function))
