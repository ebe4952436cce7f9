"""Where a shipment goes at the least cost, with blinks."""

from typing import Any

import numpy as np

from dispatcher.domain.vrp.kernel.compiled import compiled, inlined
from dispatcher.domain.vrp.kernel.state import INFEASIBLE, State, Task, refresh, walk

_BLINK_EVERY = -1 / 0.01005
"""Positions are overlooked with a chance of 1 % (Christiaens & Vanden Berghe 2020, table 4)."""


@inlined
def draw(dice: Any) -> float:
    """Return a number in [0, 1): xorshift64*, the same on every machine."""
    x = dice[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    dice[0] = x
    return np.float64((x * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


@compiled
def walked_cost(task: Task, state: State, vehicle: int, left: int, shipment: int) -> float:
    """Return what a shipment adds to a route whose costs do not concatenate."""
    whole = walk(task, state, vehicle, left, shipment)
    if whole >= INFEASIBLE:
        return INFEASIBLE
    without = 0.0
    if state.count[vehicle] > 0:
        without = state.cost[vehicle]
        if task.stability != 0.0:
            without = walk(task, state, vehicle, len(task.near) + vehicle, -1)
    if task.before[shipment] >= 0 and task.before[shipment] != vehicle:
        whole += task.stability
    return float(whole - without)


@inlined
def joined(
    a_duration: int,
    a_early: int,
    a_late: int,
    there_s: int,
    service: int,
    early: int,
    late: int,
    on_s: int,
    b_duration: int,
    b_early: int,
    b_late: int,
) -> int:
    """Return how long a route takes with a stop between its two parts; -1 where it comes late."""
    offset = a_duration + there_s
    if a_early + offset > late:
        return -1
    wait = max(0, early - offset - a_late)
    begin = max(early - offset, a_early) - wait
    end = min(late - offset, a_late)
    offset += service + wait + on_s
    if begin + offset > b_late:
        return -1
    return int(offset + max(0, b_early - offset - end) + b_duration)


@compiled
def link(state: State, shipment: int, left: int) -> None:
    """Put a stop behind another."""
    right = state.after[left]
    state.after[left] = shipment
    state.after[shipment] = right
    state.prior[right] = shipment
    state.prior[shipment] = left


@compiled
def insert(
    task: Task, state: State, shipment: int, dice: Any, seen: Any, blink: bool, eager: bool
) -> int:
    """Put a shipment where it costs least; return its vehicle, or -1 if leaving it out is cheaper.

    `eager` puts it somewhere at any price: the first stop of a dear vehicle never pays alone.

    Looked at are the positions beside its neighbours, both ends of each route, and one empty
    vehicle of each kind. It takes nine tenths of the time: a call that hands over arrays is dear.
    """
    near, after, prior, route = task.near[shipment], state.after, state.prior, state.route
    metres, place, count, frozen = task.metres, state.place, state.count, task.frozen
    pre, post, loads, capacity = state.pre, state.post, state.load, task.capacity
    per_metre, per_second, reach = task.per_metre, task.per_second, task.reach
    seconds, profile, longest = task.seconds, task.profile, task.longest
    lengths, durations, fixed = state.metres, state.duration, task.fixed
    load, may, group, before = task.load[shipment], task.may, task.group, task.before[shipment]
    service, early, late = task.service[shipment], task.earliest[shipment], task.latest[shipment]
    timed, walked, dimensions, stability = task.timed, task.walked, task.dimensions, task.stability
    places, vehicles, kinds = len(task.near), len(count), len(near)
    best, best_left, best_vehicle = task.left_out[shipment], -1, -1
    if eager:
        best = INFEASIBLE
    until = int(np.log(1.0 - draw(dice)) * _BLINK_EVERY) if blink else -1
    seen[:] = False
    for turn in range(2 * (kinds + vehicles)):
        if turn < 2 * kinds:
            left = near[turn >> 1]
            if left < 0 or route[left] < 0:
                continue
            vehicle = route[left]
            if turn & 1:
                left = prior[left]
        else:
            vehicle = (turn - 2 * kinds) >> 1
            left = places + vehicle
            if count[vehicle] == 0:
                if turn & 1 or seen[group[vehicle]]:
                    continue
                # of a group's empty vehicles one is as good as another, but for the plan before
                seen[group[vehicle]] = before < 0
            elif turn & 1:
                left = prior[left + vehicles]
        if until == 0:
            until = int(np.log(1.0 - draw(dice)) * _BLINK_EVERY)
            continue
        until -= 1
        right = after[left]
        here, there = place[left], place[right]
        longer = metres[here, shipment] + metres[shipment, there]
        empty = count[vehicle] == 0
        longer -= 0 if empty else metres[here, there]
        cost = longer * per_metre[vehicle] + (fixed[vehicle] if empty else 0.0)
        if before >= 0 and before != vehicle:
            cost += stability
        if cost >= best or lengths[vehicle] + longer > reach[vehicle]:
            continue
        fit = may[vehicle, shipment] and not (right < places and frozen[right])
        for d in range(dimensions):
            fit = fit and loads[vehicle, d] + load[d] <= capacity[vehicle, d]
        if not fit:
            continue
        if timed:
            kind = profile[vehicle]
            duration = joined(
                pre[left, 0], pre[left, 1], pre[left, 2], seconds[kind, here, shipment],
                service, early, late, seconds[kind, shipment, there],
                post[right, 0], post[right, 1], post[right, 2],
            )  # fmt: skip
            if duration < 0 or duration > longest[vehicle]:
                continue
            if walked:
                cost = walked_cost(task, state, vehicle, left, shipment)
            else:
                cost += (duration - durations[vehicle]) * per_second[vehicle]
        if cost < best:
            best, best_left, best_vehicle = cost, left, vehicle
    if best_vehicle >= 0:
        link(state, shipment, best_left)
    return int(best_vehicle)


@inlined
def remove(state: State, shipment: int) -> None:
    """Take a shipment out of its route, whose figures are then to be refreshed."""
    left, right = state.prior[shipment], state.after[shipment]
    state.after[left] = right
    state.prior[right] = left
    state.route[shipment] = -1


@compiled
def refresh_all(task: Task, state: State) -> float:
    """Refresh every route; return the whole cost."""
    total = 0.0
    for vehicle in range(len(task.home)):
        refresh(task, state, vehicle)
        total += state.cost[vehicle]
    for shipment in range(task.depots, len(task.near)):
        if state.route[shipment] < 0:
            total += task.left_out[shipment]
    return total
