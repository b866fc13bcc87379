"""Acoustic conditions: planted levels, losses and bands come back, and nothing moves in time."""

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import signal

from cascadence.audio import Audio, silence
from cascadence.conditions import CLEAN, Condition, NoiseKind, PacketLoss, Room
from cascadence.degradation import (
    LossyLine,
    active_level_dbfs,
    at_level,
    clipped,
    in_room,
    mu_law,
    narrowband,
    over_telephone,
    with_losses,
)
from cascadence.degradation_channel import Surroundings, UserChannel, at_microphone
from cascadence.degradation_noise import LOOP_S, background
from cascadence.protocols import FRAME_SAMPLES, INPUT_RATE
from cascadence.systems.controls import speech_noise
from planted import tone_clip

LOSS = PacketLoss(rate=0.1, burst_packets=2.0)
EFFECTS: dict[str, Callable[[Audio], Audio]] = {
    "room": lambda audio: in_room(audio, Room(rt60_s=0.6), 1),
    "level": lambda audio: at_level(audio, -6.0),
    "clipping": lambda audio: clipped(audio, 0.05),
    "narrowband": narrowband,
    "telephone": over_telephone,
    "packet_loss": lambda audio: with_losses(audio, LOSS, 1),
}
KINDS: tuple[NoiseKind, ...] = get_args(NoiseKind)
effects = pytest.mark.parametrize("effect", list(EFFECTS.values()), ids=list(EFFECTS))


def hiss(duration_s: float = 3.0, sample_rate: int = INPUT_RATE) -> Audio:
    """White noise with a silence before, after and within."""
    samples = 0.1 * np.random.default_rng(0).standard_normal(round(duration_s * sample_rate))
    for start_s, end_s in ((0.0, 0.3), (1.0, 1.2), (duration_s - 0.4, duration_s)):
        samples[round(start_s * sample_rate) : round(end_s * sample_rate)] = 0.0
    return Audio(samples.clip(-1, 1).astype(np.float32), sample_rate)


def sine(pitch_hz: float, duration_s: float = 1.0, level: float = 0.3) -> Audio:
    times_s = np.arange(round(duration_s * INPUT_RATE)) / INPUT_RATE
    return Audio((level * np.sin(2 * np.pi * pitch_hz * times_s)).astype(np.float32), INPUT_RATE)


def power_dbfs(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.asarray(samples, dtype=np.float64) ** 2)))


def power_above_db(audio: Audio, frequency_hz: float) -> float:
    frequency, density = signal.welch(audio.samples, audio.sample_rate, nperseg=2048)
    return float(10 * np.log10(density[frequency > frequency_hz].sum() + 1e-30))


def condition(**effects_asked: Any) -> Condition:
    return Condition.model_validate({"name": "planted", **effects_asked})


def channel(asked: Condition, *clips: Audio, seed: int = 1) -> UserChannel:
    return UserChannel(*at_microphone(clips, asked, seed))


def frames(of: UserChannel, count: int) -> np.ndarray:
    return np.concatenate([of.frame() for _ in range(count)])


def spoken(of: UserChannel, index: int = 0) -> np.ndarray:
    of.begin(index)
    played = []
    while of.speaking:
        played.append(of.frame())
    return np.concatenate(played)


@effects
@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 22_050, 48_000])
def test_length_rate_and_time_stay(effect: Callable[[Audio], Audio], sample_rate: int) -> None:
    clip = hiss(sample_rate=sample_rate)
    clip = Audio(clip.samples[:-1], sample_rate)
    heard = effect(clip).check()
    assert (len(heard), heard.sample_rate) == (len(clip), sample_rate)
    likeness = signal.correlate(heard.samples, clip.samples, mode="full")
    assert int(np.argmax(likeness)) - (len(clip) - 1) == 0
    # -120 dBFS: what Fourier transforms in single precision leave.
    assert np.abs(heard.samples[: round(0.25 * sample_rate)]).max() < 1e-6


@effects
def test_silence_and_nothing_stay_so(effect: Callable[[Audio], Audio]) -> None:
    assert not effect(silence(0.5, INPUT_RATE)).samples.any()
    assert len(effect(silence(0.0, INPUT_RATE))) == 0


def test_the_level_is_exact() -> None:
    clip = hiss()
    changed_db = power_dbfs(at_level(clip, -7.5).samples) - power_dbfs(clip.samples)
    assert changed_db == pytest.approx(-7.5, abs=1e-4)
    assert np.abs(at_level(sine(300.0), 30.0).samples).max() == 1.0


def test_clipping_flattens_the_share_that_it_must() -> None:
    # A sine is above half its peak for two thirds of the time.
    heard = spoken(channel(condition(clipping_db=-6.0206), sine(440.0, level=0.8)))
    ceiling = np.abs(heard).max()
    assert ceiling == pytest.approx(0.4, abs=1e-4)
    assert np.mean(np.abs(heard) >= ceiling) == pytest.approx(2 / 3, abs=0.01)


def test_clipping_has_one_ceiling_for_the_conversation() -> None:
    heard = channel(condition(clipping_db=-6.0206), sine(440.0, level=0.8), sine(440.0, level=0.3))
    spoken(heard)
    assert np.abs(spoken(heard, 1)).max() == pytest.approx(0.3, abs=1e-3)


@pytest.mark.parametrize("effect", [over_telephone, narrowband])
def test_nothing_is_left_above_4_khz(effect: Callable[[Audio], Audio]) -> None:
    clip = hiss()
    assert power_above_db(clip, 4_100.0) - power_above_db(effect(clip), 4_100.0) > 40.0


@pytest.mark.parametrize(
    ("pitch_hz", "low_db", "high_db"),
    [(100.0, -99.0, -30.0), (320.0, -1.0, 1.0), (1000.0, -0.3, 0.3), (3300.0, -1.0, 1.0)],
)
def test_a_telephone_passes_its_band(pitch_hz: float, low_db: float, high_db: float) -> None:
    clip = sine(pitch_hz)
    inside = slice(1600, -1600)
    gain_db = power_dbfs(over_telephone(clip).samples[inside]) - power_dbfs(clip.samples[inside])
    assert low_db < gain_db < high_db


def test_mu_law_has_its_256_steps_and_its_known_values() -> None:
    # G.711 table 2a, decoder output values at both ends of the positive range.
    ramp = np.arange(-8158, 8159) / 8159
    values = np.unique(np.round(mu_law(ramp) * 8159).astype(int))
    assert len(values) == 255
    assert values[-3:].tolist() == [7519, 7775, 8031]
    assert values[values >= 0][:5].tolist() == [0, 2, 4, 6, 8]
    ratio_db = power_dbfs(ramp) - power_dbfs(mu_law(ramp) - ramp)
    assert 36.0 < ratio_db < 42.0


def test_a_room_rings_for_its_time_at_its_ratio() -> None:
    pulse = np.zeros(2 * INPUT_RATE, dtype=np.float32)
    pulse[1000] = 0.5
    heard = in_room(Audio(pulse, INPUT_RATE), Room(rt60_s=0.8, direct_db=3.0), 5).samples
    assert np.abs(heard[:1000]).max() < 1e-6
    tail = heard[1001:].astype(np.float64) ** 2
    assert 10 * np.log10(heard[1000] ** 2 / tail.sum()) == pytest.approx(3.0, abs=0.01)
    assert 10 * np.log10(heard[1000] ** 2 + tail.sum()) == pytest.approx(-6.02, abs=0.01)
    decay_db = 10 * np.log10(np.cumsum(tail[::-1])[::-1][: round(0.5 * INPUT_RATE)])
    slope_db = np.polyfit(np.arange(len(decay_db)) / INPUT_RATE, decay_db, 1)[0]
    assert -60.0 / slope_db == pytest.approx(0.8, rel=0.05)


def lost_packets(loss: PacketLoss, count: int, seed: int = 3) -> np.ndarray:
    """Which packets are lost: a constant in is a constant out, but where it fades."""
    line = LossyLine(loss, seed, INPUT_RATE)
    constant = np.full(line.packet_samples, 0.5, dtype=np.float32)
    return np.array([line.packet(constant)[-1] < 0.499 for _ in range(count)])


def test_losses_have_their_rate_and_their_bursts() -> None:
    lost = lost_packets(PacketLoss(rate=0.15, burst_packets=3.0), 40_000)
    assert lost.mean() == pytest.approx(0.15, abs=0.015)
    bursts = np.count_nonzero(np.diff(lost.astype(int), prepend=0) == 1)
    assert lost.sum() / bursts == pytest.approx(3.0, rel=0.08)


def test_what_is_lost_is_concealed_and_fades() -> None:
    loss = PacketLoss(rate=0.3, burst_packets=4.0)
    text = "".join("x" if lost else "." for lost in lost_packets(loss, 4_000))
    first = text.index(".....xxxxx.") + 5
    voice = sine(200.0, 4_000 * FRAME_SAMPLES / INPUT_RATE)
    heard = with_losses(voice, loss, 3).samples.reshape(-1, FRAME_SAMPLES)
    sent = voice.samples.reshape(-1, FRAME_SAMPLES)
    levels = np.sqrt(2 * np.mean(heard[first : first + 5] ** 2, axis=1)) / 0.3
    assert levels[:3] == pytest.approx([5 / 6, 1 / 2, 1 / 6], abs=0.04)
    assert not levels[3:].any()
    # The pitch goes on in phase: 200 Hz repeats exactly.
    assert np.corrcoef(heard[first], sent[first])[0, 1] > 0.98
    rejoined = heard[first + 5]
    assert rejoined[0] == 0.0
    np.testing.assert_array_equal(rejoined[80:], sent[first + 5][80:])


def test_a_hiss_is_concealed_too() -> None:
    clip = Audio(speech_noise(20.0, INPUT_RATE, 1).samples, INPUT_RATE)
    heard = with_losses(clip, PacketLoss(rate=0.2), 4).samples.reshape(-1, FRAME_SAMPLES)
    changed = (heard != clip.samples.reshape(-1, FRAME_SAMPLES)).all(axis=1)
    assert changed.mean() == pytest.approx(0.2, abs=0.06)
    silent = [not packet.any() for packet in heard[changed]]
    assert np.mean(silent) < 0.02


@pytest.mark.parametrize("kind", KINDS)
def test_noise_has_its_ratio_to_the_active_speech(kind: NoiseKind) -> None:
    clips = tone_clip(1.0, 0.8, 0.5), at_level(tone_clip(1.5), -3.0)
    asked = condition(noise={"kind": kind, "snr_db": 7.0})
    heard = channel(asked, *clips)
    noise = frames(heard, round(LOOP_S * INPUT_RATE / FRAME_SAMPLES))
    # Known apart from the code under test: tone_clip speaks in these spans and nowhere else.
    spans = clips[0].span(0.2, 1.2), clips[0].span(2.0, 2.5), clips[1].span(0.2, 1.7)
    speech = np.concatenate([span.samples for span in spans])
    assert power_dbfs(speech) - power_dbfs(noise) == pytest.approx(7.0, abs=0.5)
    mixed = spoken(heard)
    voice = np.pad(clips[0].samples, (0, len(mixed) - len(clips[0])))
    # The loop begins anew, so that what is under the turn is known.
    np.testing.assert_allclose(mixed - voice, noise[: len(mixed)], atol=1e-6)
    gap = mixed[round(1.4 * INPUT_RATE) : round(1.8 * INPUT_RATE)]
    assert power_dbfs(gap) == pytest.approx(power_dbfs(noise), abs=6.0)


def test_the_active_level_leaves_pauses_out() -> None:
    clip = tone_clip(1.0, 5.0, 1.0)
    speech = np.concatenate([clip.span(0.2, 1.2).samples, clip.span(6.2, 7.2).samples])
    assert active_level_dbfs([clip]) == pytest.approx(power_dbfs(speech), abs=0.3)
    assert active_level_dbfs([silence(1.0, INPUT_RATE)]) == -np.inf
    assert active_level_dbfs([]) == -np.inf


def test_noise_turns_the_voice_down_rather_than_clip_it() -> None:
    loud = sine(300.0, 2.0, level=0.95)
    heard = channel(condition(noise={"kind": "babble", "snr_db": 0.0}), loud)
    mixed = spoken(heard)
    assert np.abs(mixed).max() <= 1.0
    voices, around = at_microphone([loud], condition(noise={"kind": "babble", "snr_db": 0.0}), 1)
    assert around.background is not None
    ratio_db = power_dbfs(voices[0].samples) - power_dbfs(around.background)
    assert ratio_db == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_a_background_is_a_seamless_loop_of_unit_power(kind: NoiseKind) -> None:
    loop = background(kind, 3).astype(np.float64)
    assert len(loop) == LOOP_S * INPUT_RATE
    assert np.isfinite(loop).all()
    assert np.mean(loop**2) == pytest.approx(1.0, abs=1e-3)
    seam = abs(loop[0] - loop[-1])
    assert seam <= np.abs(np.diff(loop)).max()
    np.testing.assert_array_equal(loop, background(kind, 3))
    assert not np.array_equal(loop, background(kind, 4))


def test_babble_sounds_like_speech_and_says_nothing_alone() -> None:
    """Most power between 100 Hz and 4 kHz, no second of silence, no talker that stands out."""
    loop = background("babble", 0).astype(np.float64)
    frequency, density = signal.welch(loop, INPUT_RATE, nperseg=2048)
    inside = (frequency > 100) & (frequency < 4_000)
    assert density[inside].sum() / density.sum() > 0.9
    seconds_db = 10 * np.log10(np.mean(loop.reshape(-1, INPUT_RATE) ** 2, axis=1))
    assert np.abs(seconds_db).max() < 3.0


def test_a_speech_detector_takes_babble_for_speech_and_a_street_for_none() -> None:
    pytest.importorskip("silero_vad")
    from cascadence.systems.vad import SileroVad

    def share(kind: NoiseKind) -> float:
        vad = SileroVad()
        vad.load()
        heard = (0.03 * background(kind, 1)[: 5 * INPUT_RATE]).reshape(-1, FRAME_SAMPLES)
        return float(np.mean([vad.probability(Audio(f, INPUT_RATE)) > 0.5 for f in heard]))

    assert share("babble") > 0.9
    assert share("street") < 0.1


NOISY_PHONE = {
    "room": {"rt60_s": 0.3},
    "noise": {"kind": "pink", "snr_db": 15},
    "telephone": True,
    "packet_loss": {"rate": 0.1},
}


def test_the_same_seed_gives_the_same_samples_and_another_does_not() -> None:
    asked = condition(**NOISY_PHONE)
    first, again, other = (spoken(channel(asked, hiss(), seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_all_effects_together_move_nothing_and_hold_no_nan() -> None:
    asked = condition(**NOISY_PHONE, level_db=-3, clipping_db=-10, narrowband=True)
    clip = hiss()
    heard = spoken(channel(asked, clip))
    assert np.isfinite(heard).all()
    likeness = signal.correlate(heard, clip.samples, mode="full")
    assert int(np.argmax(likeness)) - (len(clip) - 1) == 0
    quiet = spoken(channel(asked, silence(1.0, INPUT_RATE)))
    assert np.isfinite(quiet).all()
    assert quiet.any()


def test_a_coded_background_goes_over_into_a_turn_without_a_step() -> None:
    asked = condition(noise={"kind": "pink", "snr_db": 20}, telephone=True)
    clips = [tone_clip(1.0)]
    quiet, heard = (UserChannel(*at_microphone(clips, asked, 1)) for _ in range(2))
    before, alone = frames(heard, 50), frames(quiet, 150)
    np.testing.assert_array_equal(before, alone[: len(before)])
    mixed = spoken(heard)
    lead = slice(0, round(0.15 * INPUT_RATE))
    np.testing.assert_allclose(mixed[lead], alone[len(before) :][lead], atol=1e-3)
    after = frames(heard, 10)
    start = len(before) + len(mixed)
    np.testing.assert_array_equal(after, alone[start : start + len(after)])


def test_the_clean_channel_is_the_clip_and_silence() -> None:
    clip = hiss(1.01)
    heard = channel(CLEAN, clip)
    assert not frames(heard, 3).any()
    np.testing.assert_array_equal(spoken(heard)[: len(clip)], clip.samples)
    assert not heard.frame().any()
    _, around = at_microphone([clip], CLEAN, 1)
    assert around == Surroundings() or around.background is None


def test_shorthands_say_what_they_are() -> None:
    assert Condition.model_validate("clean") == CLEAN
    assert Condition.model_validate("telephone").telephone
    babble = Condition.model_validate("babble_10db")
    assert babble.effects == {"noise": {"kind": "babble", "snr_db": 10.0}}
    assert Condition.model_validate("street_-5db").effects["noise"]["snr_db"] == -5.0
    for name in ("clean", "room", "packet_loss", "music_0db"):
        entry = Condition.model_validate(name)
        assert Condition.model_validate(entry.model_dump(mode="json")) == entry


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        ("bable_10db", "no condition is called 'bable_10db'"),
        ({"name": "nothing"}, "has no effects"),
        ({"name": "clean", "telephone": True}, "choose another name"),
        ({"name": "a/b", "telephone": True}, "pattern"),
        ({"name": "x", "noise": {"kind": "rain", "snr_db": 3}}, "noise.kind"),
        ({"name": "x", "noise": {"kind": "pink", "snr_db": float("nan")}}, "noise.snr_db"),
        ({"name": "x", "packet_loss": {"rate": 0.8}}, "burst_packets of 4 or more"),
        ({"name": "x", "echo": True}, "Extra inputs"),
    ],
)
def test_a_wrong_condition_is_refused(entry: Any, what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        Condition.model_validate(entry)
