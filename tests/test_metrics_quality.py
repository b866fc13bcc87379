import numpy as np
import pytest

from cascadence.audio import Audio, silence
from cascadence.metrics.quality import dnsmos_bak, dnsmos_ovrl, dnsmos_sig
from cascadence.metrics.tools import DNSMOS_QUIET_S, Dnsmos
from cascadence.metrics.turns import EDGE_S
from planted_cases import Planted, Spoken, case_of, measured, noise, numbers
from test_signal import syllables

RATE = 16_000


@pytest.fixture(scope="module")
def dnsmos() -> Dnsmos:
    pytest.importorskip("speechmos")
    return Dnsmos()


def test_every_second_is_what_speechmos_says() -> None:
    original = pytest.importorskip("speechmos.dnsmos")
    sound = syllables(21, 4.0)  # 5.25 s, doubled once: two windows
    expected = original.run(sound.samples, RATE)
    found = Dnsmos(every_second=True)(sound)
    for scale in ("sig", "bak", "ovrl"):
        assert found[scale] == pytest.approx(expected[f"{scale}_mos"], abs=1e-3)


def test_noise_costs_background_quality(dnsmos: Dnsmos) -> None:
    clean = syllables(10, 4.0)
    dirty = Audio((clean.samples + 0.1 * noise(2.5).samples).astype(np.float32), RATE)
    assert dnsmos(dirty)["bak"] < dnsmos(clean)["bak"] - 0.2


def test_silence_has_no_quality(dnsmos: Dnsmos) -> None:
    assert dnsmos(silence(1.0, RATE)) == {"sig": None, "bak": None, "ovrl": None}
    assert dnsmos(silence(0.0, RATE))["ovrl"] is None


@pytest.mark.parametrize(("duration_s", "windows"), [(1.0, 1), (9.01, 1), (10.0, 2), (30.0, 4)])
def test_windows_cover_the_sound_once(dnsmos: Dnsmos, duration_s: float, windows: int) -> None:
    sound = noise(duration_s)
    found = dnsmos._windows(sound)
    assert [len(window) for window in found] == [144_160] * windows
    if windows > 1:
        assert np.array_equal(found[-1][-100:], sound.samples[-100:])


def test_copies_of_a_short_sound_have_silence_between_them(dnsmos: Dnsmos) -> None:
    sound, quiet = noise(2.0).samples, np.zeros(round(DNSMOS_QUIET_S * RATE), np.float32)
    (window,) = dnsmos._windows(Audio(sound, RATE))
    once = np.concatenate([quiet, sound, quiet])
    assert np.array_equal(window, np.tile(once, 4)[: len(window)])
    (all_but_full,) = dnsmos._windows(noise(8.9))
    assert np.array_equal(all_but_full[len(quiet) :], noise(8.9).samples[: 144_160 - len(quiet)])


def test_each_scale_is_read_from_one_answer() -> None:
    tools = Planted(dnsmos=lambda audio: {"ovrl": 3.1, "sig": 3.4, "bak": 4.0})
    reply = [(1.5, 3.0)]
    case = case_of(Spoken(0.0, 1.0), Spoken(6.0, 7.0), system=reply)
    assert numbers(measured(dnsmos_ovrl, case, tools)) == [3.1, None]
    assert numbers(measured(dnsmos_sig, case, tools)) == [3.4, None]
    assert numbers(measured(dnsmos_bak, case, tools)) == [4.0, None]


def test_a_grunt_is_not_rated() -> None:
    case = case_of(Spoken(0.0, 1.0), system=[(1.5, 1.8)])
    assert "shorter" in measured(dnsmos_ovrl, case, Planted())[0].reason


def test_the_reply_is_rated_with_the_quiet_around_it() -> None:
    tools = Planted(dnsmos=lambda audio: {"ovrl": 3.0})
    case = case_of(Spoken(0.0, 1.0), system=[(1.5, 2.5), (3.0, 4.0)])
    measured(dnsmos_ovrl, case, tools)
    assert tools.asked[0][1].duration_s == pytest.approx(2.5 + 2 * EDGE_S, abs=0.02)


def test_nothing_of_another_turn_is_rated_with_it() -> None:
    tools = Planted(dnsmos=lambda audio: {"ovrl": 3.0})
    case = case_of(Spoken(0.0, 1.0), Spoken(3.0, 4.0), system=[(0.1, 2.9), (4.2, 5.2)])
    measured(dnsmos_ovrl, case, tools)
    first, second = (sound.duration_s for _, sound, *_ in tools.asked)
    assert first == pytest.approx(0.1 + 2.8 + 0.1, abs=0.02)
    assert second == pytest.approx(1.0 + 2 * EDGE_S, abs=0.02)


def test_versions_tell_settings_apart() -> None:
    pytest.importorskip("speechmos")
    assert Dnsmos().version != Dnsmos(every_second=True).version
