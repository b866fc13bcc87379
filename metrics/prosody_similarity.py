"""What prosody similarity is worth: the same scores on pairs that do not belong together.

Aligned by warping, any two utterances are alike to some degree, and how much depends on measure,
speakers and corpus. So each reply is also compared with clips of *other* turns (mismatched pairs),
and what is reported is the share of these comparisons in which the reply is closer to the clip that
it belongs to: an AUC within replies. 0.5 says that the reply has no more of its user's prosody than
of anybody's.

There are two kinds of other clips, and so two metrics: turns with other words (easy: words alone
make a difference), and the other styles of the same words, where the corpus has contrast sets
(strict: what is left is prosody). The **ceiling** is what the user's own clip scores in the reply's
place; a perfect copy cannot do better, and a measure whose ceiling is low is blunt on this corpus.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from cascadence.conversation import UserTurn
from cascadence.measurement import Case, Measurement, Tools, Value, metric, skipped
from cascadence.metrics.prosody_comparison import Comparison, Rendition, compare, rendition
from cascadence.metrics.prosody_pairs import LONGEST_S, Pair, audible_part, pair_on
from cascadence.metrics.text import words
from cascadence.metrics.turns import claims_floor, view
from cascadence.resampling import bootstrap, bootstrap_interval, stable_seed

Floats = npt.NDArray[np.float64]

MISMATCHES: Final = 4
"""Other clips that each reply is compared with."""
FEWEST_COMPARISONS: Final = 8
"""A measure with fewer has no AUC."""


def _log_distance(ratio: float | None) -> float | None:
    return None if not ratio else -abs(float(np.log(ratio)))


def _negative(x: float | None) -> float | None:
    return None if x is None else -x


MEASURES: Final[Mapping[str, Callable[[Comparison], float | None]]] = {
    "log_f0_rmse_cents": lambda found: _negative(found.contours.log_f0_rmse_cents),
    "f0_correlation": lambda found: found.contours.f0_correlation,
    "vde": lambda found: -found.contours.vde,
    "gpe": lambda found: _negative(found.contours.gpe),
    "energy_correlation": lambda found: found.energy_correlation,
    "mcd_db": lambda found: _negative(found.mcd_db),
    "duration_ratio": lambda found: _log_distance(found.durations_s[1] / found.durations_s[0]),
    "rate_ratio": lambda found: _log_distance(found.rate_ratio),
    "pause_alignment": lambda found: found.pause_alignment,
    "prominence_f1": lambda found: found.prominence_f1,
    "npvi_difference": lambda found: _negative(found.npvi_difference),
}
"""How similar two renditions are, higher is more; ``ffe`` is left out, the sum of two others."""


@dataclass(frozen=True, slots=True)
class _Place:
    """A turn of the corpus, as the manifest tells it; the same in all repeats and systems."""

    conversation_id: str
    turn: int
    group: str | None = field(compare=False)
    speaker: str | None = field(compare=False)
    said: tuple[str, ...] = field(compare=False)

    @property
    def cluster(self) -> str:
        """What is independent of the others."""
        return self.group or self.conversation_id


def _other_words(place: _Place, other: _Place) -> bool:
    return other.cluster != place.cluster and other.said != place.said


def _other_style(place: _Place, other: _Place) -> bool:
    same_words = (other.group, other.turn, other.said) == (place.group, place.turn, place.said)
    same_turn = other.conversation_id == place.conversation_id
    return place.group is not None and same_words and not same_turn


@dataclass(frozen=True, slots=True)
class Wins:
    """How often a rendition was closer to its own clip than to another.

    Attributes:
        won: by cluster, one number a measure of `MEASURES`; a tie counts half.
        of: by cluster, comparisons that both had a value for.
    """

    won: dict[str, Floats]
    of: dict[str, Floats]

    def aucs(self, weights: Floats | None = None) -> Floats:
        """Return the AUC of every measure, shape ``(b, measures)``; NaN where it is not known.

        Args:
            weights: of the clusters, shape ``(b, clusters)``; all 1 where left out.
        """
        if weights is None:
            weights = np.ones((1, len(self.won)))
        won, of = np.array(list(self.won.values())), np.array(list(self.of.values()))
        enough = of.sum(axis=0) >= FEWEST_COMPARISONS
        above, below = weights @ won, weights @ of
        result = np.full(above.shape, np.nan)
        np.divide(above, below, out=result, where=(below > 0.0) & enough)
        return result

    def means(self, weights: Floats | None = None) -> Floats:
        """Return the mean over the measures that have an AUC, shape ``(b,)``."""
        aucs = self.aucs(weights)
        known = np.isfinite(aucs)
        counts = known.sum(axis=1)
        total = np.where(known, aucs, 0.0).sum(axis=1)
        return np.where(counts > 0, total / np.maximum(counts, 1), np.nan)


@dataclass(frozen=True, slots=True)
class Trial:
    """A reply compared with its own clip and with others.

    Attributes:
        cluster: what is independent of the others.
        matched: with its own.
        mismatched: with the others.
    """

    cluster: str
    matched: Comparison
    mismatched: Sequence[Comparison]


def count_wins(trials: Sequence[Trial]) -> Wins:
    """Count how often a matched pair is more similar than its mismatched ones."""
    won: dict[str, Floats] = defaultdict(lambda: np.zeros(len(MEASURES)))
    of: dict[str, Floats] = defaultdict(lambda: np.zeros(len(MEASURES)))
    for trial in sorted(trials, key=lambda one: one.cluster):
        for column, read in enumerate(MEASURES.values()):
            own = read(trial.matched)
            others = [x for found in trial.mismatched if (x := read(found)) is not None]
            if own is not None:
                wins = sum((own > x) + 0.5 * (own == x) for x in others)
                won[trial.cluster][column] += wins
                of[trial.cluster][column] += len(others)
    return Wins(dict(won), dict(of))


def _turns(cases: Sequence[Case]) -> Iterator[tuple[_Place, Case, UserTurn]]:
    for case in cases:
        told = case.conversation
        for index, turn in enumerate(told.turns):
            if claims_floor(turn):
                said = tuple(words(turn.text))
                yield _Place(told.id, index, told.group, turn.speaker, said), case, turn


def _matched(cases: Sequence[Case], tools: Tools) -> tuple[list[_Place], list[tuple[_Place, Pair]]]:
    """Return all turns of the manifest, and with its pair each whose reply has the same words."""
    everywhere, found = [], []
    for place, case, _ in _turns(cases):
        everywhere.append(place)
        played = next((t for t in case.recording.turns if t.index == place.turn), None)
        pair = None if played is None else pair_on(view(case, played), tools)
        if isinstance(pair, Pair):
            found.append((place, pair))
    return list(dict.fromkeys(everywhere)), found


def _drawn(place: _Place, others: Sequence[_Place]) -> list[_Place]:
    """Draw whom a reply is compared with: the same ones for every system.

    Other turns of the same speaker, where there are any: another voice would be too easy to tell.
    """
    same = [other for other in others if place.speaker and other.speaker == place.speaker]
    pool = sorted(same or others, key=lambda one: (one.conversation_id, one.turn))
    random = np.random.default_rng(stable_seed(place.conversation_id, str(place.turn)))
    picked = random.permutation(len(pool))[:MISMATCHES]
    return [pool[int(index)] for index in picked]


def _clips(cases: Sequence[Case], wanted: set[_Place], tools: Tools) -> dict[_Place, Rendition]:
    """Read off the users' clips of some turns what comparisons need."""
    found: dict[_Place, Rendition] = {}
    for place, case, turn in _turns(cases):
        if place not in wanted or place in found or place.turn >= len(case.clips):
            continue
        clip = audible_part(case.clips[place.turn].span(*turn.speech_s))
        if clip is None or clip.duration_s > LONGEST_S:
            continue
        if (known := rendition(clip, turn.text, tools)) is not None:
            found[place] = known
    return found


def _similarity(
    cases: Sequence[Case],
    tools: Tools,
    differs: Callable[[_Place, _Place], bool],
    otherwise: str,
) -> Measurement:
    everywhere, matched = _matched(cases, tools)
    if not matched:
        return skipped("no reply has the words of its user")
    drawn = {
        place: _drawn(place, [other for other in everywhere if differs(place, other)])
        for place, _ in matched
    }
    clips = _clips(cases, {one for picked in drawn.values() for one in picked}, tools)
    replies, ceilings = [], []
    for place, pair in matched:
        others = [clips[other] for other in drawn[place] if other in clips]
        if others:
            replies.append(_trial(place, pair.user, pair.reply, others))
            ceilings.append(_trial(place, pair.user, pair.user, others))
    if not replies:
        return skipped(otherwise)
    return _measurement(count_wins(replies), count_wins(ceilings), len(replies))


def _trial(
    place: _Place, own: Rendition, candidate: Rendition, others: Sequence[Rendition]
) -> Trial:
    mismatched = [compare(other, candidate) for other in others]
    return Trial(place.cluster, compare(own, candidate), mismatched)


def _measurement(replies: Wins, ceiling: Wins, turns: int) -> Measurement:
    mean = float(replies.means()[0])
    if not np.isfinite(mean):
        return skipped(f"fewer than {FEWEST_COMPARISONS} comparisons")
    clusters = len(replies.won)
    replicates = bootstrap(replies.means, clusters, stable_seed("prosody similarity"))
    best = float(ceiling.means()[0])
    return Measurement(
        "ok",
        Value(mean),
        details={
            "ceiling": best if np.isfinite(best) else None,
            "turns": turns,
            "measures": _by_measure(replies, ceiling),
        },
        interval=bootstrap_interval(replicates, clusters),
        n=clusters,
    )


def _by_measure(replies: Wins, ceiling: Wins) -> dict[str, Any]:
    counts = np.sum(list(replies.of.values()), axis=0)
    rows = zip(MEASURES, replies.aucs()[0], ceiling.aucs()[0], counts, strict=True)
    return {
        name: {
            "auc": float(auc) if np.isfinite(auc) else None,
            "ceiling": float(best) if np.isfinite(best) else None,
            "comparisons": int(count),
        }
        for name, auc, best, count in rows
    }


_similarity_metric = partial(
    metric,
    family="prosody",
    unit="AUC",
    direction="higher",
    range=(0.0, 1.0),
    level="corpus",
    needs=("features", "judge_asr"),
    version="2",
)


@_similarity_metric()
def prosody_similarity_auc(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How often a reply is closer to its user's clip than to clips with other words.

    For each prosody measure the share of comparisons won, then their mean; by measure, and with the
    ceiling, in the details. 0.5 is chance. Over the turns whose reply has the user's words, each
    against up to four other clips of the corpus, by the same speaker where the manifest tells.
    Interval: bootstrap over conversations (contrast sets).
    """
    return _similarity(cases, tools, _other_words, "no other words to compare with")


@_similarity_metric()
def prosody_style_auc(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How often a reply is closer to its user's clip than to the same words in another style.

    As `prosody_similarity_auc`, against the other members of the contrast set: the words are the
    same, so what wins is prosody alone. A voice that repeats the words in its own way scores 0.5.
    """
    return _similarity(cases, tools, _other_style, "no contrast sets in this corpus")
