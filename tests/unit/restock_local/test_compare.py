"""Each change of a schema that breaks somebody, and each that does not."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, create_model

from restock_local.contracts.compare import OLD_READERS, OLD_RECORDS, breaks


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Shade(StrEnum):
    RED = "red"
    BLUE = "blue"
    GREEN = "green"


class Line(BaseModel):
    sku: str
    quantity: int


class LineOfALot(Line):
    lot: str


class LineOfAnyLot(Line):
    lot: str = ""


class Coupon(BaseModel):
    code: str


class Credit(Coupon):
    units: int


class Tree(BaseModel):
    name: str
    branches: list["Tree"] = []


def schema(**fields: Any) -> dict[str, Any]:
    """Return the schema of an event: a field is (type, default), `...` where it must be there."""
    model: type[BaseModel] = create_model("Parcel", **fields)
    return model.model_json_schema()


Small, Large = Annotated[int, Field(ge=1, le=9)], Annotated[int, Field(ge=0, le=10)]


@pytest.mark.parametrize(
    ("old", "new", "place", "whom"),
    [
        pytest.param({}, {"a": (str, ...)}, "a", {OLD_RECORDS}, id="required-added"),
        pytest.param({"a": (str, ...)}, {}, "a", {OLD_READERS}, id="required-removed"),
        pytest.param({"a": (str, ...)}, {"a": (str, "")}, "a", {OLD_READERS}, id="now-optional"),
        pytest.param({"a": (str, "")}, {"a": (str, ...)}, "a", {OLD_RECORDS}, id="now-required"),
        pytest.param({"a": (int, 1)}, {"a": (int, 2)}, "a", {OLD_RECORDS}, id="default"),
        pytest.param(
            {"a": (str, ...)}, {"a": (int, ...)}, "a", {OLD_RECORDS, OLD_READERS}, id="type"
        ),
        pytest.param({"a": (float, ...)}, {"a": (int, ...)}, "a", {OLD_RECORDS}, id="narrowed"),
        pytest.param({"a": (int, ...)}, {"a": (float, ...)}, "a", {OLD_READERS}, id="widened"),
        pytest.param(
            {"a": (str | None, ...)}, {"a": (str, ...)}, "a", {OLD_RECORDS}, id="no-longer-null"
        ),
        pytest.param(
            {"a": (str, ...)}, {"a": (str | None, ...)}, "a", {OLD_READERS}, id="may-be-null"
        ),
        pytest.param(
            {"a": (Shade, ...)}, {"a": (Colour, ...)}, "a", {OLD_RECORDS}, id="enum-loses"
        ),
        pytest.param(
            {"a": (Colour, ...)}, {"a": (Shade, ...)}, "a", {OLD_READERS}, id="enum-gains"
        ),
        pytest.param({"a": (str, ...)}, {"a": (Colour, ...)}, "a", {OLD_RECORDS}, id="now-an-enum"),
        pytest.param(
            {"a": (Literal["x"], ...)}, {"a": (str, ...)}, "a", {OLD_READERS}, id="was-constant"
        ),
        pytest.param({"a": (Large, ...)}, {"a": (Small, ...)}, "a", {OLD_RECORDS}, id="tighter"),
        pytest.param({"a": (Small, ...)}, {"a": (Large, ...)}, "a", {OLD_READERS}, id="wider"),
        pytest.param({"a": (int, ...)}, {"a": (Small, ...)}, "a", {OLD_RECORDS}, id="now-bounded"),
        pytest.param(
            {"a": (Annotated[str, Field(pattern="a")], ...)},
            {"a": (Annotated[str, Field(pattern="b")], ...)},
            "a",
            {OLD_RECORDS, OLD_READERS},
            id="pattern",
        ),
        pytest.param(
            {"a": (list[Line], ...)},
            {"a": (list[LineOfALot], ...)},
            "a[].lot",
            {OLD_RECORDS},
            id="inside-items",
        ),
        pytest.param(
            {"a": (dict[str, int], ...)},
            {"a": (dict[str, float], ...)},
            "a{}",
            {OLD_READERS},
            id="inside-a-map",
        ),
        pytest.param(
            {"a": (tuple[str, int], ...)},
            {"a": (tuple[str, float], ...)},
            "a[1]",
            {OLD_READERS},
            id="inside-a-pair",
        ),
        pytest.param(
            {"a": (tuple[str, int], ...)},
            {"a": (tuple[str, int, int], ...)},
            "a",
            {OLD_RECORDS, OLD_READERS},
            id="longer-pair",
        ),
        pytest.param(
            {"a": (Line | Credit, ...)},
            {"a": (LineOfALot | Credit, ...)},
            "a.lot",
            {OLD_RECORDS},
            id="first-alternative-needs-more",
        ),
        pytest.param(
            {"a": (LineOfALot | Credit, ...)},
            {"a": (Line | Credit, ...)},
            "a.lot",
            {OLD_READERS},
            id="first-alternative-tells-less",
        ),
        pytest.param(
            {"a": (Credit, ...)},
            {"a": (Coupon | Credit, ...)},
            "a.units",
            {OLD_READERS},
            id="alternative-added",
        ),
    ],
)
def test_a_change_that_breaks(
    old: dict[str, Any], new: dict[str, Any], place: str, whom: set[str]
) -> None:
    found = breaks(schema(**old), schema(**new))
    assert {one.place for one in found} == {place}
    assert {one.whom for one in found} == whom
    assert all(str(one).startswith(place) for one in found)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param({}, {"a": (str, "")}, id="optional-added"),
        pytest.param({}, {"a": (str | None, None)}, id="nullable-added"),
        pytest.param({"a": (str, "")}, {}, id="optional-removed"),
        pytest.param({"a": (Colour, ...)}, {"a": (Literal["blue", "red"], ...)}, id="same-values"),
        pytest.param(
            {"a": (list[Line], ...)},
            {"a": (list[LineOfAnyLot], ...)},
            id="optional-inside",
        ),
        pytest.param(
            {"a": (Line | Credit, ...)},
            {"a": (Credit | LineOfAnyLot, ...)},
            id="alternatives-in-another-order",
        ),
        pytest.param({"a": (Tree, ...)}, {"a": (Tree, ...)}, id="holds-itself"),
        pytest.param(
            {"a": (Annotated[str, Field(description="old words")], ...)},
            {"a": (Annotated[str, Field(description="new words")], ...)},
            id="words",
        ),
    ],
)
def test_a_change_that_suits_everybody(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert breaks(schema(**old), schema(**new)) == []
