"""Renders turns to shards, in processes of their own."""

import functools
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from cascadence.systems.cadence.data import TurnPlan, render_shard
from cascadence.systems.cadence.train_turn_end import render_endings
from cascadence.systems.cadence.voice_data import PiperVoice
from cascadence.weights import fetch

__all__ = ["REPLY_VOICE", "load_reply_voice", "rendered", "speak", "speak_endings", "write_line"]

REPLY_VOICE = "piper-joe-medium"
_SHARD_TURNS = 500


def write_line(folder: Path, line: str) -> None:
    """Writes a line to stderr and to a folder's `train.log`."""
    stamped = f"{time.strftime('%H:%M:%S')} {line}"
    sys.stderr.write(stamped + "\n")
    with (folder / "train.log").open("a", encoding="utf-8") as file:
        file.write(stamped + "\n")


def load_reply_voice() -> PiperVoice:
    """Loads the reply voice from the weight store."""
    folder = fetch(REPLY_VOICE)
    model = next(iter(folder.glob("*.onnx")))
    return PiperVoice(model, model.with_suffix(".onnx.json"))


def speak(plans: list[TurnPlan], path: Path) -> None:
    """Renders one shard; runs in a process of its own."""
    phones = functools.cache(load_reply_voice().symbols)
    render_shard(plans, path, phones, lambda line: write_line(path.parent, line))


def speak_endings(plans: list[TurnPlan], path: Path) -> None:
    """Renders one shard of whole and broken turns; runs in a process of its own."""
    render_endings(plans, path, lambda line: write_line(path.parent, line))


def _shards(plans: list[TurnPlan]) -> list[list[TurnPlan]]:
    """Cuts plans into shards, never inside a conversation."""
    shards: list[list[TurnPlan]] = [[]]
    for plan in plans:
        if len(shards[-1]) >= _SHARD_TURNS and plan.turn == 0:
            shards.append([])
        shards[-1].append(plan)
    return shards


def rendered(
    folder: Path,
    plans: list[TurnPlan],
    render: Callable[[list[TurnPlan], Path], None],
    workers: int,
) -> list[Path]:
    """Renders what is not there yet.

    Args:
        folder: of the shards, `<name>-<hash>`; its parent has the log.
        plans: the turns.
        render: `speak` or `speak_endings`.
        workers: processes.

    Returns:
        The files, in order.
    """
    folder.mkdir(exist_ok=True)
    shards = _shards(plans)
    paths = [folder / f"{i:04d}.safetensors" for i in range(len(shards))]
    todo = [(s, p) for s, p in zip(shards, paths, strict=True) if not p.exists()]
    name = folder.name.rpartition("-")[0]
    write_line(folder.parent, f"{name}: {len(paths)} shards, {len(todo)} to render")
    with ProcessPoolExecutor(workers) as pool:
        running = [pool.submit(render, *task) for task in todo]
        for i, done in enumerate(as_completed(running), 1):
            done.result()
            write_line(folder.parent, f"{name}: {i} of {len(todo)} shards are done")
    return paths
