"""Old versions stay readable: shown by an event that exists here alone, in its third version.

Its golden files are what each version wrote; those of real events are in `golden/`.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.contracts.test_golden import compact

from restock_common.contracts.envelope import Record, decode
from restock_common.contracts.event import Event
from restock_common.contracts.topics import DEAD_LETTERS, DISPATCH, Topic
from restock_common.contracts.upcasts import Body, Upcaster
from restock_common.errors import Permanent
from restock_common.transact import read_event

OLD = Path(__file__).parent / "old"


class Parcel(Event):
    """A parcel: version 2 weighs in grams, version 3 knows where it goes."""

    topic: ClassVar[Topic] = DISPATCH
    version: ClassVar[int] = 3

    parcel: str
    weight_grams: int
    country: str

    @property
    def key(self) -> str:
        """Return the parcel."""
        return self.parcel


def in_grams(body: Body) -> Body:
    kg = body.pop("weight_kg")
    return {**body, "weight_grams": round(kg * 1000)}


def with_country(body: Body) -> Body:
    if body.get("marks") is not None:
        body["weight_grams"] = body["marks"][3] // body["marks"][0]
    return {**body, "country": "unknown"}


STEPS = {
    "restock.Parcel.v1": Upcaster("restock.Parcel.v2", in_grams),
    "restock.Parcel.v2": Upcaster("restock.Parcel.v3", with_country),
}
KNOWN: dict[str, type[Event]] = {Parcel.type_name(): Parcel}


def record_of(version: int, body: Any = None) -> Record:
    document = json.loads((OLD / f"Parcel.v{version}.json").read_text())
    headers = [(name, value.encode()) for name, value in document["headers"].items()]
    value = compact(document["body"]) if body is None else body
    return Record(DISPATCH.name, 0, 0, 0, document["key"].encode(), value, headers)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_every_version_reads_as_the_newest(version: int) -> None:
    message = decode(record_of(version), KNOWN, STEPS)
    assert message.event == Parcel(parcel="p-1", weight_grams=1250, country="unknown")
    assert message.id == "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'{"parcel": "p-1"}',
        b'{"weight_kg": "heavy"}',
        b"null",
        b'{"weight_kg": 1, "marks": []}',
        b'{"weight_kg": 1, "marks": [0, 1, 2, 3]}',
        b'{"weight_kg": 1e999}',
    ],
)
def test_an_old_body_that_is_not_what_its_version_says(body: bytes) -> None:
    with pytest.raises(Permanent, match=r"cannot be read as 'restock\.Parcel\.v1'") as caught:
        decode(record_of(1, body), KNOWN, STEPS)
    assert caught.value.field == "body"


def test_what_a_step_leaves_wrong_is_named() -> None:
    with pytest.raises(Permanent) as caught:
        decode(record_of(1, b'{"weight_kg": 1}'), KNOWN, STEPS)
    assert caught.value.field == "parcel"


def test_a_version_without_a_way_is_refused() -> None:
    with pytest.raises(Permanent, match="is a version not known here"):
        decode(record_of(1), KNOWN, {})


def test_a_reader_that_knows_the_old_version_reads_it_as_it_is() -> None:
    class FirstParcel(Event):
        topic: ClassVar[Topic] = DISPATCH
        weight_kg: float

    message = decode(record_of(1), {**KNOWN, "restock.Parcel.v1": FirstParcel}, STEPS)
    assert message.event == FirstParcel(weight_kg=1.25)


def test_an_old_version_is_passed_over_like_the_new_one() -> None:
    """A service that does not handle an event handles no older version of it either."""
    headers = [("ce_type", b"restock.DeadLetter.v1")]
    old = Record(DEAD_LETTERS.name, 0, 0, 0, None, b"{", headers)
    assert read_event(old, frozenset({Parcel})) is None
    with pytest.raises(Permanent, match="does not belong on"):
        read_event(replace(old, topic=DISPATCH.name), frozenset({Parcel}))
