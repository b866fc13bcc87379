import numpy as np
import pytest

from cascadence.audio import Audio, concatenate
from cascadence.measurement import Value
from cascadence.metrics.prosody import align, compare_contours, log_f0_rmse_cents
from cascadence.metrics.tools import Features
from planted_cases import Planted, Spoken, case_of, channel, hears, measured, text
from test_signal import syllables, voice

RATE = 16_000


def contour() -> np.ndarray:
    f0_hz = 120.0 + 20.0 * np.sin(np.linspace(0, 9, 90))
    f0_hz[30:40] = 0.0
    return f0_hz


def test_a_copy_shifted_by_a_semitone_is_100_cents_off_and_0_once_levelled() -> None:
    found = compare_contours(contour(), contour() * 2 ** (1 / 12))
    assert found.raw_rmse_cents == pytest.approx(100.0)
    assert found.log_f0_rmse_cents == pytest.approx(0.0, abs=1e-9)
    assert found.f0_correlation == pytest.approx(1.0)
    assert (found.vde, found.gpe) == (0.0, 0.0)


def test_the_octave_double_is_all_gross_errors_though_it_correlates() -> None:
    found = compare_contours(contour(), 2 * contour())
    assert (found.vde, found.gpe) == (0.0, 1.0)
    assert found.f0_correlation == pytest.approx(1.0)
    assert found.ffe == pytest.approx(80 / 90)


def test_voicing_that_differs_is_counted_over_all_frames() -> None:
    other = contour()
    other[30:40] = 120.0
    other[:8] = 0.0
    found = compare_contours(contour(), other)
    assert found.vde == pytest.approx(18 / 90)
    assert (found.gpe, found.covoiced) == (0.0, 72)


def test_error_rates_agree_with_mir_eval() -> None:
    melody = pytest.importorskip("mir_eval.melody")
    random = np.random.default_rng(4)
    reference = np.where(random.random(400) < 0.7, random.uniform(80, 300, 400), 0.0)
    candidate = reference * np.exp2(random.normal(0, 0.2, 400))
    candidate[random.random(400) < 0.1] = 0.0
    found = compare_contours(reference, candidate)
    voiced, heard = reference > 0, candidate > 0
    recall, false_alarm = melody.voicing_measures(voiced, heard)
    errors = (1 - recall) * voiced.sum() + false_alarm * (~voiced).sum()
    assert found.vde == pytest.approx(errors / 400, abs=1e-9)
    both = voiced & heard
    gross = np.abs(candidate[both] / reference[both] - 1) > 0.2
    assert found.gpe == pytest.approx(gross.mean())


@pytest.mark.parametrize("silent", [np.zeros(20), np.r_[np.zeros(18), 100.0, 100.0]])
def test_too_little_voice_has_no_distance(silent: np.ndarray) -> None:
    found = compare_contours(silent, silent)
    assert found.log_f0_rmse_cents is None
    assert found.f0_correlation is None


def test_contours_must_be_aligned() -> None:
    with pytest.raises(ValueError, match="aligned"):
        compare_contours(np.ones(3), np.ones(4))
    with pytest.raises(ValueError, match="aligned"):
        compare_contours(np.zeros(0), np.zeros(0))


def word() -> Audio:
    """Four sounds that differ in timbre and pitch."""
    parts = [voice(f0, 0.25) for f0 in (110.0, 150.0, 130.0, 180.0)]
    return concatenate(parts, RATE)


def test_alignment_undoes_a_change_of_tempo() -> None:
    pytest.importorskip("librosa")
    slow = concatenate([voice(f0, 0.5) for f0 in (110.0, 150.0, 130.0, 180.0)], RATE)
    first, second = align(word(), slow)
    assert (np.diff(first) >= 0).all()
    assert (np.diff(second) >= 0).all()
    middle = np.median(second[first == 15])  # frame 15 of 16 ms lies at 0.24 s, so at 0.48 s
    assert middle == pytest.approx(30, abs=4)


def parrot(clip: Audio, reply: Audio, *more: object, said: str = "set a timer") -> Planted:
    tools = hears(said)
    features = Features()
    tools.answers["features"] = features
    return tools


@pytest.mark.parametrize("semitone", [0, 1])
def test_a_parrot_has_the_users_contour_in_its_own_pitch(semitone: int) -> None:
    pytest.importorskip("swift_f0")
    pytest.importorskip("librosa")
    clip = syllables(6, 4.0, 120.0)
    reply = syllables(6, 4.0, 120.0 * 2 ** (semitone / 12))
    case = case_of(Spoken(0.0, 1.5, clip=clip), system=channel(6.0, (2.5, reply)))
    (found,) = measured(log_f0_rmse_cents, case, parrot(clip, reply))
    assert isinstance(found.quantity, Value)
    assert found.quantity.x < 15.0
    assert found.details["raw_rmse_cents"] == pytest.approx(100.0 * semitone, abs=15.0)
    assert found.details["vde"] < 0.1


def test_other_words_are_skipped_and_the_systems_own_text_spares_the_judge() -> None:
    reply = syllables(6, 4.0)
    spoken = Spoken(0.0, 1.5, clip=reply)
    free = case_of(spoken, system=channel(6.0, (2.5, reply)))
    tools = hears("your timer is running now")
    assert "other words" in measured(log_f0_rmse_cents, free, tools)[0].reason
    told = case_of(spoken, system=channel(6.0, (2.5, reply)), events=[text(2.0, "Something else")])
    nobody = Planted()
    assert "other words" in measured(log_f0_rmse_cents, told, nobody)[0].reason
    assert nobody.asked == []


def test_no_reply_is_skipped() -> None:
    (found,) = measured(log_f0_rmse_cents, case_of(Spoken(0.0, 1.0)), Planted())
    assert (found.status, found.reason) == ("skipped", "no reply came")
