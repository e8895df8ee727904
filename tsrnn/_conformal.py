"""Split conformal prediction: from the scores of past forecasts to widths and shifts that hold as often as they say."""

import math
from bisect import insort

import numpy as np
from numpy.typing import NDArray

from tsrnn._series import Floats

RATE = 0.02
"""Step of adaptive conformal inference: how much one miss widens the level of the next interval."""


def conformal_rank(count: int, coverage: float) -> int:
    """Return which of `count` sorted scores covers one more with probability `coverage`; `count` + 1 for none."""
    return math.ceil((count + 1) * coverage - 1e-9)


def scores_needed(coverage: float) -> int:
    """Return the fewest scores of which one covers one more with probability `coverage`."""
    return math.ceil(coverage / (1 - coverage) - 1e-9)


def conformal_widths(scores: Floats, coverage: float) -> Floats:
    """Return the score (n_steps, n_targets) that a further one exceeds with probability 1 - `coverage`.

    `scores` are (n_origins, n_steps, n_targets).
    """
    rank = conformal_rank(len(scores), coverage)
    widths: Floats = np.sort(scores, axis=0)[min(rank, len(scores)) - 1]
    return widths


def adaptive_widths(scores: Floats, coverage: float) -> Floats:
    """Return the same after each miss so far has widened the interval, and each hit narrowed it.

    Every step ahead and target has a level of its own, replayed over its scores in the order of time; the scores that a
    level selects from are those before it (Gibbs & Candes 2021).
    """
    widths = [_Level(column, coverage).width for column in scores.reshape(len(scores), -1).T]
    return np.array(widths).reshape(scores.shape[1:])


def adaptive_walk(past: Floats, scores: Floats, origins: NDArray[np.int64], coverage: float) -> Floats:
    """Return widths (n_origins, n_steps, n_targets), each after what was known at its origin.

    `past` are the scores before the first of `origins`; those of the walk are known as many steps after their origin as
    they are ahead, and missing ones (NaN) never.
    """
    widths = np.empty(scores.shape)
    for step in range(scores.shape[1]):
        known = np.searchsorted(origins, origins - step - 1, side="right")
        for target in range(scores.shape[2]):
            level, absorbed = _Level(past[:, step, target], coverage), 0
            for number, count in enumerate(known):
                for score in scores[absorbed:count, step, target]:
                    level.absorb(score)
                absorbed = count
                widths[number, step, target] = level.width
    return widths


class _Level:
    """The level of one step ahead and target, moved by each of its scores."""

    def __init__(self, scores: Floats, coverage: float) -> None:
        self.missed = self.level = 1 - coverage
        first = max(1, math.ceil(1 / self.missed))
        self.ordered = sorted(scores[:first].tolist())
        for score in scores[first:]:
            self.absorb(score)

    @property
    def width(self) -> float:
        """The score that a new one exceeds with probability `level`; past the ends, the greatest, or none."""
        rank = conformal_rank(len(self.ordered), 1 - self.level)
        return 0.0 if rank < 1 else self.ordered[min(rank, len(self.ordered)) - 1]

    def absorb(self, score: float) -> None:
        """Widen after a miss and narrow after a hit; then select from this score as well.

        A level that asks for more than the greatest score stands for no bound at all, which nothing misses.
        """
        if not math.isnan(score):
            is_bounded = conformal_rank(len(self.ordered), 1 - self.level) <= len(self.ordered)
            self.level += RATE * (self.missed - (is_bounded and score > self.width))
            insort(self.ordered, float(score))


def conformal_shift(errors: Floats, level: float) -> Floats:
    """Return what to add to a forecast (n_steps, n_targets) so that the truth lies below with probability `level`.

    `errors` (n_origins, n_steps, n_targets) are truth less forecast.
    """
    count = len(errors)
    upper = conformal_rank(count, level)
    lower = count + 1 - conformal_rank(count, 1 - level)
    ordered = np.sort(errors, axis=0)
    ends = [ordered[min(max(rank, 1), count) - 1] for rank in (lower, upper)]
    # Above the median the cautious rank is the upper one, below it the lower one, and between them at the median.
    shift: Floats = ends[1] if level > 0.5 else ends[0] if level < 0.5 else (ends[0] + ends[1]) / 2
    return shift
