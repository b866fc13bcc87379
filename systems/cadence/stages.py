"""The stages of a training run, each cached under a hash of its settings and of what it builds on.

What is there is not done again, and a changed setting is never mixed with old files. Networks are
checkpointed every four minutes; a stage that was cut short goes on from its checkpoint.
"""

import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cascadence.data_manifests.assistant.outside import more_lines
from cascadence.errors import CascadenceError
from cascadence.systems.cadence.bundle import Bundle, load_bundle, read_config
from cascadence.systems.cadence.config import SpeechConfig, TrainConfig
from cascadence.systems.cadence.data import Lessons, TurnPlan, plan_outside, plan_turns
from cascadence.systems.cadence.encoder import WHISPER, WhisperEncoder, load_encoder
from cascadence.systems.cadence.hearing import Sounds, hear_all, hear_shards, joined
from cascadence.systems.cadence.lessons_batch import EarTargets, words_of
from cascadence.systems.cadence.model import Decoder, Ears
from cascadence.systems.cadence.ragged import save_ragged
from cascadence.systems.cadence.regroup import regroup, regrouped_lessons
from cascadence.systems.cadence.rendering import (
    load_reply_voice,
    rendered,
    speak,
    speak_endings,
    write_line,
)
from cascadence.systems.cadence.symbols import SymbolTable, canonical
from cascadence.systems.cadence.train_decoder import (
    HeardTurns,
    ReplyLesson,
    rendered_lessons,
    train_decoder,
)
from cascadence.systems.cadence.train_ears import ear_targets, train_ears
from cascadence.systems.cadence.train_turn_end import Endings, hear_endings, train_turn_end
from cascadence.systems.cadence.train_vocoder import load_utterances, train_vocoder
from cascadence.systems.cadence.turn_end import TurnEnd
from cascadence.systems.cadence.vocoder import Vocoder
from cascadence.systems.cadence.voice_data import PiperVoice, reply_sentences, word_salads
from cascadence.weights import fetch

__all__ = ["Stages"]

_NETWORKS = ("ears", "decoder", "vocoder", "turn_end")
# The ears' dropout while the decoder's lessons are heard, once each. Strangers' phonemes are heard
# with .042 errors; those of the training voices with .006, at dropout .1, .2 and .3 with .013, .032
# and .071.
_UNSURE = (0.15, 0.25)
# How often a training voice is drawn. Formant synthesis is cheap and various, but people do not
# sound like it; neural voices do, and there are many, but each sentence takes 1.7 s.
_VOICE_WEIGHT = {"flite": 20, "pico": 20, "espeak": 6, "kokoro": 1}
_Network = TypeVar("_Network", bound=nn.Module)


class Stages:
    """One run's stages and its log."""

    def __init__(self, config: TrainConfig, folder: Path) -> None:
        """Takes the configuration, and the folder for files and `train.log`.

        Raises:
            CascadenceError: if a network is to be kept as it is, but the run begins with none.
        """
        self._config, self._folder = config, folder
        kept = [name for name in _NETWORKS if not getattr(config, name).steps]
        if kept and config.start is None:
            raise CascadenceError(f"no weights to keep: {', '.join(kept)} of 0 steps, no start")
        self.start: Bundle | None = load_bundle(config.start) if config.start else None
        self._origin = (read_config(config.start)["sha256"],) if config.start else ()
        self._voice: PiperVoice | None = None

    @functools.cached_property
    def encoder(self) -> WhisperEncoder:
        """The encoder as it comes from the weight store, without the ears' changes."""
        return load_encoder()

    def log(self, line: str) -> None:
        """Writes a line to stderr and to `train.log`."""
        write_line(self._folder, line)

    def _curve(self, name: str) -> Callable[[str], None]:
        """Returns a log for a loss curve, `<name>.csv`."""
        path = self._folder / f"{name}.csv"

        def write(line: str) -> None:
            with path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
            sys.stderr.write(f"{name}: {line}\n")

        return write

    def reply_voice(self) -> PiperVoice:
        """Loads the reply voice once."""
        if self._voice is None:
            self._voice = load_reply_voice()
        return self._voice

    def key(self, stage: str) -> str:
        """Returns the hash of a stage's settings and of everything before it."""
        c = self._config
        speech = c.speech.fingerprint()
        ears = c.ears.fingerprint(speech, *self._origin)
        voice = c.voice.fingerprint()
        outside = c.speech.fingerprint(str(c.decoder.outside), *more_lines())
        return {
            "speech": speech,
            "voice": voice,
            "vocoder": c.vocoder.fingerprint(voice, speech, *self._origin),
            "ears": ears,
            "decoder": c.decoder.fingerprint(ears, outside, self._decoder_settings().fingerprint()),
            "outside": outside,
            "endings": c.endings.fingerprint(speech),
            "turn_end": c.turn_end.fingerprint(ears, c.endings.fingerprint(speech)),
        }[stage]

    def speech(self, split: Literal["train", "test"]) -> Lessons:
        """Speaks the user turns of a split with its voices."""
        return Lessons(self._speech(split, self._config.speech))

    def _speech(self, split: Literal["train", "test"], settings: SpeechConfig) -> list[Path]:
        count = settings.utterances if split == "train" else settings.evaluation
        plans = self._plans(settings, split, count)
        return self._rendered(f"speech-{split}", settings.fingerprint(), plans)

    def _decoder_settings(self) -> SpeechConfig:
        """Returns the settings of the requests that the decoder is trained on."""
        settings, count = self._config.speech, self._config.decoder.utterances
        if not count:
            return settings
        return settings.model_copy(update={"utterances": count, "seed": settings.seed + 1})

    def decoder_speech(self) -> tuple[list[Path], list[Path]]:
        """Speaks what the decoder is trained on.

        Returns:
            Shards that the ears do not know: requests, then what is to be declined; and those of
            the ears' turns, if they are lessons as well.
        """
        settings, own = self._config.decoder, self._speech("train", self._decoder_settings())
        if settings.outside:
            names, lines = self._voices(self._config.speech, "train"), more_lines()
            plans = plan_outside(self._config.speech, lines, settings.outside, names)
            own += self._rendered("outside", self.key("outside"), plans)
        if not (settings.utterances and settings.ears_turns):
            return own, []
        return own, self._speech("train", self._config.speech)

    def requests(self, ears: Ears) -> tuple[Sounds, list[TurnPlan]]:
        """Speaks single requests of the dev split, heard as unsurely as a stranger's.

        Returns:
            Each in quiet, then each in noise.
        """
        speech, count = self._config.speech, self._config.calibration
        settings = speech.model_copy(update={"single_share": 1.0, "silent_share": 0.0})
        names = self._voices(speech, "train")
        plans = plan_turns(settings, "dev", count, names, channels=False)
        key = settings.fingerprint(str(count))
        lessons = Lessons(self._rendered("speech-dev", key, plans))
        hear = functools.partial(hear_all, ears, self.encoder, lessons, self.log)
        sounds = joined([hear(unsure=min(_UNSURE), noise=noise) for noise in (0.0, 1.0)])
        return sounds, [*lessons.plans, *lessons.plans]

    def endings(self, ears: Ears, split: Literal["train", "test"], count: int) -> Endings:
        """Speaks whole turns and broken ones of a split, and hears them."""
        settings = self._config.speech.model_copy(
            update={"seed": self._config.endings.seed, "silent_share": 0.0, "paused_share": 0.0}
        )
        plans = self._plans(settings, split, count)
        key = self.key("endings")
        paths = self._rendered(f"endings-{split}", key, plans, speak_endings)
        return hear_endings(ears, self.encoder, paths)

    def _plans(
        self, settings: SpeechConfig, split: Literal["train", "test"], count: int
    ) -> list[TurnPlan]:
        names = self._voices(settings, split)
        return plan_turns(settings, split, count, names, channels=split == "train")

    def _voices(self, settings: SpeechConfig, split: Literal["train", "test"]) -> list[str]:
        """Returns the voices that may be drawn, each as often as it should be."""
        from cascadence.data_manifests.recipes.voices import voices

        if split == "test":
            return [v.name for v in voices(split)]
        return [
            v.name
            for v in voices(split)
            for _ in range(_VOICE_WEIGHT[v.synthesiser])
            if not settings.voices or v.name in settings.voices
        ]

    def _rendered(
        self,
        name: str,
        key: str,
        plans: list[TurnPlan],
        render: Callable[[list[TurnPlan], Path], None] = speak,
    ) -> list[Path]:
        folder = self._folder / f"{name}-{key}"
        return rendered(folder, plans, render, self._config.speech.workers)

    def _voice_texts(self) -> list[str]:
        """Draws the vocoder's training text."""
        settings = self._config.voice
        tokenizer = fetch(WHISPER) / "tokenizer.json"
        texts = word_salads(tokenizer, settings.salads, settings.seed)
        return texts + reply_sentences(settings.replies, settings.seed)

    def _spoken(self) -> Path:
        """Lets the reply voice speak the vocoder's training text."""
        path = self._folder / f"voice-{self.key('voice')}.safetensors"
        if path.exists():
            return path
        texts = self._voice_texts()
        voice = self.reply_voice()
        spoken = []
        for i, text in enumerate(texts):
            spoken.append(voice.speak(text))
            if i % 100 == 0:
                self.log(f"voice: {i} of {len(texts)} sentences")
        scaled = [np.round(np.clip(u.audio, -1, 1) * 32767).astype(np.int16) for u in spoken]
        fields: dict[str, list[NDArray[Any]]] = {
            "audio": scaled,
            "durations": [u.durations for u in spoken],
            "f0_hz": [u.f0_hz for u in spoken],
        }
        save_ragged(path, fields, {"texts": texts, "symbols": [list(u.symbols) for u in spoken]})
        return path

    def symbols(self, lessons: Lessons) -> SymbolTable:
        """Numbers every symbol that users, replies or the vocoder's text need.

        Raises:
            CascadenceError: if the weights to begin with lack one that is needed.
        """
        if self.start is not None:
            if missing := lessons.missing(self.start.table):
                raise CascadenceError(f"the weights to begin with lack symbols: {sorted(missing)}")
            return self.start.table
        phones = self.reply_voice().symbols
        found = lessons.symbols() | {s for text in self._voice_texts() for s in phones(text)}
        return SymbolTable(sorted({canonical(symbol) for symbol in found}))

    def _stage(
        self,
        name: str,
        network: _Network,
        train: Callable[[_Network, int, Callable[[int], None]], None],
    ) -> _Network:
        """Trains a network, or loads what is there; goes on from a checkpoint's step.

        It begins with the weights that the run began with, if any; without steps it keeps them.
        """
        from safetensors.torch import load_file, save_file

        if self.start is not None:
            network.load_state_dict(getattr(self.start, name).state_dict())
        if not getattr(self._config, name).steps:
            self.log(f"{name}: kept as it was")
            return network.eval()
        path = self._folder / f"{name}-{self.key(name)}.safetensors"
        checkpoint = path.with_suffix(".checkpoint")
        first = 0
        if path.exists():
            network.load_state_dict(load_file(path))
            return network.eval()
        if checkpoint.exists():
            state = load_file(checkpoint)
            first = int(state.pop("step"))
            network.load_state_dict(state)
        self.log(f"{name}: begins at step {first}")

        def save(step: int) -> None:
            part = checkpoint.with_suffix(".part")
            save_file({**network.state_dict(), "step": torch.tensor(step)}, part)
            part.replace(checkpoint)

        train(network, first, save)
        save_file(network.state_dict(), path)
        checkpoint.unlink(missing_ok=True)
        self.log(f"{name}: done")
        return network.eval()

    def vocoder(self, table: SymbolTable) -> Vocoder:
        """Trains the vocoder, on what the reply voice says."""
        torch.manual_seed(self._config.vocoder.seed)

        def train(net: Vocoder, first: int, save: Callable[[int], None]) -> None:
            settings = self._config.vocoder
            examples = load_utterances([self._spoken()], table, self.log)
            train_vocoder(net, examples, settings, first, save, self._curve("vocoder"))

        return self._stage("vocoder", Vocoder(len(table)), train)

    def _words(self, lessons: Lessons) -> tuple[str, ...]:
        """Returns the ears' vocabulary: of the weights to begin with, or what users say."""
        if self.start is not None:
            return self.start.words
        return tuple(sorted({word for plan in lessons.plans for word in words_of(plan.text)}))

    def ears(
        self, lessons: Lessons, table: SymbolTable
    ) -> tuple[Ears, tuple[str, ...], EarTargets]:
        """Trains the ears; returns their word vocabulary and targets too."""
        vocabulary, statistics = self._words(lessons), None
        if self.start is not None:
            known = self.start.statistics
            statistics = np.array(known.mean), np.array(known.std)
        targets = ear_targets(lessons, table, vocabulary, statistics)
        torch.manual_seed(self._config.ears.seed)

        def train(net: Ears, first: int, save: Callable[[int], None]) -> None:
            settings = self._config.ears
            log = self._curve("ears")
            train_ears(net, self.encoder, lessons, targets, settings, first, save, log)

        ears = Ears(len(table), len(vocabulary) + 1)
        return self._stage("ears", ears, train), vocabulary, targets

    def decoder(self, ears: Ears, table: SymbolTable) -> tuple[Decoder, HeardTurns, Lessons]:
        """Trains the decoder on what the frozen ears hear.

        Returns:
            The decoder, one hearing, and the rendered turns, without samples; they are the
            hearing's first lessons, in their order.
        """
        settings = self._config.decoder
        ears.requires_grad_(False)
        own, familiar = self.decoder_speech()
        lessons = Lessons([*own, *familiar], audio=False)
        told = self._reply_lessons(lessons, table)
        hearings = []
        for unsure, noise in zip(_UNSURE, (0.0, settings.noise), strict=True):
            parts = [self._heard(ears, own, unsure, noise)]
            parts += [self._heard(ears, familiar, unsure, 1.0)] if familiar else []
            hearings.append(HeardTurns(joined(parts), told))
        torch.manual_seed(settings.seed)

        def train(net: Decoder, first: int, save: Callable[[int], None]) -> None:
            train_decoder(net, ears, hearings, settings, first, save, self._curve("decoder"))

        return self._stage("decoder", Decoder(len(table)), train), hearings[0], lessons

    def _heard(self, ears: Ears, shards: list[Path], unsure: float, noise: float) -> Sounds:
        """Hears shards, in a folder of the ears and of how they hear."""
        folder = self._folder / f"heard-{self.key('ears')}-{unsure}-{noise}"
        return hear_shards(folder, ears, self.encoder, shards, self.log, unsure=unsure, noise=noise)

    def _reply_lessons(self, lessons: Lessons, table: SymbolTable) -> list[ReplyLesson]:
        """Makes lessons of the rendered conversations, then of regrouped ones."""
        settings = self._config.decoder
        rendered = rendered_lessons(lessons, table)
        known = {p.reply: r for p, r in zip(lessons.plans, lessons.replies, strict=True)}

        @functools.cache
        def phones(text: str) -> Sequence[str]:
            return known[text] if text in known else self.reply_voice().symbols(text)

        conversations = regroup(lessons.plans, settings.regrouped, settings.seed)
        more = regrouped_lessons(conversations, rendered, phones, table)
        self.log(f"{len(rendered)} rendered lessons, {len(more)} regrouped ones")
        return [*rendered, *more]

    def turn_end(self, ears: Ears) -> TurnEnd:
        """Trains the head that hears the end of a turn."""
        torch.manual_seed(self._config.turn_end.seed)

        def train(net: TurnEnd, first: int, save: Callable[[int], None]) -> None:
            settings = self._config.turn_end
            endings = self.endings(ears, "train", self._config.endings.turns)
            train_turn_end(net, endings, settings, first, save, self._curve("turn_end"))

        return self._stage("turn_end", TurnEnd(), train)
