"""What a person sees: a live line while the demo runs, a table and a verdict at the end."""

from collections.abc import Callable
from datetime import date, timedelta
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from restock_local.demo.calendar import START, Stretch
from restock_local.demo.figures import MUST_BE_NONE, Figures
from restock_local.demo.readback import Tally

_LABELS = {
    "orders_sent": "Orders sent",
    "orders_ledgered": "Orders in the ledger",
    "orders_lost": "Orders lost",
    "duplicates_sent": "Orders delivered to the ledger again",
    "duplicates_applied": "Duplicates applied",
    "lines_reserved": "Order lines reserved",
    "lines_backordered": "Order lines backordered",
    "lines_served_by_another_pool": "Order lines served by another pool",
    "units_oversold": "Units oversold",
    "balances_differing": "Balances that do not add up",
    "demand_events": "Demand events",
    "forecasts": "Forecasts",
    "purchase_orders": "Purchase orders",
    "receipts": "Receipts",
    "routes": "Routes",
    "shipments_delivered": "Shipments delivered",
    "shipments_unserved": "Shipments that had to wait for a route",
    "dead_letters": "Dead letters",
}
_MINUTES_A_DAY = 24 * 60


class Screen:
    """Shows how the demo goes; on a terminal live, elsewhere a line a day.

    Args:
        console: Where to.
        days: How many event days come.
        tally: What has been seen on the topics so far; looked at on every refresh.
    """

    def __init__(self, console: Console, days: int, tally: Tally) -> None:
        self._console = console
        self._days = days
        self._tally = tally
        self._day: date | None = None
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=24),
            _Live(self._seen),
            TimeElapsedColumn(),
            console=console,
            refresh_per_second=4,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("getting ready", total=days * _MINUTES_A_DAY)

    def __enter__(self) -> Self:
        """Begin to show."""
        self._progress.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Leave the last state standing."""
        self._progress.stop()

    def say(self, phase: str) -> None:
        """Show what is going on before the replay."""
        self._progress.update(self._task, description=phase)
        self._print(phase)

    def begin(self, stretch: Stretch) -> None:
        """Show which stretch of event time is being sent."""
        if self._day != stretch.begin.date():
            self._sum_up()
            self._day = stretch.begin.date()
        self._progress.update(
            self._task,
            description=f"{self._day}",
            completed=(stretch.begin - START) / timedelta(minutes=1),
        )

    def end(self) -> None:
        """Show that the last day is closed."""
        self._sum_up()
        self._progress.update(self._task, description="done", completed=self._days * _MINUTES_A_DAY)

    def _sum_up(self) -> None:
        """Say what has been seen up to the end of the day that was shown last."""
        if self._day is not None:
            self._print(f"{self._day}  {self._seen()}")

    def _print(self, line: str) -> None:
        """Write a line where nothing can be shown live."""
        if not self._console.is_terminal:
            self._console.print(line, highlight=False, soft_wrap=True)

    def _seen(self) -> str:
        tally = self._tally
        return (
            f"{len(tally.order_records):,} orders  {tally.reserved_records:,} reservations  "
            f"{len(tally.forecasts):,} forecasts  {len(tally.purchase_orders):,} purchase orders  "
            f"{len(tally.routes):,} routes"
        )


class _Live(ProgressColumn):
    """A column that asks for its text on each refresh."""

    def __init__(self, text: Callable[[], str]) -> None:
        super().__init__()
        self._text = text

    def render(self, _task: Task) -> Text:
        return Text(self._text())


def show_figures(console: Console, figures: Figures) -> None:
    """Print the table and the verdict."""
    title = f"{figures.days} days of orders, seed {figures.seed}"
    table = Table("", Column(justify="right"), title=title, show_header=False)
    for name, label in _LABELS.items():
        value = getattr(figures, name)
        style = (
            ""
            if name not in (*MUST_BE_NONE, "dead_letters")
            else "green"
            if value == 0
            else "bold red"
        )
        table.add_row(label, f"{value:,}", style=style)
    table.add_section()
    table.add_row("Orders a second", f"{figures.orders_per_s:,.1f}")
    table.add_row(
        "Time taken", f"{figures.wall_s:,.0f} s, {figures.replay_s:,.0f} s of it the replay"
    )
    for part, description in figures.platform.items():
        table.add_row(part.capitalize(), description)
    console.print(table)
    console.print(verdict(figures), style="bold green" if figures.sound else "bold red")


def verdict(figures: Figures) -> str:
    """Return in one plain sentence whether the demo kept what Restock promises."""
    if figures.sound:
        sentence = (
            f"Sound: all {figures.orders_sent:,} orders are in the ledger, none of the "
            f"{figures.duplicates_sent:,} repeats counted twice, and no unit was promised twice."
        )
    else:
        named = ", ".join(
            f"{count:,} {name.replace('_', ' ')}" for name, count in figures.faults.items()
        )
        sentence = f"Not sound: {named}."
    if figures.dead_letters:
        sentence += f" {figures.dead_letters:,} records became dead letters."
    return sentence
