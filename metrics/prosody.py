"""Prosody similarity: two renderings of the same words.

`cascadence.metrics.prosody_pairs` says which two; `cascadence.metrics.prosody_comparison` aligns
and compares them; these are the measures, by turn. Where the reply has other words than the user
they are skipped: whether the *style* survived is measured by `cascadence.metrics.paralinguistics`.

A score alone says little: any two utterances are somewhat alike once they are aligned. What a score
is worth on mismatched pairs, and at best, is measured by
`cascadence.metrics.prosody_similarity.prosody_similarity_auc`; read both together.

The AutoPCP of Seamless is `cascadence.metrics.prosody_consistency.auto_pcp`, by weights that the
user brings. Its emphasis F1 is not here: it needs the times of words and a trained detector;
`prominence_f1` is a light measure instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial

from cascadence.measurement import Case, Measurement, Tools, metric, ratio, skipped, value
from cascadence.metrics.prosody_comparison import Comparison, compare, shown
from cascadence.metrics.prosody_pairs import pair_on
from cascadence.metrics.turns import PlayedView, claims_floor, each_turn

CHU_AND_ALWAN = "doi:10.1109/ICASSP.2009.4960497"
TOO_FEW_VOICED = "too few frames are voiced in both"
UNIT_RANGE = (0.0, 1.0)
POSITIVE = (0.0, float("inf"))

_prosody_metric = partial(
    metric, family="prosody", level="turn", needs=("features", "judge_asr"), version="2"
)


def _each(case: Case, tools: Tools, read: Callable[[Comparison], Measurement]) -> list[Measurement]:
    def measure(view: PlayedView) -> Measurement:
        pair = pair_on(view, tools)
        return pair if isinstance(pair, Measurement) else read(compare(pair.user, pair.reply))

    return each_turn(case, measure, claims_floor)


@_prosody_metric(
    unit="cents",
    direction="lower",
    range=POSITIVE,
    version="3",
    reference=f"log-F0 RMSE; errors of voicing and pitch: {CHU_AND_ALWAN}",
)
def log_f0_rmse_cents(case: Case, tools: Tools) -> list[Measurement]:
    """Root mean square difference of the reply's pitch contour from the user's, same words.

    Over co-voiced frames, after alignment, the difference of the medians removed (speakers differ
    in pitch). ``vde``, ``gpe``, ``ffe``, ``f0_correlation`` and the raw RMSE in the details: a
    contour that is right where it is voiced, and seldom voiced, is not right. Skipped where the
    reply has other words (by the system's own text, else by the judge ASR).
    """

    def difference(found: Comparison) -> Measurement:
        cents = found.contours.log_f0_rmse_cents
        return skipped(TOO_FEW_VOICED) if cents is None else value(cents, **shown(found))

    return _each(case, tools, difference)


@_prosody_metric(unit="correlation", direction="higher", range=(-1.0, 1.0))
def f0_correlation(case: Case, tools: Tools) -> list[Measurement]:
    """Correlation (Pearson) of log F0 over co-voiced, aligned frames.

    Blind to octave errors, range and voicing, so they are in the details. Skipped where one of the
    voices is flat (varies by less than 10 cents): it would correlate by its noise.
    """

    def correlation(found: Comparison) -> Measurement:
        contours = found.contours
        if contours.f0_correlation is None:
            few = contours.log_f0_rmse_cents is None
            return skipped(TOO_FEW_VOICED if few else "one of the voices does not vary in pitch")
        return value(contours.f0_correlation, **shown(found))

    return _each(case, tools, correlation)


@_prosody_metric(
    unit="ratio", direction="lower", range=UNIT_RANGE, summary="ratio", reference=CHU_AND_ALWAN
)
def vde(case: Case, tools: Tools) -> list[Measurement]:
    """Voicing decision error: share of aligned frames that are voiced in one rendering alone."""

    def error(found: Comparison) -> Measurement:
        contours = found.contours
        return ratio(contours.voicing_errors, contours.frames, covoiced=contours.covoiced)

    return _each(case, tools, error)


@_prosody_metric(
    unit="ratio", direction="lower", range=UNIT_RANGE, summary="ratio", reference=CHU_AND_ALWAN
)
def gpe(case: Case, tools: Tools) -> list[Measurement]:
    """Gross pitch error: share of co-voiced, aligned frames whose F0 is off by more than 20 %.

    Nothing is removed: another voice, say an octave higher, is 1 and not wrong. Read it between
    renderings by one voice.
    """

    def error(found: Comparison) -> Measurement:
        contours = found.contours
        if not contours.covoiced:
            return skipped("no frame is voiced in both")
        return ratio(contours.gross_errors, contours.covoiced, frames=contours.frames)

    return _each(case, tools, error)


@_prosody_metric(
    unit="ratio", direction="lower", range=UNIT_RANGE, summary="ratio", reference=CHU_AND_ALWAN
)
def ffe(case: Case, tools: Tools) -> list[Measurement]:
    """F0 frame error: share of aligned frames with an error of voicing or a gross one of pitch."""

    def error(found: Comparison) -> Measurement:
        contours = found.contours
        errors = contours.voicing_errors + contours.gross_errors
        return ratio(errors, contours.frames, vde=contours.vde, gpe=contours.gpe)

    return _each(case, tools, error)


@_prosody_metric(unit="correlation", direction="higher", range=(-1.0, 1.0))
def energy_correlation(case: Case, tools: Tools) -> list[Measurement]:
    """Correlation (Pearson) of the levels, in dB, over aligned frames in which both speak.

    Pauses are left out: over speech and pauses together, any two sounds that pause correlate.
    """

    def correlation(found: Comparison) -> Measurement:
        if found.energy_correlation is None:
            return skipped("too few frames are spoken in both, or one does not vary in level")
        return value(found.energy_correlation, spoken=found.spoken)

    return _each(case, tools, correlation)


@_prosody_metric(
    unit="dB", direction="lower", range=POSITIVE, reference="doi:10.1109/PACRIM.1993.407206"
)
def mcd_db(case: Case, tools: Tools) -> list[Measurement]:
    """Mel-cepstral distortion: how far apart the two are in timbre, c0 (the level) left out.

    Over aligned frames in which both speak. Another voice is another timbre: 0 is only to be had by
    a copy. Figures depend on the analysis (`cascadence.metrics.prosody_alignment.mel_cepstra`, c1
    to c13): compare with nothing that was measured otherwise.
    """

    def distortion(found: Comparison) -> Measurement:
        if found.mcd_db is None:
            return skipped("no frame is spoken in both")
        return value(found.mcd_db, spoken=found.spoken)

    return _each(case, tools, distortion)


@_prosody_metric(unit="ratio", direction="neither", range=POSITIVE, summary="ratio")
def duration_ratio(case: Case, tools: Tools) -> list[Measurement]:
    """How long the reply takes, relative to the user, with pauses; 1 is the same.

    From the first to the last sample within 30 dB of the peak. Over a corpus: all of the replies'
    time over all of the users'.
    """

    def measure(found: Comparison) -> Measurement:
        user_s, reply_s = found.durations_s
        return ratio(reply_s, user_s)

    return _each(case, tools, measure)


@_prosody_metric(
    unit="ratio",
    direction="neither",
    range=POSITIVE,
    summary="median",
    reference="arXiv 2312.05187 (speech rate: syllables over net time)",
)
def rate_ratio(case: Case, tools: Tools) -> list[Measurement]:
    """How fast the reply is spoken, relative to the user: syllables per second, pauses left out.

    1 is the same. The syllables are those of the words, as said. Seamless correlates the rates over
    a corpus; that is `cascadence.metrics.paralinguistics.contrast_correlation_rate`, within sets.
    """

    def measure(found: Comparison) -> Measurement:
        if found.rate_ratio is None:
            return skipped("no syllables to count")
        user, reply = found.rates
        return value(found.rate_ratio, user_syllables_per_s=user, reply_syllables_per_s=reply)

    return _each(case, tools, measure)


@_prosody_metric(
    unit="ratio",
    direction="higher",
    range=UNIT_RANGE,
    summary="ratio",
    reference="arXiv 2312.05187 (pause alignment, wmean_joint_score of its code)",
)
def pause_alignment(case: Case, tools: Tools) -> list[Measurement]:
    """How well the reply's pauses correspond to the user's, in place and length.

    Each pause scores the ratio of the shorter to the longer times the share of the alignment that
    does not cross the pair, 0 without a partner; mean over the pauses of both sides, weighted by
    duration, over a turn and over a corpus. As published, but that aligned frames of speech stand
    in for aligned words, and that a pause is 0.15 s or longer (0.1 s between known words): without
    words, the closure of a stop would be one. Skipped where neither side pauses.
    """

    def score(found: Comparison) -> Measurement:
        pauses = found.pauses
        if not pauses.total_s:
            return skipped("neither the user nor the reply pauses")
        counts = {"matched": pauses.matched, "user": pauses.reference, "reply": pauses.candidate}
        return ratio(pauses.aligned_s, pauses.total_s, **counts)

    return _each(case, tools, score)


@_prosody_metric(unit="ratio", direction="higher", range=UNIT_RANGE, summary="ratio")
def prominence_f1(case: Case, tools: Tools) -> list[Measurement]:
    """F1 of the syllables that stand out in pitch and loudness: the same ones in both renderings?

    A light measure, of sound alone (`cascadence.metrics.prosody_timing.prominent_s`): it is not the
    emphasis F1 of Seamless, which asks a trained detector about words.
    """

    def f1(found: Comparison) -> Measurement:
        if found.prominence_f1 is None:
            return skipped("no syllable stands out")
        counts = found.prominences
        return ratio(2 * counts.hits, counts.reference + counts.candidate, **asdict(counts))

    return _each(case, tools, f1)


@_prosody_metric(
    unit="points",
    direction="lower",
    range=(0.0, 200.0),
    reference="nPVI: doi:10.1515/9783110197105.2.515, there over vocalic intervals",
)
def npvi_difference(case: Case, tools: Tools) -> list[Measurement]:
    """How far apart the two rhythms are: difference of their nPVI, without sign.

    The variability of successive intervals from one syllable's nucleus to the next, pauses left
    out. (Grabe and Low measure vowels, whose bounds would have to be marked by hand or by an
    aligner: nPVIs of languages in the literature are other figures.)
    """

    def measure(found: Comparison) -> Measurement:
        if found.npvi_difference is None:
            return skipped("too few syllables for a rhythm")
        user, reply = found.npvi
        return value(found.npvi_difference, user_npvi=user, reply_npvi=reply)

    return _each(case, tools, measure)
