"""Cadence's voice: streamed as whole, at the pitch and the pace that are asked for."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from cascadence.systems.cadence.vocoder import (  # noqa: E402
    ReplyStyle,
    Vocoder,
    VocoderStream,
    excitation,
)


@pytest.mark.parametrize("size", [1, 3, 7])
def test_streamed_vocoder_equals_whole(size: int) -> None:
    torch.manual_seed(3)
    net = Vocoder(40, dim=32).eval()
    ids = [int(i) for i in torch.randint(3, 40, (60,))]
    style = ReplyStyle(rate=0.9, shift_semitones=2.0, range_factor=1.5, gain_db=3.0)
    whole = VocoderStream(net, style).push(ids, final=True)
    stream = VocoderStream(net, style)
    chunks = [
        stream.push(ids[i : i + size], final=i + size >= len(ids)) for i in range(0, 60, size)
    ]
    streamed = np.concatenate(chunks)
    assert sum(len(chunk) > 0 for chunk in chunks) > 1
    assert streamed.shape == whole.shape
    assert np.abs(streamed - whole).max() < 1e-3


def flat_vocoder(log_gain: float) -> Vocoder:
    """Filters that are flat and alike, and open where the first of the hidden numbers is 1."""
    net = Vocoder(40, dim=8).eval().requires_grad_(False)
    net.filters.weight.zero_()
    net.filters.weight[:, 0] = -log_gain
    net.filters.bias.fill_(log_gain)
    return net


def test_flat_filters_let_the_excitation_through() -> None:
    torch.manual_seed(1)
    pulses = torch.randn(1, 20 * 160 + 480)
    made = flat_vocoder(0.0).sound(
        torch.zeros(1, 20, 8), torch.ones(1, 20), pulses, torch.zeros_like(pulses)
    )
    assert made.shape == pulses.shape
    assert (made - pulses)[:, 480:-480].abs().max() < 1e-4


def test_a_frame_is_heard_for_25_ms() -> None:
    hidden = torch.zeros(1, 20, 8)
    hidden[0, 10, 0] = 1
    pulses = torch.ones(1, 20 * 160 + 480)
    made = flat_vocoder(-12.0).sound(hidden, torch.ones(1, 20), pulses, torch.zeros_like(pulses))
    heard = (made[0].abs() > 0.01).nonzero()
    first, last = 320 + 1600 - 160, 320 + 1600 + 80 + 160
    assert first <= int(heard.min())
    assert int(heard.max()) <= last
    assert float(made.max()) == pytest.approx((1 + np.cos(np.pi / 4)) / 2, abs=1e-3)


def test_excitation_has_the_pitch_that_is_asked_for() -> None:
    pulses = excitation(np.full(100, 125.0), 0, 16000)
    spectrum = np.abs(np.fft.rfft(pulses * np.hanning(16000)))
    assert int(spectrum[50:200].argmax()) + 50 == 125


def test_rate_scales_duration() -> None:
    torch.manual_seed(3)
    net = Vocoder(40, dim=32).eval()
    net.duration.bias.data.fill_(2.5)
    ids = list(range(3, 33))
    slow, fast = (
        len(VocoderStream(net, ReplyStyle(rate=rate)).push(ids, final=True)) for rate in (0.8, 1.2)
    )
    assert slow / fast == pytest.approx(1.5, rel=0.02)
