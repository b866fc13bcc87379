"""Random numbers with a name: bootstrap over clusters, and its intervals.

Turns of one conversation, repeats of it, and the members of a contrast set are not independent.
What is drawn with replacement is the cluster. Seeds come from a stable hash of what is computed, so
that the same results give the same intervals on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats], Floats]
"""Takes weights, shape ``(b, clusters)``: how often each cluster was drawn."""

CONFIDENCE = 0.95
RESAMPLES = 2_000
LARGEST_CHUNK = 4_000_000
"""Numbers that a resampling step may hold at once."""


def stable_seed(*parts: str) -> int:
    """Return the same seed for the same words, on every machine and in every process."""
    return int.from_bytes(hashlib.sha256("\0".join(parts).encode()).digest()[:8], "little")


def bootstrap(
    statistic: Statistic,
    clusters: int,
    seed: int,
    resamples: int = RESAMPLES,
    width: int = 0,
) -> Floats:
    """Compute a statistic on clusters drawn with replacement.

    Args:
        statistic: takes weights, shape ``(b, clusters)`` (how often each was drawn), and returns
            shape ``(b,)`` or ``(b, k)``.
        clusters: how many there are.
        seed: of the random numbers.
        resamples: how often to draw.
        width: items that the statistic spreads the weights over, to bound its memory.

    Returns:
        The statistic of every resample.
    """
    random = np.random.default_rng(seed)
    rows = max(1, LARGEST_CHUNK // max(clusters, width, 1))
    parts = []
    for first in range(0, resamples, rows):
        count = min(rows, resamples - first)
        drawn = random.integers(0, clusters, (count, clusters))
        drawn += np.arange(count)[:, None] * clusters
        weights = np.bincount(drawn.ravel(), minlength=count * clusters)
        parts.append(statistic(weights.reshape(count, clusters).astype(np.float64)))
    return np.concatenate(parts)


def bootstrap_interval(replicates: Floats, clusters: int) -> tuple[float, float] | None:
    """Return the 95 % percentile interval, widened for few clusters.

    The percentiles are moved out as a t interval is wider than a normal one (Hesterberg 2015,
    doi:10.1080/00031305.2015.1089789): plain percentiles cover too seldom below some 30 clusters.

    Args:
        replicates: from `bootstrap`, shape ``(b,)``; infinities stand for "not reached".
        clusters: how many were drawn from.

    Returns:
        ``(low, high)``, possibly infinite; ``None`` for fewer than two clusters, or where most
        resamples have no value.
    """
    from scipy.stats import norm, t

    known = replicates[~np.isnan(replicates)]
    if clusters < 2 or len(known) < max(1, len(replicates) // 2):
        return None
    extreme = t.ppf((1.0 - CONFIDENCE) / 2.0, clusters - 1) * np.sqrt(clusters / (clusters - 1))
    tail = float(norm.cdf(extreme))
    low, high = np.quantile(known, (tail, 1.0 - tail), method="inverted_cdf")
    return float(low), float(high)


def share_interval(share: float, n: int) -> tuple[float, float]:
    """Interval of a share of 0 or 1, which no resampling of it could show (Wilson 1927)."""
    z2 = 3.8414588
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = np.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))
