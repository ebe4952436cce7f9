"""FactsNoted: what catalogue and promotions have become, taken in where the demand is."""

from datetime import UTC, date, datetime

from forecaster.domain import facts
from forecaster.domain.calendar import day_of
from forecaster.domain.closing import replan
from forecaster.domain.covariates import Site
from forecaster.domain.facts import ALWAYS, SERIES, SITE, SKU, Promotion, SkuFacts
from forecaster.domain.learner import Key
from forecaster.domain.state import PartitionState
from restock_common.contracts import promotions
from restock_common.contracts.catalogue import SeriesValue
from restock_common.contracts.demand import FactsNoted, ProductNote, SiteNote
from restock_common.contracts.promotions import PlannedEntity, Price

_SEPARATOR = "\x1f"


def take(state: PartitionState, event: FactsNoted) -> None:
    """Take all of a note in; told twice, it is the same."""
    for product in event.products:
        _product(state, product)
    for site in event.sites:
        _site(state, site)
    for value in event.series:
        _series(state, value)
    for promotion in event.promotions:
        _promotion(state, promotion)
    for price in event.prices:
        _price(state, price)
    if event.complete:
        state.facts.complete = True


def day_number(day: date) -> int:
    """Return a date as a day counted from 1 January 1970."""
    return day_of(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _since(day: date | None) -> int:
    return ALWAYS if day is None else day_number(day)


def _today(state: PartitionState) -> int:
    return ALWAYS if state.open_day is None else state.open_day


def _product(state: PartitionState, note: ProductNote) -> None:
    state.touch_part((SKU, note.sku))
    known = state.facts.skus.setdefault(note.sku, SkuFacts())
    known.products[_since(note.effective_from)] = (note.category, note.unit_price)
    facts.derive_sku(state.facts, state.partition, note.sku, _today(state))


def _site(state: PartitionState, note: SiteNote) -> None:
    state.touch_part((SITE, note.location))
    site = Site(note.country or "", frozenset(note.closed_weekdays))
    state.facts.sites.setdefault(note.location, {})[_since(note.effective_from)] = site
    facts.derive_site(state.facts, state.partition, note.location, _today(state))


def _series(state: PartitionState, value: SeriesValue) -> None:
    day = day_number(value.day)
    if day < _today(state) - facts.KEPT_DAYS:
        return
    state.touch_part((SERIES, value.series))
    known = state.facts.series.setdefault(value.series, {})
    known[day] = value.value
    shown = state.partition.series
    shown.put(value.series, day, value.value)
    for old in [one for one in known if one < _today(state) - facts.KEPT_DAYS]:
        del known[old], shown.values[value.series][old]


def _promotion(state: PartitionState, event: promotions.Promotion) -> None:
    known = _planned(state, event)
    place = event.location or ""
    name = f"{event.promotion}{_SEPARATOR}{place}"
    if event.cancelled:
        known.promotions.pop(name, None)
    else:
        mechanic = event.mechanic.lower()
        mailing = float("mail" in mechanic or "flyer" in mechanic)
        # who does not say how a promotion is made known has made it known somehow
        display = float("display" in mechanic or not mailing)
        known.promotions[name] = Promotion(
            place,
            day_number(event.starts_on),
            day_number(event.ends_on),
            display,
            mailing,
            event.price,
            event.discount_share,
        )
    _replanned(state, event)


def _price(state: PartitionState, event: Price) -> None:
    known = _planned(state, event)
    known.prices.setdefault(event.location or "", {})[day_number(event.effective_from)] = (
        event.price
    )
    _replanned(state, event)


def _planned(state: PartitionState, event: PlannedEntity) -> SkuFacts:
    """Return what is known of a sku, about to change."""
    state.touch_part((SKU, event.sku))
    return state.facts.skus.setdefault(event.sku, SkuFacts())


def _replanned(state: PartitionState, event: PlannedEntity) -> None:
    """Let a changed plan count, and have the forecasts that it changes told again."""
    facts.forget(state.facts.skus[event.sku], _today(state))
    place = event.location or ""
    facts.derive_sku(state.facts, state.partition, event.sku, _today(state), told_of=place)
    places = {place} if place else state.locations.get(event.sku, set())
    replan(state, [Key(event.sku, one) for one in sorted(places)])
