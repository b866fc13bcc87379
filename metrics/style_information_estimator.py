"""How many bits about a style can be read off a vector of features.

In a contrast set the same words are said by the same speaker in several styles; what comes back is
one vector of features each. A classifier that never saw a group of sets predicts the styles of its
members, and **I = H(style) - cross-entropy**, in bits: a lower bound of the mutual information that
no classifier can talk up, because it is judged on what it has not seen.

Conventions: features have shape ``(members, features)`` in any unit, NaN where one is missing; sets
whose groups are equal (repeats, turns) stay together in folds and resamples.

- **The set is its own baseline.** Features are centred within their set, so that neither speaker
  nor sentence counts. That looks at no label. What is measured is therefore what a reply says
  *beside the other replies to the same words*: of the noise of a member, the share 1/m lies in the
  mean of its set of m, so that a centred feature tells slightly more than the feature itself.
- **The classifier** is linear discriminant analysis (Gaussian styles of one covariance) with the
  shrinkage of Ledoit and Wolf 2004 (doi:10.1016/S0047-259X(03)00096-4), each feature in units of
  its spread within a style, and Student's t instead of the normal, since the covariance is
  estimated. Styles that a set does not hold are ruled out, and its mean is expected where the
  styles that it does hold put it: sets need not hold the same ones. H is that of the labels within
  their set.
- **The zero.** Learning from few sets costs bits: without any information, the cross-entropy comes
  out above H. That cost is measured by exchanging the labels within sets, the same exchange for all
  sets of a group; with its mean N (below 0), the result is (I - N) H / (H - N): without information
  0, with all of it H. (The same as adding -N (1 - result / H).)
- **p** is the share of exchanges that tell as much, (1 + count) / (1 + exchanges).
- **The interval** is over groups, of their cross-entropies, without training again: see
  `cascadence.metrics.style_information_interval`.

Permutation test and its p: Phipson and Smyth 2010 (arXiv 1603.05766).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cascadence.metrics.style_information_interval import bits_interval
from cascadence.resampling import LARGEST_CHUNK, stable_seed

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]

FOLDS = 20
EXCHANGES = 199
FEWEST_GROUPS = 4
"""With fewer, a classifier has hardly anything to learn from."""


@dataclass(frozen=True, slots=True, eq=False)
class StyledSet:
    """One contrast set: what came back for each style.

    Attributes:
        group: its name; sets of several repeats or turns of one group share it.
        styles: of the members, shape ``(members,)``.
        features: shape ``(members, features)``; NaN where a member does not bear one, which is then
            taken to be at the mean of the set: it tells nothing.
    """

    group: str
    styles: tuple[str, ...]
    features: Floats


@dataclass(frozen=True, slots=True, eq=False)
class StyleInformation:
    """What the features tell about the style.

    Attributes:
        bits: the information; at most `entropy_bits`, and around 0, on either side, where there is
            none.
        entropy_bits: of the style within its set, the most that could be told.
        interval: 95 %, over groups; ``None`` for few, see `bits_interval`.
        p_value: of there being none.
        without_one: `bits` without each group in turn, in the order of their names, shape
            ``(groups,)``.
        groups: independent ones.
        sets: with at least two styles.
        members: of these sets.
        imputed: numbers that were missing.
    """

    bits: float
    entropy_bits: float
    interval: tuple[float, float] | None
    p_value: float
    without_one: Floats
    groups: int
    sets: int
    members: int
    imputed: int


def groups_of(sets: Sequence[StyledSet]) -> list[str]:
    """Name the groups in which there are at least two styles to tell apart."""
    return sorted({one.group for one in sets if len(set(one.styles)) > 1})


def style_information(
    sets: Sequence[StyledSet], seed_name: str, smallest_spread: Floats | None = None
) -> StyleInformation | None:
    """Estimate how many bits about the style can be read off the features.

    Args:
        sets: the contrast sets; those of one style are left out.
        seed_name: names the random numbers.
        smallest_spread: shape ``(features,)``, in their units: a standard deviation within a style
            that nobody would notice, below which none is believed; none: any difference counts.

    Returns:
        ``None`` for fewer than `FEWEST_GROUPS` groups of sets with at least two styles.
    """
    kept = [one for one in sets if len(set(one.styles)) > 1]
    names = groups_of(kept)
    if len(names) < FEWEST_GROUPS:
        return None
    random = np.random.default_rng(stable_seed("style information", seed_name))
    table = _Table.of(kept, names, smallest_spread)
    labels = table.exchanged(EXCHANGES, random)
    fold_of_group = random.permutation(np.arange(len(names)) % min(FOLDS, len(names)))
    told = _told_bits(table, labels, fold_of_group[table.group])
    null_bits = min(0.0, float(told[1:].mean()))
    entropies = np.bincount(table.group, table.entropy_bits)
    members = np.bincount(table.group).astype(np.float64)
    sums = np.stack((np.bincount(table.group, told[0]), entropies, members), axis=1)

    def bits_and_entropy(weights: Floats) -> Floats:
        told_sum, entropy_sum, count = (weights @ sums).T
        entropy = entropy_sum / count
        return np.stack((_corrected(told_sum / count, entropy, null_bits), entropy), axis=1)

    bits, entropy_bits = map(float, bits_and_entropy(np.ones((1, len(names))))[0])
    without_one = bits_and_entropy(1.0 - np.eye(len(names)))
    means = told.mean(axis=1)
    exchanged = _corrected(means[1:], entropy_bits, null_bits)
    return StyleInformation(
        bits=bits,
        entropy_bits=entropy_bits,
        interval=bits_interval(bits, entropy_bits, without_one, exchanged, table.distinct),
        p_value=float(1 + np.sum(means[1:] >= means[0] - 1e-12)) / (1 + EXCHANGES),
        without_one=without_one[:, 0],
        groups=len(names),
        sets=len(kept),
        members=len(table.set),
        imputed=table.imputed,
    )


def _corrected(told_bits: Floats, entropy_bits: Floats | float, null_bits: float) -> Floats:
    """Move the zero to where there is no information, and leave the entropy where it is."""
    return (told_bits - null_bits) * entropy_bits / (entropy_bits - null_bits)


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """All members, one a row, features centred within their set.

    Attributes:
        x: shape ``(members, features)``, scaled to a standard deviation of 1.
        floor: smallest standard deviation within a style, shape ``(features,)``.
        label: number of the style, shape ``(members,)``.
        set, group: numbers of those, shape ``(members,)``.
        entropy_bits: of the labels of its set, shape ``(members,)``.
        exchangeable: for sets that exchange their labels alike, the rows, shape ``(sets, size)``.
        imputed: numbers that were missing.
    """

    x: Floats
    floor: Floats
    label: Integers
    set: Integers
    group: Integers
    entropy_bits: Floats
    exchangeable: tuple[Integers, ...]
    imputed: int

    @staticmethod
    def of(sets: Sequence[StyledSet], groups: Sequence[str], floor: Floats | None) -> _Table:
        styles = sorted({style for one in sets for style in one.styles})
        number = {style: index for index, style in enumerate(styles)}
        group_number = {group: index for index, group in enumerate(groups)}
        rows: list[Floats] = []
        label: list[int] = []
        alike: dict[tuple[str, tuple[int, ...]], list[Integers]] = {}
        for one in sets:
            # In the order of their labels, so that repeats of a set match member by member.
            mine = np.array([number[style] for style in one.styles])
            order = np.argsort(mine, kind="stable")
            known = (one.group, tuple(mine[order].tolist()))
            alike.setdefault(known, []).append(np.arange(len(label), len(label) + len(mine)))
            rows.append(_centred(one.features[order]))
            label.extend(known[1])
        set_number = np.repeat(np.arange(len(sets)), [len(one.styles) for one in sets])
        group = np.array([group_number[one.group] for one in sets])[set_number]
        x = np.concatenate(rows)
        spread = x.std(axis=0)
        varies = spread > 1e-9
        least = 1e-3 * spread if floor is None else np.maximum(floor, 1e-3 * spread)
        return _Table(
            x=x[:, varies] / spread[varies],
            floor=least[varies] / spread[varies],
            label=np.array(label),
            set=set_number,
            group=group,
            entropy_bits=_entropy_bits(np.array(label), set_number),
            exchangeable=tuple(np.array(rows_of) for rows_of in alike.values()),
            imputed=int(sum(np.isnan(one.features).sum() for one in sets)),
        )

    @property
    def distinct(self) -> int:
        """Members that are not repeats of one another."""
        return sum(rows.shape[1] for rows in self.exchangeable)

    def exchanged(self, count: int, random: np.random.Generator) -> Integers:
        """Return the labels, then ``count`` exchanges of them; shape ``(1 + count, members)``."""
        labels = np.tile(self.label, (1 + count, 1))
        for rows in self.exchangeable:
            own = np.tile(self.label[rows[0]], (count, 1))
            labels[1:, rows] = random.permuted(own, axis=1)[:, None, :]
        return labels


def _centred(features: Floats) -> Floats:
    """Subtract the mean of the set; what is missing lies there."""
    known = ~np.isnan(features)
    filled = np.where(known, features, 0.0)
    mean = filled.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.asarray(np.where(known, filled - mean, 0.0))


def _entropy_bits(label: Integers, set_number: Integers) -> Floats:
    share = _shares(label, set_number)
    bits = -np.sum(share * np.log2(np.where(share > 0.0, share, 1.0)), axis=1)
    return np.asarray(bits)


def _shares(label: Integers, set_number: Integers) -> Floats:
    """Return how often each style is in a member's set, shape ``(members, styles)``."""
    counts = np.zeros((int(set_number.max()) + 1, int(label.max()) + 1))
    np.add.at(counts, (set_number, label), 1.0)
    return np.asarray((counts / counts.sum(axis=1, keepdims=True))[set_number])


def _told_bits(table: _Table, labels: Integers, fold: Integers) -> Floats:
    """Return what a member told about its style, shape ``(labellings, members)``, in bits.

    Its entropy less the cross-entropy under a classifier that learnt from the other folds.
    """
    size = table.x.shape[1] + int(table.label.max()) + 2
    rows = max(1, LARGEST_CHUNK // (len(table.x) * size))
    parts = []
    for first in range(0, len(labels), rows):
        some = labels[first : first + rows]
        told = np.empty(some.shape)
        for one in np.unique(fold):
            test = fold == one
            told[:, test] = table.entropy_bits[test] + _log2_likelihood(table, some, test)
        parts.append(told)
    return np.concatenate(parts)


def _log2_likelihood(table: _Table, labels: Integers, test: npt.NDArray[np.bool_]) -> Floats:
    """Return the log2 probability of the labels in ``test``, learnt from the rest.

    Shapes: b labellings, n members, K styles, p features.
    """
    prior = _shares(table.label, table.set)
    held = labels[:, test]
    if not table.x.shape[1]:
        own = np.take_along_axis(prior[test][None], held[..., None], axis=2)[..., 0]
        return np.asarray(np.log2(own))
    designs = np.eye(prior.shape[1])[labels[:, ~test]] - prior[~test]
    x = table.x[~test]
    # Centres of the styles, from least squares with every set's own baseline; shape (b, K, p).
    gram = np.swapaxes(designs, 1, 2) @ designs
    centres = np.linalg.pinv(gram, hermitian=True) @ (np.swapaxes(designs, 1, 2) @ x)
    size = np.bincount(table.set)[table.set].astype(np.float64)
    # A centred member has lost 1/size of its variance to the mean of its set.
    residuals = (x - designs @ centres) * np.sqrt(size / (size - 1.0))[~test, None]
    spread, whiten = _shrunk(residuals, table.floor)
    freedom = max(3.0, len(x) - len(np.unique(table.set[~test])) - (prior.shape[1] - 1.0))
    scaled = centres / spread[:, None, :]
    expected = prior[test] @ scaled
    away = (table.x[test] / spread[:, None, :] + expected) @ whiten
    squared = _squared_distances(away, scaled @ whiten) * (size / (size - 1.0))[test, None]
    scores = -0.5 * (freedom + x.shape[1]) * np.log1p(squared / freedom)
    with np.errstate(divide="ignore"):
        scores += np.log(prior[test])
    scores -= scores.max(axis=2, keepdims=True)
    own = np.take_along_axis(scores, held[..., None], axis=2)[..., 0]
    return np.asarray((own - np.log(np.exp(scores).sum(axis=2))) / np.log(2.0))


def _squared_distances(points: Floats, centres: Floats) -> Floats:
    """Return those of points, shape ``(b, n, p)``, to centres, ``(b, K, p)``: ``(b, n, K)``."""
    lengths = np.einsum("bnp,bnp->bn", points, points)[:, :, None]
    products = points @ np.swapaxes(centres, 1, 2)
    squared = lengths - 2.0 * products + np.einsum("bkp,bkp->bk", centres, centres)[:, None, :]
    return np.asarray(np.maximum(squared, 0.0))


def _shrunk(residuals: Floats, floor: Floats) -> tuple[Floats, Floats]:
    """Estimate the covariance within a style by Ledoit and Wolf's shrinkage.

    Args:
        residuals: of mean 0, shape ``(b, n, p)``.
        floor: smallest standard deviations believed, shape ``(p,)``.

    Returns:
        Standard deviations, shape ``(b, p)``, and what whitens residuals in units of them, shape
        ``(b, p, p)``: its square is the inverse of the shrunk correlation matrix.
    """
    count, width = residuals.shape[1:]
    variance = np.einsum("bnp,bnp->bp", residuals, residuals) / count
    spread = np.sqrt(np.maximum(variance, floor**2))
    scaled = residuals / spread[:, None, :]
    sample = np.swapaxes(scaled, 1, 2) @ scaled / count
    target = np.trace(sample, axis1=1, axis2=2)[:, None, None] / width * np.eye(width)
    distance = np.sum((sample - target) ** 2, axis=(1, 2))
    fourth = np.sum(np.einsum("bnp,bnp->bn", scaled, scaled) ** 2, axis=1)
    error = (fourth / count - np.sum(sample**2, axis=(1, 2))) / count
    share = np.clip(error / np.maximum(distance, 1e-12), 0.0, 1.0)[:, None, None]
    shrunk = (1.0 - share) * sample + share * target
    shrunk += (1.0 - np.einsum("bpp->bp", shrunk))[:, :, None] * np.eye(width)
    values, vectors = np.linalg.eigh(shrunk)
    return spread, vectors / np.sqrt(np.maximum(values, 1e-9))[:, None, :]
