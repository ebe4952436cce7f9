"""The problem and a solution as arrays, and what is known of each route.

Nodes below `len(task.near)` are places: warehouses first, then shipments. After them come a start
and an end for each vehicle, so that routes are linked lists with sentinels. What is known of the
times of a part of a route is three numbers (duration, earliest and latest start without more
waiting), which concatenate in constant time.

Source: Vidal, Crainic, Gendreau & Prins (2013), section 4.4, without time warp.
"""

from typing import Any, NamedTuple

import numpy as np

from dispatcher.domain.vrp.kernel.compiled import compiled, inlined

INFEASIBLE = 1e300
"""The cost of a route that breaks a rule."""


class Task(NamedTuple):
    """The problem; see `arrays.compile_problem` for shapes and units."""

    metres: Any
    seconds: Any
    earliest: Any
    latest: Any
    service: Any
    load: Any
    left_out: Any
    promised: Any
    late_rate: Any
    wait_rate: float
    day_start: int
    near: Any
    close: Any
    depots: int
    home: Any
    profile: Any
    capacity: Any
    start: Any
    end: Any
    longest: Any
    reach: Any
    per_metre: Any
    per_second: Any
    fixed: Any
    group: Any
    pause: Any
    may: Any
    frozen: Any
    before: Any
    stability: float
    timed: bool
    walked: bool
    dimensions: int


class State(NamedTuple):
    """One solution and what is known of its routes."""

    place: Any
    after: Any
    prior: Any
    route: Any
    position: Any
    pre: Any
    post: Any
    load: Any
    metres: Any
    duration: Any
    cost: Any
    count: Any


@inlined
def join(
    a_duration: int, a_early: int, a_late: int, gap: int, duration: int, early: int, late: int
) -> tuple[int, int, int, bool]:
    """Return the times of two parts with a drive between, and whether they fit."""
    offset = a_duration + gap
    fits = a_early + offset <= late
    wait = max(0, early - offset - a_late)
    return (
        offset + duration + wait,
        max(early - offset, a_early) - wait,
        min(late - offset, a_late),
        fits,
    )


@compiled
def walk(task: Task, state: State, vehicle: int, left: int, added: int) -> float:
    """Return what a route costs with a shipment added after a node; INFEASIBLE where it may not.

    Goes along the route stop by stop: for breaks, promises and waiting customers, whose costs do
    not concatenate. `added` below zero asks for the route as it is. The break is taken as late
    as it can be: before the first stop whose service would end after its latest start.
    """
    places = len(task.near)
    table = task.seconds[task.profile[vehicle]]
    last = places + len(task.home) + vehicle
    depot = task.home[vehicle]
    departs = departure(task, state, vehicle, left, added)
    if departs < 0:
        return INFEASIBLE
    clock = departs
    soft = 0.0
    metres = 0
    pause = task.pause[vehicle]
    rested = pause[2] == 0
    here = depot
    node = places + vehicle
    while True:
        if node == left and added >= 0:
            node = added
        elif node == added:
            node = state.after[left]
        else:
            node = state.after[node]
        there = state.place[node]
        metres += task.metres[here, there]
        ends = max(clock + table[here, there], task.earliest[there] if node != last else 0)
        if node != last:
            ends += task.service[there]
        if not rested and ends > pause[1]:
            clock = max(clock, pause[0])
            if clock > pause[1]:
                return INFEASIBLE
            clock += pause[2]
            rested = True
        clock += table[here, there]
        if node == last:
            break
        clock = max(clock, task.earliest[there])
        if clock > task.latest[there]:
            return INFEASIBLE
        soft += max(0, clock - task.promised[there]) * task.late_rate[there]
        soft += (clock - task.day_start) * task.wait_rate
        clock += task.service[there]
        here = there
    duration = clock - departs
    if clock > task.end[vehicle] or duration > task.longest[vehicle]:
        return INFEASIBLE
    if metres > task.reach[vehicle]:
        return INFEASIBLE
    money = task.fixed[vehicle] + metres * task.per_metre[vehicle]
    return float(money + duration * task.per_second[vehicle] + soft)


@compiled
def departure(task: Task, state: State, vehicle: int, left: int, added: int) -> int:
    """Return when a route of least duration leaves at the earliest; -1 where it is late."""
    places = len(task.near)
    last = places + len(task.home) + vehicle
    table = task.seconds[task.profile[vehicle]]
    here = task.home[vehicle]
    duration, early, late = 0, task.start[vehicle], task.end[vehicle]
    node = places + vehicle
    while node != last:
        if node == left and added >= 0:
            node = added
        elif node == added:
            node = state.after[left]
        else:
            node = state.after[node]
        there = state.place[node]
        gap = table[here, there]
        if node == last:
            part = (0, task.start[vehicle], task.end[vehicle])
        else:
            part = (task.service[there], task.earliest[there], task.latest[there])
        duration, early, late, fits = join(duration, early, late, gap, part[0], part[1], part[2])
        if not fits:
            return -1
        here = there
    return int(early)


@compiled
def refresh(task: Task, state: State, vehicle: int) -> None:
    """Work out everything that is known of a route anew from its order."""
    after, place, route, position = state.after, state.place, state.route, state.position
    table, load, loads, before = task.metres, task.load, state.load, task.before
    places = len(task.near)
    last = places + len(task.home) + vehicle
    dimensions = task.dimensions
    loads[vehicle, :] = 0
    metres = 0
    count = 0
    moved = 0
    node = places + vehicle
    here = place[node]
    while node != last:
        node = after[node]
        there = place[node]
        metres += table[here, there]
        here = there
        if node != last:
            for d in range(dimensions):
                loads[vehicle, d] += load[node, d]
            position[node] = count
            route[node] = vehicle
            count += 1
            if before[node] >= 0 and before[node] != vehicle:
                moved += 1
    state.metres[vehicle] = metres
    state.count[vehicle] = count
    if task.timed:
        times(task, state, vehicle)
    if count == 0:
        state.cost[vehicle] = 0.0
        state.duration[vehicle] = 0
        return
    if task.walked:
        cost = walk(task, state, vehicle, places + vehicle, -1)
    else:
        cost = task.fixed[vehicle] + metres * task.per_metre[vehicle]
        cost += state.duration[vehicle] * task.per_second[vehicle]
    state.cost[vehicle] = cost + moved * task.stability


@compiled
def times(task: Task, state: State, vehicle: int) -> None:
    """Fill in the times of each beginning and each remainder of a route.

    The joins are written out: see `insertion.insert`.
    """
    after, prior, place, pre, post = state.after, state.prior, state.place, state.pre, state.post
    service, earliest, latest = task.service, task.earliest, task.latest
    seconds, kind = task.seconds, task.profile[vehicle]
    starts, ends = task.start[vehicle], task.end[vehicle]
    first = len(task.near) + vehicle
    last = first + len(task.home)
    pre[first, 0], pre[first, 1], pre[first, 2] = 0, starts, ends
    node = first
    here = place[node]
    a, b, c = 0, starts, ends
    while node != last:
        node = after[node]
        there = place[node]
        at_stop = node != last
        early = earliest[there] if at_stop else starts
        late = latest[there] if at_stop else ends
        a += seconds[kind, here, there]
        wait = max(0, early - a - c)
        b = max(early - a, b) - wait
        c = min(late - a, c)
        a += wait
        if at_stop:
            a += service[there]
        pre[node, 0], pre[node, 1], pre[node, 2] = a, b, c
        here = there
    state.duration[vehicle] = a
    post[last, 0], post[last, 1], post[last, 2] = 0, starts, ends
    a, b, c = 0, starts, ends
    while node != first:
        node = prior[node]
        there = place[node]
        at_stop = node != first
        early = earliest[there] if at_stop else starts
        late = latest[there] if at_stop else ends
        offset = seconds[kind, there, here]
        if at_stop:
            offset += service[there]
        wait = max(0, b - offset - late)
        b = max(b - offset, early) - wait
        c = min(c - offset, late)
        a += offset + wait
        post[node, 0], post[node, 1], post[node, 2] = a, b, c
        here = there


def empty_state(task: Task) -> State:
    """Return a solution without a stop."""
    places, vehicles = len(task.near), len(task.home)
    nodes = places + 2 * vehicles
    place = np.concatenate([np.arange(places), task.home, task.home]).astype(np.int64)
    after = np.full(nodes, -1, np.int64)
    prior = np.full(nodes, -1, np.int64)
    after[places : places + vehicles] = np.arange(places + vehicles, nodes)
    prior[places + vehicles :] = np.arange(places, places + vehicles)
    state = State(
        place,
        after,
        prior,
        np.full(places, -1, np.int64),
        np.zeros(places, np.int64),
        np.zeros((nodes, 3), np.int64),
        np.zeros((nodes, 3), np.int64),
        np.zeros((vehicles, 3), np.int64),
        np.zeros(vehicles, np.int64),
        np.zeros(vehicles, np.int64),
        np.zeros(vehicles, np.float64),
        np.zeros(vehicles, np.int64),
    )
    for vehicle in range(vehicles):
        refresh(task, state, vehicle)
    return state
