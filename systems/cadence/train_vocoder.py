"""Trains the vocoder on aligned utterances of the reply voice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from cascadence.systems.cadence.config import StageConfig
from cascadence.systems.cadence.fitting import Plan, fit
from cascadence.systems.cadence.ragged import load_ragged
from cascadence.systems.cadence.symbols import SymbolTable
from cascadence.systems.cadence.vocoder import HOP, Vocoder, excitation, frame_map

__all__ = ["load_utterances", "spectral_loss", "train_vocoder"]

_CROP_FRAMES = 128
_WEIGHTS = {"spectral": 1.0, "f0": 0.15, "voicing": 0.15, "duration": 0.1}
_MARGIN = 3  # frames of sound on either side of a crop that overlap-add leaves incomplete


@dataclass(frozen=True, slots=True, eq=False)
class _Example:
    """One utterance, ready: padded so that any crop with its margins exists."""

    ids: Tensor
    durations: Tensor
    owner: Tensor
    place: Tensor
    audio: NDArray[np.float32]
    pulses: NDArray[np.float32]
    voiced: Tensor
    log_f0: Tensor


def load_utterances(
    paths: Sequence[Path], table: SymbolTable, log: Callable[[str], None]
) -> list[_Example]:
    """Reads files of aligned utterances (`ragged`: audio, durations, f0_hz; note: symbols).

    Args:
        paths: the files.
        table: what it lacks cannot be learnt: utterances with such symbols are left out.
        log: told of the utterances that are left out.
    """
    examples = []
    for path in paths:
        fields, note = load_ragged(path)
        for i, symbols in enumerate(note["symbols"]):
            if unknown := [symbol for symbol in symbols if symbol not in table]:
                log(f"left out of the voice's text, unknown {unknown}: {''.join(symbols)!r}")
                continue
            f0_hz = fields["f0_hz"][i].astype(np.float64)
            f0_hz = np.pad(f0_hz, (0, max(0, int(fields["durations"][i].sum()) - len(f0_hz))))
            voiced = f0_hz > 0
            if voiced.sum() < 10:
                continue
            known = np.flatnonzero(voiced)
            log_f0 = np.interp(np.arange(len(f0_hz)), known, np.log(f0_hz[known]))
            ids = [SymbolTable.BEGIN, *table.encode(symbols), SymbolTable.END]
            durations = torch.from_numpy(fields["durations"][i].copy())
            owner, place = frame_map(durations)
            last = (len(f0_hz) + 1) * HOP
            examples.append(
                _Example(
                    ids=torch.tensor(ids),
                    durations=durations.float(),
                    owner=owner,
                    place=place,
                    audio=np.pad(fields["audio"][i].astype(np.float32) / 32767, 2 * HOP),
                    pulses=np.pad(excitation(np.exp(log_f0), 0, last), (2 * HOP, HOP)),
                    voiced=torch.from_numpy(voiced.astype(np.float32)),
                    log_f0=torch.from_numpy(log_f0.astype(np.float32)),
                )
            )
    return examples


def spectral_loss(made: Tensor, real: Tensor) -> Tensor:
    """Multi-resolution STFT loss: L1 of log magnitudes, and of relative magnitudes."""
    total = torch.zeros(())
    for size, hop in ((512, 128), (1024, 256), (256, 64)):
        window = torch.hann_window(size)
        a = torch.stft(made, size, hop, window=window, return_complex=True).abs()
        b = torch.stft(real, size, hop, window=window, return_complex=True).abs()
        logs = (torch.log(a + 3e-3) - torch.log(b + 3e-3)).abs().mean()
        total = total + logs + 0.5 * (a - b).abs().mean() / b.mean().clamp(min=1e-3)
    return total / 3


@dataclass(slots=True, eq=False)
class _Batch:
    """Crops of several utterances."""

    ids: Tensor
    durations: Tensor
    owner: Tensor
    place: Tensor
    mask: Tensor
    pulses: Tensor
    audio: Tensor
    voiced: Tensor
    log_f0: Tensor


def _crops(
    examples: Sequence[_Example], frames: int, reach: int, rng: np.random.Generator
) -> _Batch:
    """Cuts one crop of each utterance; the frame network's reach is given around it."""
    count, longest = len(examples), max(len(e.ids) for e in examples)
    wide = frames + 2 * reach
    batch = _Batch(
        ids=torch.zeros(count, longest, dtype=torch.long),
        durations=torch.ones(count, longest),
        owner=torch.zeros(count, wide, dtype=torch.long),
        place=torch.zeros(count, wide, 3),
        mask=torch.zeros(count, wide, 1),
        pulses=torch.zeros(count, (frames + 3) * HOP),
        audio=torch.zeros(count, (frames + 3) * HOP),
        voiced=torch.zeros(count, frames),
        log_f0=torch.zeros(count, frames),
    )
    for row, e in enumerate(examples):
        total = len(e.owner)
        start = int(rng.integers(0, max(1, total - frames + 1)))
        stop = min(total, start + frames)
        low, high = max(0, start - reach), min(total, stop + reach)
        at = low - (start - reach)
        batch.ids[row, : len(e.ids)] = e.ids
        batch.durations[row, : len(e.ids)] = e.durations
        batch.owner[row, at : at + high - low] = e.owner[low:high]
        batch.place[row, at : at + high - low] = e.place[low:high]
        batch.mask[row, at : at + high - low] = 1
        span = slice(start * HOP, (stop + 3) * HOP)
        for target, source in ((batch.pulses, e.pulses), (batch.audio, e.audio)):
            piece = source[span]
            target[row, : len(piece)] = torch.from_numpy(piece)
        batch.voiced[row, : stop - start] = e.voiced[start:stop]
        batch.log_f0[row, : stop - start] = e.log_f0[start:stop]
    return batch


def _losses(net: Vocoder, batch: _Batch) -> dict[str, Tensor]:
    reach = net.frame_reach
    codes, log_durations = net.encode(batch.ids)
    index = batch.owner[..., None].expand(-1, -1, codes.shape[-1])
    hidden, pitch = net.shape(codes.gather(1, index), batch.place, batch.mask)
    inside = slice(reach, reach + batch.voiced.shape[1])
    mask = batch.mask[:, inside, 0]
    noise = torch.randn(batch.pulses.shape)
    made = net.sound(hidden[:, inside], batch.voiced, batch.pulses, noise)
    # Only what lies inside the utterance, and where four frames overlap, is compared.
    heard = F.pad(mask, (0, 3)).repeat_interleave(HOP, 1)
    cut = slice(_MARGIN * HOP, -_MARGIN * HOP)
    spectral = spectral_loss((made * heard)[:, cut], (batch.audio * heard)[:, cut])
    target = (batch.log_f0 - net.log_f0_mean) / net.log_f0_std
    pitch_in, voicing_in = pitch[:, inside, 0], pitch[:, inside, 1]
    share = mask.sum().clamp(min=1)
    f0 = ((pitch_in - target).abs() * mask * (0.2 + 0.8 * batch.voiced)).sum() / share
    voicing = F.binary_cross_entropy_with_logits(voicing_in, batch.voiced, reduction="none")
    known = (batch.ids != SymbolTable.PAD).float()
    off = (log_durations - torch.log(batch.durations.clamp(min=0.5))).abs()
    return {
        "spectral": spectral,
        "f0": f0,
        "voicing": (voicing * mask).sum() / share,
        "duration": (off * known).sum() / known.sum(),
    }


def train_vocoder(
    net: Vocoder,
    examples: Sequence[_Example],
    stage: StageConfig,
    first: int,
    save: Callable[[int], None],
    log: Callable[[str], None],
) -> None:
    """Trains in place, from step `first` on; see `fit` for `save` and `log`."""
    torch.manual_seed(stage.seed)
    rng = np.random.default_rng([stage.seed, first])
    f0 = torch.cat([e.log_f0[e.voiced > 0] for e in examples])
    net.log_f0_mean.fill_(float(f0.mean()))
    net.log_f0_std.fill_(float(f0.std()))

    def losses() -> dict[str, Tensor]:
        chosen = [examples[i] for i in rng.choice(len(examples), stage.batch, replace=False)]
        return _losses(net, _crops(chosen, _CROP_FRAMES, net.frame_reach, rng))

    plan = Plan(stage.steps, stage.learning_rate, first=first, warm_up=60)
    fit(net, plan, _WEIGHTS, losses, save, log)
