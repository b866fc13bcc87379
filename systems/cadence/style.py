"""From the user's style to the reply's: what is mirrored, how strongly, within which limits."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cascadence.systems.cadence.vocoder import ReplyStyle

__all__ = ["NEUTRAL", "StyleStatistics", "UserStyle", "mirrored"]

# The voice is quick: of 240 replies the judge ASR heard .030 of the words wrong at its own pace,
# .024 at this one. Piper speaks at the same (`length_scale` in `systems/tts/piper.py`).
_PACE = 0.9
NEUTRAL = ReplyStyle(rate=_PACE)
# Beyond these its words are heard worse (measured by the judge ASR), or it sounds worse (DNSMOS of
# 24 replies, 3.16 at neutral: range x 2 3.07, -12 dB 2.88). Rates are relative to the pace.
_RATE_LIMITS = (0.8, 1.2)
_RANGE_LIMITS = (0.4, 1.8)
_GAIN_LIMITS_DB = (-9.0, 6.0)
# It creaks already: 2 and 4 semitones down give 2.93 and 2.59, 2, 4 and 7 up 3.19, 3.10 and 3.02.
# So there is room above only, and the mean user is answered in the middle of it.
_SHIFT_LIMITS_ST = (-1.5, 8.0)
_MIDDLE_ST = 2.5
_RATE_STRENGTH = 0.9
_SHIFT_STRENGTH = 0.7
_RANGE_STRENGTH = 0.9
_GAIN_STRENGTH = 0.8


@dataclass(frozen=True, slots=True)
class UserStyle:
    """How a user spoke.

    Attributes:
        phones_per_s: speaking rate.
        f0_st: median F0, semitones re 150 Hz.
        f0_spread_st: half the distance between its 10th and 90th percentile, semitones.
        level_db: mean level where voiced, dB re full scale.
    """

    phones_per_s: float
    f0_st: float
    f0_spread_st: float
    level_db: float


@dataclass(frozen=True, slots=True)
class StyleStatistics:
    """Style of the training users, whose mean is answered in the middle of the voice's range.

    Attributes:
        mean: of the four dimensions, in the order of `UserStyle`.
        std: their standard deviations.
    """

    mean: tuple[float, float, float, float]
    std: tuple[float, float, float, float]

    @classmethod
    def of(cls, mean: Iterable[float], std: Iterable[float]) -> "StyleStatistics":
        """Builds them from any two sequences of four numbers.

        Raises:
            ValueError: if there are not four.
        """
        m0, m1, m2, m3 = map(float, mean)
        s0, s1, s2, s3 = map(float, std)
        return cls((m0, m1, m2, m3), (s0, s1, s2, s3))

    def user_style(
        self, z_scores: Sequence[float], pitch: tuple[float, float, float] | None
    ) -> UserStyle:
        """Joins what the ears estimate with what is measured.

        Args:
            z_scores: the ears' estimate, (4,): only the rate is taken from it.
            pitch: median F0, its spread, level; None: those of the mean user.
        """
        rate = self.mean[0] + self.std[0] * z_scores[0]
        return UserStyle(rate, *(pitch or self.mean[1:]))


def _within(value: float, limits: tuple[float, float]) -> float:
    return min(max(value, limits[0]), limits[1])


def mirrored(user: UserStyle, statistics: StyleStatistics) -> ReplyStyle:
    """Answers a style with a style.

    Rate and range follow as powers, level and F0 proportionally, each within limits; F0 bends
    smoothly into its limits, so that a speaker far from the mean is still followed.
    """
    mean = UserStyle(*statistics.mean)
    rate = (max(user.phones_per_s, 1.0) / mean.phones_per_s) ** _RATE_STRENGTH
    spread = (max(user.f0_spread_st, 0.1) / mean.f0_spread_st) ** _RANGE_STRENGTH
    offset_st = _SHIFT_STRENGTH * (user.f0_st - mean.f0_st)
    limit_st = abs(_SHIFT_LIMITS_ST[1 if offset_st > 0 else 0] - _MIDDLE_ST)
    return ReplyStyle(
        rate=_PACE * _within(rate, _RATE_LIMITS),
        shift_semitones=_MIDDLE_ST + limit_st * math.tanh(offset_st / limit_st),
        range_factor=_within(spread, _RANGE_LIMITS),
        gain_db=_within(_GAIN_STRENGTH * (user.level_db - mean.level_db), _GAIN_LIMITS_DB),
    )
