"""The null and the ceiling of prosody similarity: planted comparisons, then planted voices."""

import json
from collections.abc import Sequence

import numpy as np
import pytest

from cascadence.audio import Audio, silence
from cascadence.measurement import Case, Measurement, Value
from cascadence.metrics.prosody_comparison import Comparison
from cascadence.metrics.prosody_contours import ContourDifference
from cascadence.metrics.prosody_similarity import (
    MEASURES,
    MISMATCHES,
    Trial,
    _drawn,
    _other_style,
    _other_words,
    _Place,
    count_wins,
    prosody_similarity_auc,
    prosody_style_auc,
)
from cascadence.metrics.prosody_timing import PauseAlignment, Prominences
from planted_cases import Planted, Spoken, case_of, channel, noise, text
from test_metrics_prosody import RATE, Remembered, features, tune

__all__ = ["features"]

NAMES = list(MEASURES)


def comparison(cents: float, correlation: float | None = 0.5, pauses_s: float = 0.0) -> Comparison:
    return Comparison(
        contours=ContourDifference(100, 80, 10, 8, cents, cents, correlation),
        energy_correlation=None,
        mcd_db=None,
        spoken=80,
        durations_s=(1.0, 1.0 + cents / 100),
        rates=(None, None),
        pauses=PauseAlignment(pauses_s, pauses_s, 1, 1, 1),
        prominences=Prominences(0, 0, 0),
        npvi=(None, None),
    )


def auc(trials: Sequence[Trial], name: str) -> float:
    return float(count_wins(trials).aucs()[0][NAMES.index(name)])


def test_the_auc_is_the_share_of_mismatched_pairs_that_are_less_alike() -> None:
    rivals = [comparison(cents) for cents in (10.0, 20.0, 40.0, 50.0)]
    trials = [Trial(f"c{i}", comparison(30.0), rivals) for i in range(2)]
    assert auc(trials, "log_f0_rmse_cents") == 0.5
    assert auc([Trial("a", comparison(5.0), rivals * 2)], "log_f0_rmse_cents") == 1.0
    assert auc([Trial("a", comparison(90.0), rivals * 2)], "log_f0_rmse_cents") == 0.0
    assert auc([Trial("a", comparison(15.0), rivals * 2)], "duration_ratio") == 0.75


def test_a_tie_counts_half() -> None:
    assert auc([Trial("a", comparison(30.0), [comparison(30.0)] * 8)], "f0_correlation") == 0.5


def test_what_one_side_does_not_bear_is_not_compared() -> None:
    rivals = [comparison(10.0, correlation) for correlation in [None] * 3 + [0.1] * 9]
    wins = count_wins([Trial("a", comparison(5.0, 0.4), rivals)])
    assert wins.of["a"][NAMES.index("f0_correlation")] == 9
    none = count_wins([Trial("a", comparison(5.0, None), rivals)])
    assert none.of["a"][NAMES.index("f0_correlation")] == 0
    assert np.isnan(none.aucs()[0][NAMES.index("f0_correlation")])
    assert np.isnan(wins.aucs()[0][NAMES.index("mcd_db")])


def test_few_comparisons_make_no_auc() -> None:
    few = [Trial("a", comparison(5.0), [comparison(10.0)] * 7)]
    assert np.isnan(auc(few, "vde"))
    assert np.isnan(count_wins(few).means()).all()


def test_the_mean_is_over_the_measures_that_are_known() -> None:
    wins = count_wins([Trial("a", comparison(5.0), [comparison(10.0)] * 8)])
    known = wins.aucs()[0][np.isfinite(wins.aucs()[0])]
    assert len(known) == 5
    assert wins.means()[0] == pytest.approx(known.mean()) == pytest.approx((1 + 1 + 3 * 0.5) / 5)


def test_clusters_are_weighted() -> None:
    rivals = [comparison(10.0)] * 8
    wins = count_wins([Trial("b", comparison(5.0), rivals), Trial("a", comparison(20.0), rivals)])
    column = NAMES.index("log_f0_rmse_cents")
    assert list(wins.won) == ["a", "b"]
    weights = np.array([[1.0, 1.0], [2.0, 0.0], [1.0, 3.0]])
    assert wins.aucs(weights)[:, column] == pytest.approx([0.5, 0.0, 0.75])


def place(name: str, group: str | None, said: str, speaker: str | None = "sam") -> _Place:
    return _Place(name, 0, group, speaker, tuple(said.split()))


def test_who_is_compared_with_whom() -> None:
    mine = place("a-sad", "a", "set a timer")
    style, other = place("a-glad", "a", "set a timer"), place("b-sad", "b", "call mum")
    same_text = place("c-sad", "c", "set a timer")
    assert _other_style(mine, style)
    assert not _other_style(mine, mine)
    assert not _other_style(mine, other)
    assert not _other_style(place("x", None, "hi"), place("y", None, "hi"))
    assert _other_words(mine, other)
    assert not any(_other_words(mine, one) for one in (mine, style, same_text))


def test_the_same_others_are_drawn_for_every_system_from_the_same_speaker() -> None:
    mine = place("m", None, "set a timer")
    others = [place(f"o{i}", None, f"word {i}", "ann" if i % 2 else "sam") for i in range(20)]
    drawn = _drawn(mine, others)
    assert len(drawn) == MISMATCHES
    assert {one.speaker for one in drawn} == {"sam"}
    assert _drawn(mine, others[::-1]) == drawn
    assert _drawn(place("n", None, "set a timer"), others) != drawn
    assert len(_drawn(place("n", None, "hi", "eve"), others)) == MISMATCHES
    assert _drawn(mine, []) == []


TUNES = {
    "rising": (100.0, 110.0, 125.0, 140.0, 160.0, 180.0),
    "falling": (180.0, 160.0, 140.0, 125.0, 110.0, 100.0),
    "peak": (110.0, 125.0, 180.0, 170.0, 120.0, 110.0),
}


def spoken(style: str, sentence: int) -> Audio:
    """One of three tunes, a little other for every sentence, at its own tempo."""
    lengths = [0.16 + 0.03 * ((i * (sentence + 2)) % 4) for i in range(6)]
    return tune(TUNES[style], lengths, shift=1.0 + 0.05 * sentence)


def corpus(reply_style: str | None, words: str = "{}") -> list[Case]:
    """Three sentences in three styles; replied in the user's own style, or always in this one."""
    cases = []
    for sentence in range(3):
        for style in TUNES:
            said = " ".join(f"{chr(97 + sentence)}{i}" for i in "uvwxyz")
            clip, reply = spoken(style, sentence), spoken(reply_style or style, sentence)
            start_s = clip.duration_s + 0.4
            cases.append(
                case_of(
                    Spoken(0.0, clip.duration_s, clip=clip, text=said),
                    system=channel(start_s + reply.duration_s + 0.5, (start_s, reply)),
                    events=[text(0.1, words.format(said))],
                    duration_s=start_s + reply.duration_s + 0.5,
                    group=f"s{sentence}",
                    id=f"s{sentence}-{style}",
                )
            )
    return cases


def value(measurement: Measurement) -> float:
    assert isinstance(measurement.quantity, Value), measurement.reason
    return measurement.quantity.x


def test_a_parrot_reaches_the_ceiling(features: Remembered) -> None:
    tools = Planted(features=features)
    style = prosody_style_auc.measure_corpus(corpus(None), tools)
    assert value(style) == pytest.approx(style.details["ceiling"], abs=0.02)
    assert value(style) > 0.85
    assert style.interval is not None
    assert style.interval[0] <= value(style) <= style.interval[1]
    assert (style.n, style.details["turns"]) == (3, 9)
    assert style.details["measures"]["f0_correlation"]["auc"] == 1.0
    other = prosody_similarity_auc.measure_corpus(corpus(None), tools)
    assert value(other) > 0.9
    json.dumps(style.details, allow_nan=False)


def test_a_voice_that_always_speaks_alike_has_no_style_of_its_user(features: Remembered) -> None:
    """Every comparison is won by one member of a set and lost by another."""
    style = prosody_style_auc.measure_corpus(corpus("peak"), Planted(features=features))
    assert value(style) == pytest.approx(0.5, abs=1e-9)
    assert style.details["ceiling"] > 0.85


def test_other_words_leave_nothing_to_compare() -> None:
    cases = corpus(None, words="nothing of the kind")
    for metric in (prosody_similarity_auc, prosody_style_auc):
        measurement = metric.measure_corpus(cases, Planted())
        assert "no reply has the words" in measurement.reason


def test_without_contrast_sets_there_is_no_other_style(features: Remembered) -> None:
    clip = tune()
    alone = [
        case_of(
            Spoken(0.0, 1.5, clip=clip, text="set a timer"),
            system=channel(4.0, (2.0, clip)),
            events=[text(0.1, "set a timer")],
            duration_s=4.0,
            id=f"c{i}",
        )
        for i in range(2)
    ]
    tools = Planted(features=features)
    assert "contrast sets" in prosody_style_auc.measure_corpus(alone, tools).reason
    assert "other words" in prosody_similarity_auc.measure_corpus(alone, tools).reason


def test_one_conversation_with_others_has_too_few_comparisons(features: Remembered) -> None:
    few = corpus(None)[::3][:2]
    found = prosody_similarity_auc.measure_corpus(few, Planted(features=features))
    assert "fewer than" in found.reason


ODD = {
    "silent": silence(1.0, RATE),
    "one sample": Audio(np.array([0.9], dtype=np.float32), RATE),
    "direct current": Audio(np.full(RATE, 0.5, dtype=np.float32), RATE),
    "clipped": Audio(np.sign(noise(1.0).samples), RATE),
    "narrow band": noise(1.0, rate=8_000),
    "wide band": noise(1.0, rate=48_000),
}
HOUR = Audio(np.full(3_600_000, 0.1, dtype=np.float32), 1_000)


def said_again(user: Audio, system: Audio) -> Case:
    start_s = user.duration_s + 0.5
    return case_of(
        Spoken(0.0, max(0.1, user.duration_s), clip=user),
        system=channel(start_s + system.duration_s, (start_s, system)),
        events=[text(0.0, "set a timer")],
        duration_s=start_s + system.duration_s,
    )


@pytest.mark.parametrize(
    ("user", "system"),
    [
        *((clip, ODD["clipped"]) for clip in ODD.values()),
        *((ODD["wide band"], reply) for reply in ODD.values()),
        (HOUR, HOUR),
    ],
)
def test_odd_sounds_end_in_a_status(user: Audio, system: Audio, features: Remembered) -> None:
    case = said_again(user, system)
    tools = Planted(features=features, judge_asr=lambda audio: {"text": "set a timer"})
    for metric in (prosody_similarity_auc, prosody_style_auc):
        measurement = metric.measure_corpus([case, case], tools)
        assert measurement.status == "skipped", measurement.reason
        assert measurement.reason


def test_an_empty_cell_is_skipped() -> None:
    for metric in (prosody_similarity_auc, prosody_style_auc):
        assert metric.measure_corpus([], Planted()).status == "skipped"
