"""How sure bits about a style are: intervals from leaving out each contrast set in turn.

What is missing to the entropy is 0 or more, and of few sets one often misses nearly all of it.
Resamples with and without that one differ a hundredfold, so that the spread of their logarithms
says nothing (intervals down to -100 bits), and percentiles cover too seldom near the entropy. The
jackknife's standard error of the logarithm is linear: at most 1 for sets alike in size.

Conventions: groups are independent contrast sets; nothing is trained again, and what a group told
was told by a classifier that had not seen it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cascadence.resampling import CONFIDENCE, share_interval

Floats = npt.NDArray[np.float64]

FEWEST_FOR_INTERVAL = 6
"""With fewer groups, intervals cover what is planted too seldom."""
MOST_UNCERTAIN = 0.5
"""Squared half width of an interval over its squared middle, up to which it may divide."""
LEAST_MISSING_BITS = 1e-9
"""Below this, all is told: there is no logarithm of nothing."""


def bits_interval(
    bits: float, entropy_bits: float, without_one: Floats, exchanged: Floats, distinct: int
) -> tuple[float, float] | None:
    """Return the 95 % interval of bits about a style.

    A t interval of the logarithm of what is missing, so that no bound exceeds the entropy. The
    lower bound is at most Wilson's of the share of the entropy, as if each member told all or
    nothing: in a code without a miss there is none to leave out. And it is at least what 2.5 % of
    estimates without information lie below, for no information is negative.

    Args:
        bits: the estimate.
        entropy_bits: the most that could be told.
        without_one: both without each group in turn, shape ``(groups, 2)``.
        exchanged: estimates without information, shape ``(exchanges,)``.
        distinct: members that are not repeats of one another.

    Returns:
        ``(low, high)``, the estimate within; ``None`` for fewer than `FEWEST_FOR_INTERVAL` groups.
    """
    groups = len(without_one)
    if groups < FEWEST_FOR_INTERVAL:
        return None
    missing = without_one[:, 1] - without_one[:, 0]
    short = max(entropy_bits - bits, LEAST_MISSING_BITS)
    error = np.sqrt((groups - 1) * missing.var()) / short
    half = _t_quantile(groups) * float(error)
    low, high = bits - short * np.expm1(half), bits - short * np.expm1(-half)
    share = float(np.clip(bits / entropy_bits, 0.0, 1.0))
    unseen = entropy_bits * share_interval(share, distinct)[0]
    nothing = min(0.0, float(np.quantile(exchanged, (1.0 - CONFIDENCE) / 2.0)))
    low = max(min(float(low), unseen), nothing)
    return min(low, bits), min(float(high), entropy_bits)


def ratio_interval(
    over: float, under: float, over_without: Floats, under_without: Floats
) -> tuple[float, float] | None:
    """Return the 95 % interval of the ratio of two estimates from the same groups.

    Fieller 1954 (doi:10.1111/j.2517-6161.1954.tb00159.x), with the jackknife's covariance.

    Args:
        over: the estimate over the line.
        under: the one under it.
        over_without: the first without each group in turn, shape ``(groups,)``.
        under_without: the second, likewise.

    Returns:
        ``None`` for fewer than `FEWEST_FOR_INTERVAL` groups, or where what is under the line is so
        uncertain (see `MOST_UNCERTAIN`) that the ratio may be anything.
    """
    groups = len(under_without)
    if groups < FEWEST_FOR_INTERVAL:
        return None
    covariance = (groups - 1) ** 2 / groups * np.cov(over_without, under_without)
    spread = _t_quantile(groups) ** 2 * covariance
    if spread[1, 1] > MOST_UNCERTAIN * under**2:
        return None
    first, last = over**2 - spread[0, 0], under**2 - spread[1, 1]
    middle = over * under - spread[0, 1]
    root = np.sqrt(max(middle**2 - first * last, 0.0))
    return float((middle - root) / last), float((middle + root) / last)


def _t_quantile(groups: int) -> float:
    from scipy.stats import t

    return float(t.ppf((1.0 + CONFIDENCE) / 2.0, groups - 1))
