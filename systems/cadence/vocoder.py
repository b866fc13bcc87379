"""The voice: phonemes → durations, F0 and voicing → harmonics plus noise, filtered → audio.

Differentiable DSP (Engel et al., arXiv 2001.04643): a band-limited pulse train at F0 and white
noise are cut into windows of 20 ms, every 5 ms, and shaped by filters that a small convolutional
network predicts, two of either kind a frame of 10 ms. Layers look a bounded number of symbols or
frames ahead, so a streamed utterance equals the whole one.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

from cascadence.systems.cadence.symbols import SymbolTable

__all__ = ["HOP", "ReplyStyle", "Vocoder", "VocoderStream", "excitation", "frame_map"]

SAMPLE_RATE = 16000
HOP = 160
_FFT = 640
_WINDOW = 320
_FILTERS_A_FRAME = 2
_FILTER_HOP = HOP // _FILTERS_A_FRAME
_HARMONIC_BANDS = 64
_NOISE_BANDS = 24
_OVERLAP_GAIN = 2.0  # sum of Hann windows at 75 % overlap
_TOP_HARMONIC_HZ = 7800.0
_SYMBOL_KERNEL = 5
_FRAME_KERNEL = 7


@dataclass(frozen=True, slots=True)
class ReplyStyle:
    """How a reply departs from the voice's neutral reading.

    Attributes:
        rate: speed factor; above 1 is faster.
        shift_semitones: added to the F0 contour.
        range_factor: scales the F0 contour's excursions from its mean.
        gain_db: added to the level.
    """

    rate: float = 1.0
    shift_semitones: float = 0.0
    range_factor: float = 1.0
    gain_db: float = 0.0


def _band_matrix(bands: int) -> Tensor:
    """Builds linear interpolation from a mel grid to FFT bins, (bands, fft // 2 + 1)."""
    top = 2595 * math.log10(1 + SAMPLE_RATE / 2 / 700)
    centres = 700 * (10 ** (np.linspace(0, top, bands) / 2595) - 1)
    bins = np.linspace(0, SAMPLE_RATE / 2, _FFT // 2 + 1)
    matrix = np.stack([np.interp(bins, centres, row) for row in np.eye(bands)])
    return torch.from_numpy(matrix.astype(np.float32))


def excitation(f0_hz: NDArray[np.float64], first: int, last: int) -> NDArray[np.float32]:
    """Samples [first, last) of a band-limited pulse train (the Dirichlet kernel in closed form).

    Args:
        f0_hz: F0 of every frame from the beginning, positive, interpolated where unvoiced.
        first: first sample, at 16 kHz.
        last: sample after the last.

    Returns:
        (last - first,), unit power whatever the pitch. The phase depends on the frames before.
    """
    times = np.arange(last) / HOP
    f0 = np.interp(times, np.arange(len(f0_hz)), f0_hz)
    phase = (2 * np.pi * np.cumsum(f0) / SAMPLE_RATE)[first:]
    harmonics = np.floor(_TOP_HARMONIC_HZ / f0[first:])
    half = np.sin(phase / 2)
    half = np.where(np.abs(half) < 1e-9, 1e-9, half)
    pulses = np.sin((harmonics + 0.5) * phase) / (2 * half) - 0.5
    return np.asarray(pulses / np.sqrt(harmonics), np.float32)


def frame_map(durations: Tensor) -> tuple[Tensor, Tensor]:
    """Spreads symbols over frames.

    Args:
        durations: (symbols,) whole frames each.

    Returns:
        The symbol of each frame (frames,), and where in it the frame lies (frames, 3): the share
        passed, the duration in tenths of a second, its inverse.
    """
    owner = torch.repeat_interleave(torch.arange(len(durations)), durations)
    start = torch.cumsum(durations, 0) - durations
    length = durations[owner].float()
    place = (torch.arange(len(owner)) - start[owner] + 0.5) / length
    return owner, torch.stack([place, length / 10, 1 / length], 1)


class _Block(nn.Module):
    """A ConvNeXt block over time (arXiv 2201.03545), without a norm across time."""

    def __init__(self, dim: int, kernel: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(dim, dim, kernel, padding=kernel // 2, groups=dim)
        self.norm = nn.LayerNorm(dim)
        self.wide = nn.Linear(dim, 2 * dim)
        self.narrow = nn.Linear(2 * dim, dim)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        hidden = self.depthwise((x * mask).transpose(1, 2)).transpose(1, 2)
        hidden = self.narrow(F.gelu(self.wide(self.norm(hidden))))
        out: Tensor = (x + hidden) * mask
        return out


class Vocoder(nn.Module):
    """Phonemes to sound.

    Attributes:
        symbol_reach: symbols on either side that a symbol's code depends on.
        frame_reach: frames on either side that a frame's filters depend on.
        log_f0_mean: of the training speech, natural logarithm of Hz.
        log_f0_std: its standard deviation.
    """

    log_f0_mean: Tensor
    log_f0_std: Tensor
    window: Tensor
    harmonic_bands: Tensor
    noise_bands: Tensor

    def __init__(self, symbols: int, dim: int = 256, symbol_blocks: int = 4, frame_blocks: int = 6):
        """Builds the network.

        Args:
            symbols: ids in the symbol table, the special ones included.
            dim: width.
            symbol_blocks: convolution blocks over symbols.
            frame_blocks: convolution blocks over frames.
        """
        super().__init__()
        self.symbol_reach = symbol_blocks * (_SYMBOL_KERNEL // 2)
        self.frame_reach = frame_blocks * (_FRAME_KERNEL // 2)
        self.embedding = nn.Embedding(symbols, dim, padding_idx=SymbolTable.PAD)
        self.symbol_blocks = nn.ModuleList(
            _Block(dim, _SYMBOL_KERNEL) for _ in range(symbol_blocks)
        )
        self.duration = nn.Linear(dim, 1)
        self.place = nn.Linear(3, dim)
        self.frame_blocks = nn.ModuleList(_Block(dim, _FRAME_KERNEL) for _ in range(frame_blocks))
        self.norm = nn.LayerNorm(dim)
        self.pitch = nn.Linear(dim, 2)
        self.filters = nn.Linear(dim, _FILTERS_A_FRAME * (_HARMONIC_BANDS + _NOISE_BANDS))
        nn.init.constant_(self.filters.bias, -3.0)
        self.register_buffer("log_f0_mean", torch.tensor(math.log(90.0)))
        self.register_buffer("log_f0_std", torch.tensor(0.2))
        self.register_buffer("window", torch.hann_window(_WINDOW), persistent=False)
        self.register_buffer("harmonic_bands", _band_matrix(_HARMONIC_BANDS), persistent=False)
        self.register_buffer("noise_bands", _band_matrix(_NOISE_BANDS), persistent=False)

    def encode(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Codes symbols: (batch, symbols) → codes (…, dim) and log durations in frames (…)."""
        mask = (ids != SymbolTable.PAD)[..., None].float()
        codes = self.embedding(ids)
        for block in self.symbol_blocks:
            codes = block(codes, mask)
        return codes, self.duration(codes)[..., 0]

    def shape(self, codes: Tensor, place: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Codes frames.

        Args:
            codes: (batch, frames, dim), the code of each frame's symbol.
            place: (batch, frames, 3), as `frame_map` gives it.
            mask: (batch, frames, 1), 0 outside the utterance.

        Returns:
            Hidden frames (batch, frames, dim); z-scored log F0 and voicing logit (…, 2).
        """
        hidden = (codes + self.place(place)) * mask
        for block in self.frame_blocks:
            hidden = block(hidden, mask)
        hidden = self.norm(hidden)
        return hidden, self.pitch(hidden)

    def sound(self, hidden: Tensor, voicing: Tensor, pulses: Tensor, noise: Tensor) -> Tensor:
        """Filters excitation.

        Args:
            hidden: (batch, frames, dim).
            voicing: (batch, frames), 0 to 1, gates the harmonics.
            pulses: (batch, frames · 160 + 480): from 320 samples before the first frame.
            noise: the same shape as `pulses`, unit variance.

        Returns:
            (batch, frames · 160 + 480) from 320 samples before the first frame; only samples
            that four frames overlap are complete.
        """
        batch, length = pulses.shape
        count = _FILTERS_A_FRAME * hidden.shape[1]
        logs = self.filters(hidden).view(batch, count, -1).clamp(-14, 6)
        gate = voicing.repeat_interleave(_FILTERS_A_FRAME, 1)[..., None]
        harmonic = torch.exp(logs[..., :_HARMONIC_BANDS] @ self.harmonic_bands)
        breath = torch.exp(logs[..., _HARMONIC_BANDS:] @ self.noise_bands)
        spectrum = harmonic * self._spectra(pulses, count) * gate
        spectrum = spectrum + breath * self._spectra(noise * 0.1, count)
        pieces = torch.fft.irfft(spectrum, _FFT) / _OVERLAP_GAIN
        whole = (count - 1) * _FILTER_HOP + _FFT
        folded = F.fold(pieces.transpose(1, 2), (1, whole), (1, _FFT), stride=(1, _FILTER_HOP))
        return folded.view(batch, whole)[:, :length]

    def _spectra(self, samples: Tensor, count: int) -> Tensor:
        """Cuts out windows, the first around the first frame's beginning, each padded to `_FFT`."""
        margin = (_FFT - _WINDOW) // 2
        windows = samples[:, margin:].unfold(-1, _WINDOW, _FILTER_HOP)[:, :count] * self.window
        spectra: Tensor = torch.fft.rfft(F.pad(windows, (margin, margin)), _FFT)
        return spectra


class VocoderStream:
    """Speaks symbols as they come; the chunks, joined, are the whole utterance.

    The first chunk leaves as soon as symbols up to the network's reach are known.
    """

    def __init__(self, vocoder: Vocoder, style: ReplyStyle | None = None, seed: int = 0) -> None:
        """Begins an utterance.

        Args:
            vocoder: the network, in evaluation mode.
            style: the reply's style, fixed for the utterance; the voice's own reading if None.
            seed: of the noise.
        """
        self._net = vocoder
        self._style = style or ReplyStyle()
        self._random = np.random.default_rng(seed)
        self._ids = [SymbolTable.BEGIN]
        self._durations: list[int] = []
        self._elapsed_frames = 0.0
        self._f0_hz = np.zeros(0)
        self._voicing = np.zeros(0, np.float32)
        self._noise = np.zeros(2 * HOP, np.float32)
        self._sent_frames = 0

    @torch.inference_mode()
    def push(self, ids: list[int], *, final: bool = False) -> NDArray[np.float32]:
        """Adds symbols.

        Args:
            ids: symbol ids, begin and end not included.
            final: whether the utterance ends with these.

        Returns:
            The samples, at 16 kHz, that no later symbol can change; may be empty.
        """
        self._ids.extend(ids)
        if final:
            self._ids.append(SymbolTable.END)
        codes, log_durations = self._net.encode(torch.tensor([self._ids]))
        known = len(self._ids) if final else len(self._ids) - self._net.symbol_reach
        for log_frames in log_durations[0, len(self._durations) : max(known, 0)].tolist():
            before = math.floor(self._elapsed_frames + 0.5)
            frames = min(max(math.exp(log_frames), 0.8), 60.0) / self._style.rate
            self._elapsed_frames += frames
            self._durations.append(math.floor(self._elapsed_frames + 0.5) - before)
        return self._emit(codes, final)

    def _emit(self, codes: Tensor, final: bool) -> NDArray[np.float32]:
        """Computes the frames that are settled, and the samples that they settle."""
        owner, place = frame_map(torch.tensor(self._durations, dtype=torch.long))
        total = len(owner)
        settled = total if final else total - self._net.frame_reach
        shaped = settled if final else settled - 2  # its excitation reaches two frames ahead
        ready = shaped if final else shaped - 2  # and its samples overlap two frames more
        if ready <= self._sent_frames:
            return np.zeros(0, np.float32)
        first = max(0, self._sent_frames - 2)
        begin = max(0, min(first, len(self._f0_hz)) - self._net.frame_reach)
        mask = torch.ones(1, total - begin, 1)
        hidden, pitch = self._net.shape(codes[:, owner[begin:]], place[None, begin:], mask)
        self._extend_pitch(pitch[0, len(self._f0_hz) - begin : settled - begin].numpy(), settled)
        low, high = (first - 2) * HOP, (shaped + 1) * HOP
        pulses = np.pad(excitation(self._f0_hz, max(low, 0), high), (max(-low, 0), 0))
        wave = self._net.sound(
            hidden[:, first - begin : shaped - begin],
            torch.from_numpy(self._voicing[first:shaped])[None],
            torch.from_numpy(pulses)[None],
            torch.from_numpy(self._noise[low + 2 * HOP : high + 2 * HOP])[None],
        )[0].numpy()
        chunk = wave[self._sent_frames * HOP - low : ready * HOP - low]
        self._sent_frames = ready
        return _limit(chunk * np.float32(10 ** (self._style.gain_db / 20)))

    def _extend_pitch(self, pitch: NDArray[np.float32], settled: int) -> None:
        """Appends F0, voicing and noise of new frames."""
        mean, std = float(self._net.log_f0_mean), float(self._net.log_f0_std)
        excursion = pitch[:, 0].astype(np.float64) * std * self._style.range_factor
        shift = self._style.shift_semitones * math.log(2) / 12
        f0_hz = np.clip(np.exp(mean + excursion + shift), 40.0, 500.0)
        self._f0_hz = np.concatenate([self._f0_hz, f0_hz])
        voicing = 1 / (1 + np.exp(-2 * pitch[:, 1]))
        self._voicing = np.concatenate([self._voicing, voicing.astype(np.float32)])
        missing = (settled + 3) * HOP - len(self._noise)
        fresh = self._random.standard_normal(missing).astype(np.float32)
        self._noise = np.concatenate([self._noise, fresh])


def _limit(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bends peaks above 0.7 smoothly below 1; quieter samples stay as they are."""
    peak = np.abs(samples)
    bent = 0.7 + 0.29 * np.tanh((peak - 0.7) / 0.29)
    return np.where(peak > 0.7, np.sign(samples) * bent, samples).astype(np.float32)
