"""Several learners side by side; for each segment speaks the one that has cost least lately.

All of them learn everything, so each further one costs its own time and bytes, and 16 bytes a key:
what it foretold one and two weeks ago, to be scored when the days have come.
"""

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from zlib import crc32

import numpy as np

from forecaster.domain.contest import ALL, Contest, Switch
from forecaster.domain.history import STREAM, FloatArray, Histories, IntArray
from forecaster.domain.learner import HORIZONS_DAYS, Forecast, Learner, Share, View
from forecaster.domain.loss import LEVELS, pinball
from forecaster.domain.negative_binomial import quantiles
from forecaster.domain.segments import Segments

SCORED_DAYS = (7, 14)
_PLACES = [HORIZONS_DAYS.index(days) for days in SCORED_DAYS]
_LOSS_MAX = 10.0
"""Of a row: one that went wrong by more tells no more."""
_VARIANCE_MIN = 0.05

_HEAD = struct.Struct("<HH")
_PENDING = 6
"""Mean and size: of the next 7 days, of the 14 from last week on, of the next 14."""
_NOTHING = bytes(2 * _PENDING)
_OCTAVES_BELOW_ONE, _PER_OCTAVE = 16, 1024


class _Part(NamedTuple):
    """What one learner keeps of a key, and what it has foretold."""

    pending: bytes
    state: bytes


class Champions:
    """A learner made of others.

    Attributes:
        name: The others' names, the first champion's first.
        version: Of what is kept beside their states.
    """

    version = 1

    def __init__(self, learners: Sequence[Learner]) -> None:
        """Begin with the first of the learners as champion of all.

        Args:
            learners: Two or more, each of another name, that have learned nothing yet.
        """
        self.name = ",".join(learner.name for learner in learners)
        self._learners = tuple(learners)
        self._tags = [_tag(learner) for learner in learners]
        self._contest = Contest([learner.name for learner in learners])
        self._segments = Segments()

    @property
    def champion(self) -> str:
        """Return which learner speaks where a series' segment is not known."""
        return self._learners[self._contest.champion(ALL)].name

    def switches(self, day: int) -> tuple[Switch, ...]:
        """Return which segments have got another champion at the close of a day."""
        return self._contest.switches(day)

    def learn(self, states: Sequence[bytes], view: View) -> list[bytes]:
        """Learn a day with each of them; return each series' new state."""
        self._contest.turn(view.day)
        self._segments.learn(view)
        known = [_split(state) for state in states]
        chosen = np.flatnonzero(view.scheduled)
        some = view.some(chosen)
        scale = _scale(some.histories)
        losses = np.empty((len(chosen), len(self._learners)))
        whole = [bytearray() for _ in states]
        for place, (tag, learner) in enumerate(zip(self._tags, self._learners, strict=True)):
            parts = [one.get(tag, _Part(_NOTHING, b"")) for one in known]
            new = learner.learn([part.state for part in parts], view)
            pending = np.frombuffer(b"".join(p.pending for p in parts), "<u2")
            pending = pending.reshape(len(parts), _PENDING).copy()
            if len(chosen):
                losses[:, place] = _losses(pending[chosen], some.histories, scale)
                told = learner.forecast([new[row] for row in chosen], some)
                pending[chosen] = _noted(pending[chosen], told)
            for row, state in enumerate(new):
                whole[row] += _HEAD.pack(tag, len(state)) + pending[row].tobytes() + state
        told_all = np.flatnonzero(np.isfinite(losses).all(1))
        if len(told_all):
            segments = self._segments.of(some)
            self._contest.score([segments[row] for row in told_all], losses[told_all])
        return [bytes(out) for out in whole]

    def forecast(self, states: Sequence[bytes], view: View) -> Forecast:
        """Return what each key's champion foretells, and which that is."""
        mean = np.empty((len(states), len(HORIZONS_DAYS)))
        size = np.empty_like(mean)
        models = [""] * len(states)
        for learner, rows, own in self._shares_of(states, view):
            told = learner.forecast(own, view.some(rows))
            mean[rows], size[rows] = told.mean, told.size
            for row in rows.tolist():
                models[row] = learner.name
        return Forecast(mean, size, tuple(models))

    def explain(self, states: Sequence[bytes], view: View) -> list[tuple[Share, ...]]:
        """Return for each key what its champion's mean is made of."""
        found: list[tuple[Share, ...]] = [()] * len(states)
        for learner, rows, own in self._shares_of(states, view):
            shares = learner.explain(own, view.some(rows))
            for row, one in zip(rows.tolist(), shares, strict=True):
                found[row] = one
        return found

    def shared(self) -> bytes:
        """Return what is known of all series: each learner's, the contest, the segments."""
        blocks = [(0, self._contest.dump()), (1, self._segments.dump())]
        blocks += [(tag, one.shared()) for tag, one in zip(self._tags, self._learners, strict=True)]
        return b"".join(struct.pack("<HI", tag, len(block)) + block for tag, block in blocks)

    def restore(self, shared: bytes) -> None:
        """Take up again what `shared` returned; learners that were not there begin anew."""
        blocks, at = {}, 0
        while at < len(shared):
            tag, size = struct.unpack_from("<HI", shared, at)
            at += struct.calcsize("<HI")
            blocks[tag] = shared[at : at + size]
            at += size
        self._contest.load(blocks[0])
        self._segments.load(blocks[1])
        for tag, learner in zip(self._tags, self._learners, strict=True):
            if tag in blocks:
                learner.restore(blocks[tag])

    def _shares_of(
        self, states: Sequence[bytes], view: View
    ) -> Iterator[tuple[Learner, IntArray, list[bytes]]]:
        """Yield each champion with the rows that it speaks for, and its own states of them."""
        champions = np.array([self._contest.champion(one) for one in self._segments.of(view)])
        known = [_split(state) for state in states]
        for place in np.unique(champions).tolist():
            rows = np.flatnonzero(champions == place)
            tag = self._tags[place]
            own = [known[row][tag].state if tag in known[row] else b"" for row in rows.tolist()]
            yield self._learners[place], rows, own


def _tag(learner: Learner) -> int:
    """Return what marks a learner's bytes; above those of contest and segments."""
    return 2 + crc32(f"{learner.name} {learner.version}".encode()) % 65_000


def _split(state: bytes) -> dict[int, _Part]:
    """Return a key's parts by the tags of their learners."""
    found, at = {}, 0
    while at < len(state):
        tag, size = _HEAD.unpack_from(state, at)
        at += _HEAD.size
        middle = at + len(_NOTHING)
        found[tag] = _Part(state[at:middle], state[middle : middle + size])
        at = middle + size
    return found


def _scale(histories: Histories) -> FloatArray:
    """Return what is little and much for each series: (n, len(SCORED_DAYS)) units."""
    sums = histories.sums()
    level = histories.level(sums, 56.0)
    squares = sums[:, STREAM["squares", 56.0]] / np.maximum(sums[:, STREAM["days", 56.0]], 1e-9)
    variance = np.maximum(np.maximum(squares - level**2, level), _VARIANCE_MIN)
    scale: FloatArray = np.sqrt(variance[:, None] * np.array(SCORED_DAYS, float)[None, :])
    return scale


def _losses(pending: IntArray, histories: Histories, scale: FloatArray) -> FloatArray:
    """Return each row's scaled pinball loss; NaN where nothing was foretold two weeks ago."""
    mean, size = _decoded(pending[:, [0, 2]]), _decoded(pending[:, [1, 3]])
    found = np.zeros(len(pending))
    told = (pending[:, 2] > 0) & (pending[:, 0] > 0)
    for place, days in enumerate(SCORED_DAYS):
        units, bought = histories.total(0, days)
        told &= bought >= days / 2
        expected = mean[:, place] * np.clip(bought / days, 0.5, 1.0)
        levels = quantiles(np.maximum(expected, 1e-4), size[:, place], LEVELS)
        lost = pinball(units, levels) / scale[:, place]
        found += np.minimum(lost, _LOSS_MAX) / len(SCORED_DAYS)
    losses: FloatArray = np.where(told, found, np.nan)
    return losses


def _noted(pending: IntArray, told: Forecast) -> IntArray:
    """Return what is to be scored once the days have come."""
    new = np.stack([told.mean[:, _PLACES], told.size[:, _PLACES]], 2)
    coded = _coded(new).reshape(len(pending), 4)
    return np.concatenate([coded[:, :2], pending[:, 4:], coded[:, 2:]], 1)


def _coded(values: FloatArray) -> IntArray:
    """Return numbers > 0 in two bytes, to within 0.1 %; 0 is left for none."""
    octaves = np.log2(np.maximum(values, 1e-12)) + _OCTAVES_BELOW_ONE
    return np.clip(np.round(octaves * _PER_OCTAVE), 1, 65_535).astype(np.int64)


def _decoded(codes: IntArray) -> FloatArray:
    values: FloatArray = np.exp2(codes / _PER_OCTAVE - _OCTAVES_BELOW_ONE)
    return values
