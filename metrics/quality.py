"""Speech quality of the reply: predicted, or measured against the original where there is one.

Predictors of opinion scores (DNSMOS) are trained on other speech than a voice agent's: compare
systems by them, do not quote them as opinions. Clean speech often tops out near 3.3 of 5.

PESQ, STOI and SI-SDR compare a sound with its original, sample by sample. They are computed only
where the reply is a copy of the user's turn (a parrot, a channel, a codec, a resynthesis), as
`cascadence.metrics.quality_reference` finds in the sound; the original is the user's clean clip, so
that a channel's noise counts. A free reply has no original, whatever PESQ would say of it (1.6 for
two unrelated noises): there they are skipped.

PESQ is computed by the ITU's own code (package ``pesq``), whose owners allow it for evaluation and
research, not for commercial use: it is an extra, and never a requirement.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from importlib.metadata import version as installed_version
from typing import Literal

import numpy as np
import numpy.typing as npt

from cascadence.audio import Audio
from cascadence.measurement import Case, Measurement, Tools, metric, skipped, value
from cascadence.metrics.quality_reference import Copy, find_copy
from cascadence.metrics.signal_levels import ANALYSIS_RATE
from cascadence.metrics.turns import PlayedView, claims_floor, each_turn
from cascadence.require import MissingExtra, require

Floats = npt.NDArray[np.float64]

SHORTEST_S = 0.5
"""Less than this, repeated to fill the predictor's window, is no speech any more."""

DNSMOS = "arXiv 2110.01763"
OPINION = (1.0, 5.0)
PESQ_RANGE = (1.0, 4.65)
LONGEST_PESQ_S = 20.0
"""The ITU's code holds 50 utterances, and crashes beyond; in 20 s there cannot be more."""
NARROW_RATE = 8_000
SILENT_SHARE = 1e-20
"""What is left of direct current once its mean is taken out is rounding."""
HIGHEST_SI_SDR_DB = 100.0
"""An exact copy has no finite ratio; beyond this, the difference is below that of 16-bit sound."""


def _dnsmos(case: Case, tools: Tools, scale: str) -> list[Measurement]:
    def rating(view: PlayedView) -> Measurement:
        reply, played = view.reply, view.reply_as_played
        if reply is None or played is None:
            return skipped("no reply came")
        if view.understood:
            return skipped("an oracle's voice hums")
        if reply.duration_s < SHORTEST_S:
            return skipped(f"the reply is shorter than {SHORTEST_S} s")
        answer = tools.use("dnsmos", played)[scale]
        return skipped("the reply is inaudible") if answer is None else value(float(answer))

    return each_turn(case, rating, claims_floor)


@metric(
    family="quality",
    unit="MOS",
    direction="higher",
    range=OPINION,
    level="turn",
    needs=("dnsmos",),
    reference=DNSMOS,
    version="2",
)
def dnsmos_ovrl(case: Case, tools: Tools) -> list[Measurement]:
    """Predicted overall quality of the reply (P.835 OVRL), 1 to 5.

    The reply is rated with up to 0.25 s of what the system played before and after it: soft onsets
    and tails are part of it, and DNSMOS marks a voice down that begins or ends abruptly.
    """
    return _dnsmos(case, tools, "ovrl")


@metric(
    family="quality",
    unit="MOS",
    direction="higher",
    range=OPINION,
    level="turn",
    needs=("dnsmos",),
    reference=DNSMOS,
    version="2",
)
def dnsmos_sig(case: Case, tools: Tools) -> list[Measurement]:
    """Predicted quality of the speech signal in the reply (P.835 SIG), 1 to 5.

    The reply is rated with up to 0.25 s of what the system played before and after it: soft onsets
    and tails are part of it, and DNSMOS marks a voice down that begins or ends abruptly.
    """
    return _dnsmos(case, tools, "sig")


@metric(
    family="quality",
    unit="MOS",
    direction="higher",
    range=OPINION,
    level="turn",
    needs=("dnsmos",),
    reference=DNSMOS,
    version="2",
)
def dnsmos_bak(case: Case, tools: Tools) -> list[Measurement]:
    """Predicted absence of background noise in the reply (P.835 BAK), 1 to 5.

    The reply is rated with up to 0.25 s of what the system played before and after it: soft onsets
    and tails are part of it, and DNSMOS marks a voice down that begins or ends abruptly.
    """
    return _dnsmos(case, tools, "bak")


def si_sdr(original: Floats, copy: Floats) -> float:
    """Return the scale-invariant signal-to-distortion ratio, both mean-centred.

    10 log10(|g·s|² / |x - g·s|²) with g = ⟨x, s⟩ / |s|² (arXiv 1811.02508). Centred, it is
    unchanged by gain and by DC; some publish it without.

    Args:
        original: shape ``(samples,)``.
        copy: the same shape, aligned.

    Returns:
        dB, at most `HIGHEST_SI_SDR_DB`; -inf where the copy holds nothing of the original.

    Raises:
        ValueError: shapes that differ, or an original that is silent.
    """
    if original.shape != copy.shape:
        raise ValueError(f"sounds must be aligned: {original.shape} against {copy.shape}")
    reference, candidate = original - original.mean(), copy - copy.mean()
    power = float(reference @ reference)
    if power <= SILENT_SHARE * float(original @ original):
        raise ValueError("a silent original has no ratio")
    target = reference * (float(candidate @ reference) / power)
    kept, lost = float(target @ target), float(np.sum((candidate - target) ** 2))
    if kept == 0.0:
        return -math.inf
    if lost <= kept * 10.0 ** (-HIGHEST_SI_SDR_DB / 10.0):
        return HIGHEST_SI_SDR_DB
    return 10.0 * math.log10(kept / lost)


def pesq(original: Floats, copy: Floats, mode: Literal["wb", "nb"]) -> float | str:
    """Return the perceptual evaluation of speech quality: MOS-LQO, 1 to 4.65.

    Args:
        original: at `ANALYSIS_RATE`, shape ``(samples,)``.
        copy: the same shape, aligned.
        mode: ``wb`` (P.862.2, at 16 kHz) or ``nb`` (P.862.1, at 8 kHz).

    Returns:
        The score, or the reason why there is none.

    Raises:
        MissingExtra: the package is not installed.
    """
    library = require("pesq", extra="pesq")
    rate = ANALYSIS_RATE if mode == "wb" else NARROW_RATE
    sounds = [_at_rate(sound, rate) for sound in (original, copy)]
    if len(original) > LONGEST_PESQ_S * ANALYSIS_RATE:
        return f"PESQ takes at most {LONGEST_PESQ_S:.0f} s"
    if not all(sound.any() for sound in sounds):
        return "PESQ has nothing to compare: silence"
    try:
        score = float(library.pesq(rate, *sounds, mode))
    except library.PesqError as error:
        said = error.args[0] if error.args else error
        return f"PESQ: {said.decode() if isinstance(said, bytes) else said}"
    return score if math.isfinite(score) else "PESQ found no number"


def _at_rate(samples: Floats, rate: int) -> npt.NDArray[np.float32]:
    """Resample, without clipping: aligned sounds may exceed 1 by a hair."""
    peak = float(np.abs(samples).max(initial=1.0))
    scaled = Audio((samples / peak).astype(np.float32), ANALYSIS_RATE)
    return scaled.at_rate(rate).samples


def short_time_intelligibility(original: Floats, copy: Floats) -> float | str:
    """Return the STOI of two aligned sounds.

    Args:
        original: at `ANALYSIS_RATE`, shape ``(samples,)``.
        copy: the same shape, aligned.

    Returns:
        -1 to 1, or the reason why there is none.

    Raises:
        MissingExtra: the package is not installed.
    """
    pystoi = require("pystoi", extra="quality")
    with warnings.catch_warnings():
        # Instead of a value for less than 384 ms of speech, pystoi warns and returns 0.00001.
        warnings.simplefilter("error", RuntimeWarning)
        try:
            found = float(pystoi.stoi(original, copy, ANALYSIS_RATE))
        except RuntimeWarning:
            return "STOI needs 0.4 s of speech"
    return found if math.isfinite(found) else "STOI found no number"


@dataclass(frozen=True, slots=True)
class _Asked:
    """Two sounds; they are the same that have the same hashes."""

    sha256: tuple[str, str]
    turn: Audio = field(compare=False)
    reply: Audio = field(compare=False)


@lru_cache(maxsize=16)
def _copy(asked: _Asked) -> Copy | str:
    """Look for a copy once for all metrics that need one."""
    return find_copy(asked.turn, asked.reply)


def _against_original(
    case: Case, measure: Callable[[Copy], float | str], package: str = ""
) -> list[Measurement]:
    """Measure the turns whose reply is a copy; ``package`` is what computes it, to be told."""

    def compared(view: PlayedView) -> Measurement:
        reply, clip = view.reply, view.clip
        if reply is None:
            return skipped("no reply came")
        found = _copy(_Asked((clip.sha256(), reply.sha256()), clip, reply))
        if isinstance(found, str):
            return skipped(found)
        try:
            score = measure(found)
        except MissingExtra as error:
            return skipped(str(error))
        if isinstance(score, str):
            return skipped(score)
        made_by = {"package": f"{package} {installed_version(package)}"} if package else {}
        return value(
            score,
            delay_s=found.delay_s,
            evidence=found.evidence,
            likeness=found.likeness,
            **made_by,
        )

    return each_turn(case, compared, claims_floor)


_reference_metric = partial(metric, family="quality", direction="higher", level="turn")


@_reference_metric(unit="MOS", range=PESQ_RANGE, reference="ITU-T P.862.2")
def pesq_wb(case: Case, tools: Tools) -> list[Measurement]:
    """PESQ of a reply that is a copy of the user's turn: wide band, 16 kHz, as MOS-LQO.

    Skipped for everything else, for more than 20 s, and where the ITU's code finds no utterance.
    """
    return _against_original(case, lambda found: pesq(found.original, found.copy, "wb"), "pesq")


@_reference_metric(unit="MOS", range=PESQ_RANGE, reference="ITU-T P.862.1")
def pesq_nb(case: Case, tools: Tools) -> list[Measurement]:
    """PESQ of a reply that is a copy of the user's turn: telephone band, 8 kHz, as MOS-LQO.

    Skipped where `pesq_wb` is.
    """
    return _against_original(case, lambda found: pesq(found.original, found.copy, "nb"), "pesq")


@_reference_metric(
    unit="ratio",
    range=(-1.0, 1.0),
    reference="doi:10.1109/TASL.2011.2114881",
)
def stoi(case: Case, tools: Tools) -> list[Measurement]:
    """Short-time objective intelligibility of a reply that is a copy of the user's turn.

    By `pystoi`. Skipped for everything else, and for less than 0.4 s of speech.
    """
    return _against_original(
        case, lambda found: short_time_intelligibility(found.original, found.copy), "pystoi"
    )


@_reference_metric(
    unit="dB", range=(float("-inf"), HIGHEST_SI_SDR_DB), reference="arXiv 1811.02508, mean-centred"
)
def si_sdr_db(case: Case, tools: Tools) -> list[Measurement]:
    """Scale-invariant signal-to-distortion ratio of a reply that is a copy of the user's turn.

    Mean-centred, and aligned to a fraction of a sample (half a sample would cap it near 10 dB).
    Skipped for everything else, and for copies that keep no phase: there it would measure nothing.
    An exact copy scores 100 dB.
    """

    def measure(found: Copy) -> float | str:
        if found.evidence != "waveform":
            return "the reply follows the turn, but not wave by wave"
        return si_sdr(found.original, found.copy)

    return _against_original(case, measure)
