"""Trains the head that hears the end of a turn: on whole turns, and on turns broken off."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from cascadence.errors import CascadenceError
from cascadence.systems.cadence.augment import quiet_moment
from cascadence.systems.cadence.config import StageConfig
from cascadence.systems.cadence.data import (
    TurnPlan,
    as_float,
    as_int16,
    channelled,
    quiet,
    spoken,
)
from cascadence.systems.cadence.encoder import WhisperEncoder
from cascadence.systems.cadence.features import ProsodyTracker
from cascadence.systems.cadence.fitting import Plan, fit
from cascadence.systems.cadence.hearing import encoded
from cascadence.systems.cadence.model import Ears
from cascadence.systems.cadence.ragged import load_ragged, save_ragged
from cascadence.systems.cadence.symbols import SymbolTable
from cascadence.systems.cadence.turn_end import TurnEnd, end_features

__all__ = ["EndScores", "Endings", "hear_endings", "render_endings", "score_ends", "train_turn_end"]

_BREAKS = 2  # places a turn at which it is broken off
_SILENCE_S = (0.08, 0.6)


def render_endings(plans: Sequence[TurnPlan], path: Path, log: Callable[[str], None]) -> None:
    """Speaks turns, breaks them off, and writes what the ears take in.

    Args:
        plans: turns with speech; their channels are applied after the break.
        path: a `ragged` file: audio (samples,) of 16 bits at 16 kHz, prosody (frames, 3), over
            (1,): 1 where the turn is whole.
        log: told of turns that cannot be spoken.
    """
    tracker = ProsodyTracker()
    fields: dict[str, list[NDArray[Any]]] = {"audio": [], "prosody": [], "over": []}
    for plan in plans:
        rng = np.random.default_rng(plan.seed)
        try:
            speech = spoken(plan)
        except CascadenceError as error:
            log(f"left out, by {plan.voice}: {plan.text!r}: {error}")
            continue
        moments = [quiet_moment(speech, rng) for _ in range(_BREAKS)]
        breaks = sorted({at for at in moments if at is not None})
        for at in (len(speech), *breaks):
            pieces = [quiet(0.3, rng), speech[:at], quiet(rng.uniform(*_SILENCE_S), rng)]
            samples = channelled(plan, np.concatenate(pieces), (), rng)
            fields["audio"].append(as_int16(samples))
            fields["prosody"].append(tracker.track(samples).streams().astype(np.float16))
            fields["over"].append(np.array([at == len(speech)], np.float16))
    save_ragged(path, fields, {"turns": len(plans)})


@dataclass(frozen=True, slots=True, eq=False)
class Endings:
    """Turns as far as they have been heard.

    Attributes:
        features: (n, dim), as `end_features` gives them.
        over: (n,), 1 where the turn is whole.
    """

    features: Tensor
    over: Tensor


@torch.inference_mode()
def hear_endings(ears: Ears, encoder: WhisperEncoder, paths: Sequence[Path]) -> Endings:
    """Runs the ears over what `render_endings` wrote."""
    features, over = [], []
    for path in paths:
        fields, _ = load_ragged(path)
        for i in range(len(fields["over"])):
            turn = as_float(fields["audio"][i]), fields["prosody"][i]
            states = ears(*encoded(ears, encoder, [turn])).states[0]
            heard = ears.phone_head(states).argmax(-1) != SymbolTable.PAD
            features.append(end_features(states, heard))
            over.append(float(fields["over"][i][0]))
    return Endings(torch.stack(features), torch.tensor(over))


def train_turn_end(
    net: TurnEnd,
    endings: Endings,
    stage: StageConfig,
    first: int,
    save: Callable[[int], None],
    log: Callable[[str], None],
) -> None:
    """Trains in place, from step `first` on; see `fit` for `save` and `log`."""
    torch.manual_seed(stage.seed)
    rng = np.random.default_rng([stage.seed, first])

    def losses() -> dict[str, Tensor]:
        chosen = torch.from_numpy(rng.integers(0, len(endings.over), stage.batch))
        logits = net(endings.features[chosen])
        return {"loss": F.binary_cross_entropy_with_logits(logits, endings.over[chosen])}

    plan = Plan(stage.steps, stage.learning_rate, weight_decay=0.05, first=first)
    fit(net, plan, {"loss": 1.0}, losses, save, log)


@dataclass(frozen=True, slots=True)
class EndScores:
    """How well the end of a turn is told from a pause.

    Attributes:
        whole: turns that were over.
        broken: turns that were not.
        whole_found: share of the whole ones taken as over at a probability of one half.
        broken_found: share of the broken ones taken as over, wrongly.
    """

    whole: int
    broken: int
    whole_found: float
    broken_found: float


@torch.inference_mode()
def score_ends(net: TurnEnd, endings: Endings) -> EndScores:
    """Scores the head."""
    found = (net(endings.features) > 0).float()
    over = endings.over > 0.5
    return EndScores(
        int(over.sum()), int((~over).sum()), float(found[over].mean()), float(found[~over].mean())
    )
