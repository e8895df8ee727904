"""Split conformal prediction: from the scores of past forecasts to widths and shifts that hold as often as they say."""

import math

import numpy as np

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
    missed = 1 - coverage
    first = max(1, math.ceil(1 / missed))
    flat = scores.reshape(len(scores), -1)
    widths = np.empty(flat.shape[1])
    for number, column in enumerate(flat.T):
        level, ordered = missed, np.sort(column[:first])
        for score in column[first:]:
            level += RATE * (missed - (score > _score_at(ordered, level)))
            ordered = np.insert(ordered, np.searchsorted(ordered, score), score)
        widths[number] = _score_at(ordered, level)
    return widths.reshape(scores.shape[1:])


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


def _score_at(ordered: Floats, level: float) -> float:
    """Return the score that a new one exceeds with probability `level`; past the ends, the greatest, or none."""
    rank = conformal_rank(len(ordered), 1 - level)
    return 0.0 if rank < 1 else float(ordered[min(rank, len(ordered)) - 1])
