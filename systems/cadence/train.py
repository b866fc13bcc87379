"""`cascadence train cadence`: from an empty folder to weights, stage by stage."""

import functools
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch

from cascadence.data_manifests.assistant.intents import REPLY_DECLINED
from cascadence.systems.cadence.bundle import Bundle, read_config, save_bundle
from cascadence.systems.cadence.config import TrainConfig, load_config, smoke_config
from cascadence.systems.cadence.evaluate import decline_scores, evaluate_replies
from cascadence.systems.cadence.hearing import hear_all
from cascadence.systems.cadence.model import Decoder, Ears
from cascadence.systems.cadence.rejection import Rejection, limits_for
from cascadence.systems.cadence.spelling import spelling_table
from cascadence.systems.cadence.stages import Stages
from cascadence.systems.cadence.style import StyleStatistics
from cascadence.systems.cadence.symbols import SymbolTable
from cascadence.systems.cadence.train_decoder import HeardTurns, rendered_lessons
from cascadence.systems.cadence.train_ears import ear_targets, score_ears
from cascadence.systems.cadence.train_turn_end import score_ends

__all__ = ["main"]


def _train_voice(config: TrainConfig, folder: Path, symbols: Sequence[str]) -> None:
    """Trains the vocoder, in a process of its own."""
    torch.set_num_threads(1)
    Stages(config, folder).vocoder(SymbolTable(symbols))


def _rejection(stages: Stages, ears: Ears, decoder: Decoder, table: SymbolTable) -> Rejection:
    """Sets the threshold by requests of the domain, of combinations that were not trained on."""
    symbols = tuple(stages.reply_voice().symbols(REPLY_DECLINED))
    sounds, plans = stages.requests(ears)
    known = [i for i, plan in enumerate(plans) if plan.reply != REPLY_DECLINED]
    scores, unsure = decline_scores(ears, decoder, sounds, known, table.encode(symbols))
    threshold, slope = (round(each, 2) for each in limits_for(scores, unsure))
    stages.log(f"declines over {threshold} + {slope} ln(unsure) nats, by {len(known)} hearings")
    return Rejection(symbols, threshold, slope)


def main(config_path: Path | None, out_dir: Path, smoke: bool = False) -> Path:
    """Runs every stage that is not done yet.

    Args:
        config_path: a YAML file with fields of `TrainConfig` that differ from the defaults;
            unused with `smoke`.
        out_dir: for stages and logs, and, in `weights/`, the result.
        smoke: shrinks everything to about three minutes: 20 turns that must be learned by heart.

    Returns:
        The folder with `cadence.safetensors` and `cadence.json`.
    """
    torch.set_num_threads(1)
    if smoke:
        config = smoke_config()
    else:
        config = TrainConfig() if config_path is None else load_config(config_path)
    out_dir.mkdir(parents=True, exist_ok=True)
    stages = Stages(config, out_dir)
    lessons = stages.speech("train")
    table = stages.symbols(lessons)
    # The vocoder needs nothing of what the others hear: it has the second core to itself until the
    # ears are done. Then two threads make 1.7 times as many of the decoder's steps as one.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        voiced = pool.submit(_train_voice, config, out_dir, table.symbols)
        ears, vocabulary, targets = stages.ears(lessons, table)
        turn_end = stages.turn_end(ears)
        voiced.result()
    sample = range(min(len(lessons), 200))  # of the domain's: these come first again below
    del lessons  # gigabytes of samples
    torch.set_num_threads(config.speech.workers)
    decoder, heard, lessons = stages.decoder(ears, table)
    torch.set_num_threads(1)
    vocoder = stages.vocoder(table)
    learned = evaluate_replies(ears, decoder, heard, sample)
    stages.log(f"training turns written exactly: {learned.exact} of {learned.turns}")
    training: dict[str, Any] = {
        "config": config.model_dump(mode="json") | {"start": None},
        "learned": asdict(learned),
    }
    if config.start is not None:
        before = read_config(config.start)
        training["start"] = {"sha256": before["sha256"], "training": before["training"]}
    if config.speech.evaluation:
        fresh = stages.speech("test")
        statistics = (targets.style_mean, targets.style_std)
        wanted = ear_targets(fresh, table, vocabulary, statistics)
        sounds = hear_all(ears, stages.encoder, fresh, stages.log)
        heard_fresh = HeardTurns(sounds, rendered_lessons(fresh, table))
        training["ears"] = asdict(
            score_ears(ears, stages.encoder, fresh, wanted, range(len(fresh)))
        )
        training["replies"] = asdict(evaluate_replies(ears, decoder, heard_fresh))
    if config.endings.evaluation:
        fresh_ends = stages.endings(ears, "test", config.endings.evaluation)
        training["turn_end"] = asdict(score_ends(turn_end, fresh_ends))
    phones = functools.cache(stages.reply_voice().symbols)
    replies = {p.reply: r for p, r in zip(lessons.plans, lessons.replies, strict=True) if p.reply}
    spelled_before = stages.start.spelling if stages.start else {}
    bundle = Bundle(
        ears=ears,
        decoder=decoder,
        vocoder=vocoder,
        turn_end=turn_end,
        table=table,
        words=vocabulary,
        spelling=spelling_table(replies.items(), phones) | spelled_before,
        statistics=StyleStatistics.of(targets.style_mean, targets.style_std),
        rejection=_rejection(stages, ears, decoder, table),
        training=training,
    )
    save_bundle(out_dir / "weights", bundle)
    return out_dir / "weights"
