"""The training loop that ears, decoder and vocoder share: steps, rates, checkpoints, curves."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

__all__ = ["Plan", "fit", "learning_rate_share"]

_SAVE_EVERY_S = 240.0
_LOG_EVERY = 50
_SMOOTHING = 0.98


@dataclass(frozen=True, slots=True)
class Plan:
    """How a network is trained.

    Attributes:
        steps: in all, those before an interruption included.
        learning_rate: at its top.
        weight_decay: decoupled, of both optimisers.
        warm_up: steps until the top; again after an interruption, as the optimisers start anew.
        first: step to begin with, 0 unless the run goes on from a checkpoint.
    """

    steps: int
    learning_rate: float
    weight_decay: float = 0.02
    warm_up: int = 150
    first: int = 0


def learning_rate_share(step: int, plan: Plan) -> float:
    """Returns the share of the top rate at a step: linear warm-up, then a cosine down to 3 %."""
    rise = min(1.0, (step - plan.first + 1) / plan.warm_up)
    return rise * (0.03 + 0.97 * (1 + math.cos(math.pi * step / plan.steps)) / 2)


def _optimisers(net: nn.Module, plan: Plan) -> list[torch.optim.Optimizer]:
    """Builds Muon (arXiv 2502.16982) for the matrices of stacked layers, AdamW for the rest."""
    stacks = [child for child in net.children() if isinstance(child, nn.ModuleList)]
    hidden = {id(p) for stack in stacks for p in stack.parameters() if p.ndim == 2}
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in trained if id(parameter) in hidden]
    others = [parameter for parameter in trained if id(parameter) not in hidden]
    rate, decay = plan.learning_rate, plan.weight_decay
    found: list[torch.optim.Optimizer] = []
    if matrices:
        found.append(
            torch.optim.Muon(
                matrices, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw", ns_steps=4
            )
        )
    if others:
        found.append(torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.98), weight_decay=decay))
    return found


def fit(
    net: nn.Module,
    plan: Plan,
    weights: Mapping[str, float],
    losses: Callable[[], Mapping[str, Tensor]],
    save: Callable[[int], None],
    log: Callable[[str], None],
) -> None:
    """Trains in place.

    Args:
        net: its stacked layers are its `ModuleList` children; in evaluation mode at the end.
        plan: steps and rates.
        weights: of the losses that are minimised; others are only logged.
        losses: draws a batch and returns its losses, by name.
        save: told the steps done, every four minutes and at the end.
        log: takes the lines of a CSV file: step, seconds, smoothed losses.
    """
    optimisers = _optimisers(net, plan)
    began = saved = time.monotonic()
    smooth: dict[str, float] = {}
    net.train()
    for step in range(plan.first, plan.steps):
        share = learning_rate_share(step, plan)
        found = losses()
        total = torch.stack([weights[name] * found[name] for name in weights]).sum()
        for optimiser in optimisers:
            optimiser.zero_grad()
            for group in optimiser.param_groups:
                group["lr"] = plan.learning_rate * share
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        for optimiser in optimisers:
            optimiser.step()
        if not smooth:
            smooth = {name: value.item() for name, value in found.items()}
            log("step,seconds," + ",".join(smooth))
        for name, value in found.items():
            smooth[name] = _SMOOTHING * smooth[name] + (1 - _SMOOTHING) * value.item()
        now = time.monotonic()
        if (step + 1) % _LOG_EVERY == 0:
            values = ",".join(f"{value:.4f}" for value in smooth.values())
            log(f"{step + 1},{now - began:.0f},{values}")
        if now - saved > _SAVE_EVERY_S:
            save(step + 1)
            saved = now
    net.eval()
    save(plan.steps)
