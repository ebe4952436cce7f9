"""How deep JSON is nested, told before it is parsed."""

import re

from order_ingest.domain.findings import Finding, Refused

MAX_DEPTH = 32
"""The deepest body that the doors describe has 6 levels."""

_ESCAPED = re.compile(rb"\\.", re.DOTALL)
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_AS_ONE_KIND = bytes.maketrans(b"{}", b"[]")  # which kind closes which is for the parser to see


def check_depth(raw: bytes) -> None:
    """Refuse JSON that is nested too deep, in time linear in its length and without recursion.

    Empty pairs of brackets are taken out, one level a round from the inside: what is left after
    `MAX_DEPTH` rounds is deeper, or not JSON at all.

    Raises:
        Refused: It is nested deeper than `MAX_DEPTH`, or its brackets do not match.
    """
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    without_escapes = _ESCAPED.sub(b"", raw) if b"\\" in raw else raw
    outside_strings = b"".join(without_escapes.split(b'"')[::2])
    brackets = outside_strings.translate(_AS_ONE_KIND, _ALL_BUT_BRACKETS)
    for _ in range(MAX_DEPTH):
        outer = brackets.replace(b"[]", b"")
        if len(outer) == len(brackets):
            break
        brackets = outer
    if brackets:
        reason = f"is nested deeper than {MAX_DEPTH} levels, or its brackets do not match"
        raise Refused([Finding("body", reason)], malformed=True)
