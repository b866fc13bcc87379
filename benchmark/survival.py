"""Kaplan-Meier: how long until something happens, when some were only watched for a while.

A reply that never came is not a missing number: it took *at least* as long as the user waited.
Dropping it favours whoever answers seldom. Kaplan and Meier 1958 (doi:10.2307/2281868) use it for
what it says. Everything is vectorised over resamplings, given as item weights. Times may be
negative (overlaps): nothing in the estimator needs a start at 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SurvivalTable:
    """Times in order, events before censorings at ties.

    Attributes:
        times: shape ``(n,)``, ascending.
        observed: ``False`` where the time is only a lower bound.
        order: of each, the column of its weight: its index as given, or its cluster.
    """

    times: Floats
    observed: npt.NDArray[np.bool_]
    order: npt.NDArray[np.intp]


def survival_table(
    times: Floats,
    observed: npt.NDArray[np.bool_],
    cluster: npt.NDArray[np.intp] | None = None,
) -> SurvivalTable:
    """Sort times, shape ``(n,)``, for `survival`.

    Args:
        times: of the items.
        observed: ``False`` where the time is only a lower bound.
        cluster: of each item, where weights are those of clusters.
    """
    order = np.lexsort((~observed, times))
    return SurvivalTable(
        times[order], observed[order], order if cluster is None else cluster[order]
    )


def survival(table: SurvivalTable, weights: Floats) -> Floats:
    """Estimate the share to which it has not happened yet, just after each time.

    Args:
        table: ``n`` items, sorted.
        weights: shape ``(b, n)``, how often each item (as given, not as sorted) was drawn; or
            ``(b, clusters)``, how often each cluster was. Whole numbers.

    Returns:
        Shape ``(b, n)``, never rising. Beyond the last time it stays where it is.
    """
    hazard = weights[:, table.order]
    at_risk = np.cumsum(hazard, axis=1)
    np.subtract(at_risk[:, -1:].copy(), at_risk, out=at_risk)
    at_risk += hazard
    # Within a tie the factors telescope: (1 - a/r)(1 - b/(r - a)) = 1 - (a + b)/r.
    hazard[:, ~table.observed] = 0.0
    np.divide(hazard, at_risk, out=hazard, where=at_risk > 0.0)
    np.subtract(1.0, hazard, out=hazard)
    return np.cumprod(hazard, axis=1, out=hazard)


def quantile(table: SurvivalTable, curves: Floats, share: float) -> Floats:
    """Return the first time by which a share had seen it happen.

    Args:
        table: the times.
        curves: from `survival`, shape ``(b, n)``.
        share: 0.5 for the median.

    Returns:
        Shape ``(b,)``; infinity where it never happened to that many.
    """
    reached = curves <= 1.0 - share + 1e-9
    first = np.argmax(reached, axis=1)
    result: Floats = np.where(reached.any(axis=1), table.times[first], np.inf)
    return result


def restricted_mean(table: SurvivalTable, curves: Floats, horizon: float) -> Floats:
    """Return the mean of the smaller of time and horizon: the area under the curve.

    Always defined, so that systems that reply seldom can be compared. A curve that ends in
    censoring before the horizon is continued level, as if it had not happened by then.

    Args:
        table: the times.
        curves: from `survival`, shape ``(b, n)``.
        horizon: the same for all that is compared, in the times' unit.

    Returns:
        Shape ``(b,)``.
    """
    times = np.minimum(table.times, horizon)
    widths = np.diff(times, append=horizon)
    result: Floats = times[0] + curves @ widths
    return result
