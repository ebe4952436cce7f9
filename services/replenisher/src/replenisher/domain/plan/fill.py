"""What is added to an order so that it reaches a value or fills a truck, at the least loss."""

from dataclasses import dataclass

from replenisher.domain.plan.blocks import Blocks


@dataclass(frozen=True, slots=True)
class Fill:
    """What an order lacks: money, or units, and for what."""

    money: float
    units: int
    what: str


def fill(
    blocks: Blocks, lacking: Fill, budget: float | None, room: int | None, lines: int
) -> list[int] | None:
    """Return the units to add to each line; None where all blocks together are not enough.

    Args:
        blocks: What could be added, of so many lines.
        lacking: What has to be reached.
        budget: Money that may be spent on it; None sets no limit.
        room: Units that the location has left; None sets no limit.
        lines: How many lines there are.
    """
    money, units = lacking.money, lacking.units
    added = [0] * lines
    ended: set[int] = set()
    spent = 0.0
    for index in blocks.by_density().tolist():
        if money <= 0 and units <= 0:
            return added
        line, size, cost = int(blocks.line[index]), int(blocks.units[index]), blocks.cost[index]
        if line in ended:
            continue
        too_dear = budget is not None and spent + cost > budget
        too_large = room is not None and sum(added) + size > room
        if too_dear or too_large or (lacking.units and size > units):
            ended.add(line)
            continue
        added[line] += size
        spent += float(cost)
        money -= float(cost)
        units -= size
    return added if money <= 0 and units <= 0 else None
