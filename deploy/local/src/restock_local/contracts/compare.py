"""Whether a new JSON Schema of an event still suits those who know the old one.

Two have to be suited. Old records stay on their topics, so today's readers must take them; and
services are deployed one by one, so old readers must take what today's writers write. A difference
that suits both is no finding. What is compared is what pydantic generates: types, bounds, enums,
properties, items, and alternatives: some new one has to take each old one, and some old one each
new one.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Schema = Mapping[str, Any]
ByType = Mapping[str, Sequence[Schema]]

OLD_RECORDS = "old records cannot be read"
OLD_READERS = "old readers cannot read"

_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_EXACT = ("pattern", "format", "uniqueItems")


@dataclass(frozen=True, slots=True)
class Break:
    """One difference that somebody cannot read across.

    Attributes:
        place: Where, such as `lines[].quantity`.
        reason: What has changed.
        whom: `OLD_RECORDS` or `OLD_READERS`.
    """

    place: str
    reason: str
    whom: str

    def __str__(self) -> str:
        """Return it as people read it."""
        return f"{self.place or 'the event'} {self.reason}: {self.whom}"


def breaks(old: Schema, new: Schema) -> list[Break]:
    """Return what readers of the old schema, or records of it, do not survive."""
    return list(_Comparison(old, new).of(old, new, ""))


class _Comparison:
    """Compares two documents; references lead into each one's own `$defs`."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old_defs = old.get("$defs", {})
        self._new_defs = new.get("$defs", {})
        self._open: set[tuple[str, str]] = set()

    def of(self, old: Schema, new: Schema, place: str) -> Iterator[Break]:
        """Yield what breaks between two schemas of one place."""
        references = (str(old.get("$ref")), str(new.get("$ref")))
        if "$ref" in old and "$ref" in new:
            if references in self._open:
                return  # a model that holds itself: it is being compared already
            self._open.add(references)
        yield from self._default(old, new, place)
        olds, news = _by_type(old, self._old_defs), _by_type(new, self._new_defs)
        yield from self._types(olds, news, place)
        for name in olds.keys() & news.keys():
            yield from self._alternatives(olds[name], news[name], place)
        self._open.discard(references)

    def _alternatives(
        self, olds: Sequence[Schema], news: Sequence[Schema], place: str
    ) -> Iterator[Break]:
        """Yield what breaks each of some schemas of one type beside the one that suits it best."""
        table = [[list(self._one(old, new, place)) for new in news] for old in olds]
        for row in table:
            yield from _fewest(row, OLD_RECORDS)
        for column in zip(*table, strict=True):
            yield from _fewest(column, OLD_READERS)

    def _types(self, olds: ByType, news: ByType, place: str) -> Iterator[Break]:
        for name in olds.keys() - news.keys():
            if not (name == "integer" and "number" in news):
                yield Break(place, f"may no longer be {name}", OLD_RECORDS)
        for name in news.keys() - olds.keys():
            if not (name == "integer" and "number" in olds):
                yield Break(place, f"may now be {name}", OLD_READERS)

    def _one(self, old: Schema, new: Schema, place: str) -> Iterator[Break]:
        yield from _values(old, new, place)
        yield from _bounds(old, new, place)
        yield from self._properties(old, new, place)
        if "items" in old and "items" in new and isinstance(old["items"], Mapping):
            yield from self.of(old["items"], new["items"], f"{place}[]")
        olds, news = old.get("prefixItems", ()), new.get("prefixItems", ())
        if len(olds) != len(news):
            yield Break(place, "has another number of items", OLD_RECORDS)
        for number, (one, other) in enumerate(zip(olds, news, strict=False)):
            yield from self.of(one, other, f"{place}[{number}]")
        mapped = old.get("additionalProperties"), new.get("additionalProperties")
        if isinstance(mapped[0], Mapping) and isinstance(mapped[1], Mapping):
            yield from self.of(mapped[0], mapped[1], f"{place}{{}}")

    def _properties(self, old: Schema, new: Schema, place: str) -> Iterator[Break]:
        olds, news = old.get("properties", {}), new.get("properties", {})
        needed_before, needed = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(needed_before - needed):
            gone = "is gone" if name not in news else "need no longer be there"
            yield Break(_inside(place, name), gone, OLD_READERS)
        for name in sorted(needed - needed_before):
            yield Break(_inside(place, name), "must now be there", OLD_RECORDS)
        for name in olds.keys() & news.keys():
            yield from self.of(olds[name], news[name], _inside(place, name))

    @staticmethod
    def _default(old: Schema, new: Schema, place: str) -> Iterator[Break]:
        if "default" in old and "default" in new and old["default"] != new["default"]:
            told = f"means {new['default']!r} where it is left out, not {old['default']!r}"
            yield Break(place, told, OLD_RECORDS)


def _fewest(candidates: Iterable[Sequence[Break]], whom: str) -> Sequence[Break]:
    """Return the smallest part that breaks somebody."""
    return min(([one for one in breaks if one.whom == whom] for breaks in candidates), key=len)


def _by_type(schema: Schema, definitions: Schema) -> ByType:
    """Return the alternatives of a schema by their type; an object's is `object`."""
    if "$ref" in schema:
        return _by_type(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    found: dict[str, list[Schema]] = {}
    for one in schema.get("anyOf") or schema.get("oneOf") or ():
        for kind, schemas in _by_type(one, definitions).items():
            found.setdefault(kind, []).extend(schemas)
    if found:
        return found
    kinds = schema.get("type", "anything")
    return {kind: [schema] for kind in ([kinds] if isinstance(kinds, str) else kinds)}


def _values(old: Schema, new: Schema, place: str) -> Iterator[Break]:
    """Yield what breaks where only some values are allowed."""
    olds, news = _allowed(old), _allowed(new)
    if news is not None and (olds is None or olds - news):
        lost = "is now one of few values" if olds is None else f"loses {sorted(olds - news)}"
        yield Break(place, lost, OLD_RECORDS)
    if olds is not None and (news is None or news - olds):
        gained = "may now be any value" if news is None else f"gains {sorted(news - olds)}"
        yield Break(place, gained, OLD_READERS)


def _allowed(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {repr(schema["const"])}
    return set(map(repr, schema["enum"])) if "enum" in schema else None


def _bounds(old: Schema, new: Schema, place: str) -> Iterator[Break]:
    """Yield bounds that became tighter (for old records) or wider (for old readers)."""
    tighter: Callable[[Any, Any], bool]
    for names, tighter in ((_LOWER, lambda a, b: b > a), (_UPPER, lambda a, b: b < a)):
        for name in names:
            before, after = old.get(name), new.get(name)
            if before == after:
                continue
            told = f"has {name} {after}, not {before}"
            if before is None or (after is not None and tighter(before, after)):
                yield Break(place, told, OLD_RECORDS)
            else:
                yield Break(place, told, OLD_READERS)
    for name in _EXACT:
        if old.get(name) != new.get(name):
            told = f"has {name} {new.get(name)!r}, not {old.get(name)!r}"
            if name in new:
                yield Break(place, told, OLD_RECORDS)
            if name in old:
                yield Break(place, told, OLD_READERS)


def _inside(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
