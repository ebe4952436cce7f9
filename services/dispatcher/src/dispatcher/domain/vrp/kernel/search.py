"""Slack induction by string removals: ruin, recreate, accept by simulated annealing.

Source: Christiaens & Vanden Berghe (2020), Slack Induction by String Removals for Vehicle Routing
Problems, Transportation Science 54(2). Beside it: shipments left out are tried again, and are
where a ruin may begin.
"""

from typing import Any, NamedTuple

import numpy as np

from dispatcher.domain.vrp.kernel.compiled import compiled
from dispatcher.domain.vrp.kernel.insertion import draw, insert, remove
from dispatcher.domain.vrp.kernel.state import State, Task, refresh

_SPLIT = 0.5
_SPLIT_DEPTH = 0.01
_EAGER = 0.1
"""So many iterations insert at any price while some are left out: they may fill a new route."""
_RETRIED_MAX = 10
"""Shipments left out before that one iteration tries again."""


class Scratch(NamedTuple):
    """What an iteration notes down, so that it can be undone. Allocated once."""

    dice: Any
    seen: Any
    out: Any
    key: Any
    touched: Any
    touched_at: Any
    saved: Any
    saved_route: Any
    saved_cost: Any
    absent: Any
    absent_before: Any
    numbers: Any
    best_after: Any
    best_route: Any


def scratch(task: Task, seed: int) -> Scratch:
    """Return an empty notebook with its own dice."""
    places, vehicles = len(task.near), len(task.home)
    nodes = places + 2 * vehicles
    groups = int(task.group.max()) + 1 if vehicles else 1
    start = (seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) & 0xFFFFFFFFFFFFFFFF
    return Scratch(
        dice=np.array([start or 1], np.uint64),
        seen=np.zeros(groups, np.bool_),
        out=np.zeros(places, np.int64),
        key=np.zeros(places, np.float64),
        touched=np.zeros(vehicles, np.int64),
        touched_at=np.zeros(vehicles + 1, np.int64),
        saved=np.zeros(places, np.int64),
        saved_route=np.zeros(vehicles, np.bool_),
        saved_cost=np.zeros(vehicles, np.float64),
        absent=np.zeros(places, np.int64),
        absent_before=np.zeros(places, np.int64),
        numbers=np.zeros(4, np.int64),
        best_after=np.full(nodes, -1, np.int64),
        best_route=np.full(places, -1, np.int64),
    )


TOUCHED, OUT, ABSENT, ABSENT_BEFORE = 0, 1, 2, 3
"""What `Scratch.numbers` counts."""


@compiled
def touch(task: Task, state: State, notes: Scratch, vehicle: int) -> None:
    """Save a route before its first change in this iteration."""
    if notes.saved_route[vehicle]:
        return
    notes.saved_route[vehicle] = True
    count = notes.numbers[TOUCHED]
    notes.touched[count] = vehicle
    at = notes.touched_at[count]
    node = state.after[len(task.near) + vehicle]
    while node < len(task.near):
        notes.saved[at] = node
        at += 1
        node = state.after[node]
    notes.touched_at[count + 1] = at
    notes.saved_cost[vehicle] = state.cost[vehicle]
    notes.numbers[TOUCHED] = count + 1


@compiled
def take_string(task: Task, state: State, notes: Scratch, around: int, length_max: float) -> None:
    """Take a string of stops out of the route of one, with or without a part kept in its midst."""
    vehicle = state.route[around]
    touch(task, state, notes, vehicle)
    size = state.count[vehicle]
    length = int(draw(notes.dice) * min(float(size), length_max)) + 1
    length = min(length, size)
    kept = 0
    if length > 1 and length < size and draw(notes.dice) < _SPLIT:
        kept = 1
        while length + kept < size and draw(notes.dice) < _SPLIT_DEPTH:
            kept += 1
    span = length + kept
    at = state.position[around]
    lowest = max(0, at - span + 1)
    highest = min(at, size - span)
    begin = lowest + int(draw(notes.dice) * (highest - lowest + 1))
    keep_from = 1 + int(draw(notes.dice) * (length - 1)) if kept else span
    node = around
    while state.position[node] > begin:
        node = state.prior[node]
    for offset in range(span):
        following = state.after[node]
        if (offset < keep_from or offset >= keep_from + kept) and not task.frozen[node]:
            remove(state, node)
            notes.out[notes.numbers[OUT]] = node
            notes.numbers[OUT] += 1
        node = following
    refresh(task, state, vehicle)


@compiled
def ruin(task: Task, state: State, notes: Scratch, average: float, longest: float) -> None:
    """Take strings out of routes that pass near one another."""
    places = len(task.near)
    used = 0
    stops = 0
    for vehicle in range(len(task.home)):
        if state.count[vehicle] > 0:
            used += 1
            stops += state.count[vehicle]
    absent = notes.numbers[ABSENT_BEFORE]
    if absent > 0 and draw(notes.dice) < 0.2:
        seed = notes.absent_before[int(draw(notes.dice) * absent)]
    else:
        seed = task.depots + int(draw(notes.dice) * (places - task.depots))
    if stops == 0:
        return
    length_max = min(longest, stops / used)
    strings_max = 4.0 * average / (1.0 + length_max) - 1.0
    strings = int(draw(notes.dice) * strings_max + 1.0)
    taken = 0
    if state.route[seed] >= 0 and not task.frozen[seed]:
        take_string(task, state, notes, seed, length_max)
        taken = 1
    for near in task.close[seed]:
        if taken >= strings or near < 0:
            break
        vehicle = state.route[near]
        if vehicle < 0 or notes.saved_route[vehicle] or task.frozen[near]:
            continue
        take_string(task, state, notes, near, length_max)
        taken += 1


@compiled
def sort_out(task: Task, notes: Scratch) -> None:
    """Put what is to be inserted into an order drawn by weights."""
    kind = draw(notes.dice) * (17.0 if task.timed else 11.0)
    count = notes.numbers[OUT]
    for i in range(count):
        node = notes.out[i]
        if kind < 4.0:
            key = draw(notes.dice)
        elif kind < 8.0:
            key = -float(task.load[node, 0])
        elif kind < 10.0:
            key = -float(task.metres[0, node])
        elif kind < 11.0:
            key = float(task.metres[0, node])
        elif kind < 13.0:
            key = float(task.latest[node] - task.earliest[node])
        elif kind < 15.0:
            key = float(task.earliest[node])
        else:
            key = -float(task.latest[node])
        notes.key[i] = key
    for i in range(1, count):
        key, node = notes.key[i], notes.out[i]
        j = i - 1
        while j >= 0 and notes.key[j] > key:
            notes.key[j + 1], notes.out[j + 1] = notes.key[j], notes.out[j]
            j -= 1
        notes.key[j + 1], notes.out[j + 1] = key, node


@compiled
def recreate(task: Task, state: State, notes: Scratch, blink: bool, eager: bool) -> None:
    """Insert what is out, each where it costs least then; what fits nowhere is absent."""
    for i in range(notes.numbers[OUT]):
        shipment = notes.out[i]
        vehicle = insert(task, state, shipment, notes.dice, notes.seen, blink, eager)
        if vehicle < 0:
            notes.absent[notes.numbers[ABSENT]] = shipment
            notes.numbers[ABSENT] += 1
            continue
        if not notes.saved_route[vehicle]:
            # saved without the stop that was linked in just now
            left, right = state.prior[shipment], state.after[shipment]
            state.after[left] = right
            touch(task, state, notes, vehicle)
            state.after[left] = shipment
        refresh(task, state, vehicle)


@compiled
def undo(task: Task, state: State, notes: Scratch) -> None:
    """Put every touched route back as it was."""
    places, vehicles = len(task.near), len(task.home)
    for i in range(notes.numbers[TOUCHED]):
        node = state.after[places + notes.touched[i]]
        while node < places:
            state.route[node] = -1
            node = state.after[node]
    for i in range(notes.numbers[TOUCHED]):
        vehicle = notes.touched[i]
        left = places + vehicle
        for at in range(notes.touched_at[i], notes.touched_at[i + 1]):
            node = notes.saved[at]
            state.after[left] = node
            state.prior[node] = left
            left = node
        last = places + vehicles + vehicle
        state.after[left] = last
        state.prior[last] = left
        refresh(task, state, vehicle)


@compiled
def begin(task: Task, notes: Scratch) -> float:
    """Open an iteration: forget the one before; return what the absent ones cost."""
    for i in range(notes.numbers[TOUCHED]):
        notes.saved_route[notes.touched[i]] = False
    count = notes.numbers[ABSENT]
    cost = 0.0
    for i in range(count):
        notes.absent_before[i] = notes.absent[i]
        cost += task.left_out[notes.absent[i]]
    notes.numbers[ABSENT_BEFORE] = count
    notes.numbers[TOUCHED] = 0
    notes.numbers[OUT] = 0
    return cost


@compiled
def retry_absent(notes: Scratch) -> None:
    """Have some of the absent ones tried again, and keep the others."""
    count = notes.numbers[ABSENT_BEFORE]
    notes.numbers[ABSENT] = 0
    first = 0
    if count > _RETRIED_MAX:
        first = int(draw(notes.dice) * count)
    for i in range(count):
        shipment = notes.absent_before[(first + i) % count]
        if i < _RETRIED_MAX:
            notes.out[notes.numbers[OUT]] = shipment
            notes.numbers[OUT] += 1
        else:
            notes.absent[notes.numbers[ABSENT]] = shipment
            notes.numbers[ABSENT] += 1


@compiled
def search(
    task: Task,
    state: State,
    notes: Scratch,
    iterations: int,
    cost: float,
    best: float,
    heat: float,
    cooling: float,
    average: float,
    longest: float,
) -> tuple[float, float]:
    """Run some iterations; return the cost of the present solution and of the best.

    The best is left in `notes`. `heat` is the temperature, in costs, and `cooling` its factor
    for each iteration.
    """
    for _ in range(iterations):
        absent_cost = begin(task, notes)
        ruin(task, state, notes, average, longest)
        retry_absent(notes)
        sort_out(task, notes)
        eager = notes.numbers[ABSENT_BEFORE] > 0 and draw(notes.dice) < _EAGER
        recreate(task, state, notes, True, eager)
        change = -absent_cost
        for i in range(notes.numbers[ABSENT]):
            change += task.left_out[notes.absent[i]]
        for i in range(notes.numbers[TOUCHED]):
            vehicle = notes.touched[i]
            change += state.cost[vehicle] - notes.saved_cost[vehicle]
        if change < -heat * np.log(1.0 - draw(notes.dice)):
            cost += change
            if cost < best - 1e-6:
                best = cost
                notes.best_after[:] = state.after
                notes.best_route[:] = state.route
        else:
            undo(task, state, notes)
            count = notes.numbers[ABSENT_BEFORE]
            notes.absent[:count] = notes.absent_before[:count]
            notes.numbers[ABSENT] = count
        heat *= cooling
    return cost, best
