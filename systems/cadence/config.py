"""What a training run of Cadence is asked for: one small YAML file."""

import hashlib
import json
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "DecoderConfig",
    "EarsConfig",
    "EndingsConfig",
    "SpeechConfig",
    "StageConfig",
    "TrainConfig",
    "VoiceConfig",
    "load_config",
    "smoke_config",
]


class _Strict(BaseModel):
    """A part of the configuration; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def fingerprint(self, *others: str) -> str:
        """Returns 12 hex digits that change with any field, or with what the stage builds on."""
        text = json.dumps([self.model_dump(mode="json"), *others], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


class VoiceConfig(_Strict):
    """The vocoder's training text.

    Attributes:
        salads: sentences of unrelated words.
        replies: sentences out of the domain's replies.
        seed: of both.
    """

    salads: int = 1500
    replies: int = 4000
    seed: int = 1


class SpeechConfig(_Strict):
    """User speech to train on.

    Attributes:
        utterances: user turns, silence included.
        evaluation: user turns of the test split with test voices.
        single_share: share of conversations of one turn.
        noisy_share: share of turns in noise.
        line_share: share of turns through a telephone or a network that loses packets.
        room_share: share of turns in a reverberant room.
        coloured_share: share of turns through a microphone that is not flat.
        hesitant_share: share of turns with an "um" or "uh" in them.
        paused_share: share of turns with a pause in them.
        silent_share: share of turns without speech.
        voices: names of `recipes.voices` to train on; all of the training split if empty.
        recipe: of the code that renders; a new one asks for speech to be rendered again.
        seed: of the conversations, voices and styles.
        workers: processes; threads of the decoder's training, too.
    """

    utterances: int = 46000
    evaluation: int = 400
    single_share: float = 0.5
    noisy_share: float = 0.25
    line_share: float = 0.15
    room_share: float = 0.25
    coloured_share: float = 0.5
    hesitant_share: float = 0.08
    paused_share: float = 0.12
    silent_share: float = 0.03
    voices: tuple[str, ...] = ()
    recipe: int = 6
    seed: int = 9
    workers: int = 2


class StageConfig(_Strict):
    """One training stage.

    Attributes:
        steps: of the optimiser; 0 keeps the network that the run began with.
        batch: examples a step.
        learning_rate: at its top.
        seed: of weights and order.
    """

    steps: int
    batch: int
    learning_rate: float
    seed: int = 0


class EarsConfig(StageConfig):
    """The ears' training stage, their changes of the encoder included.

    Attributes:
        noise: share of the quiet turns that get noise, another one whenever they are drawn.
    """

    steps: int = 12000
    batch: int = 16
    learning_rate: float = 2.5e-3
    noise: float = 0.6


class DecoderConfig(StageConfig):
    """The decoder's training stage.

    Attributes:
        utterances: user turns of its own, of which the ears learnt nothing: what those were trained
            on they hear four times as well as a stranger's. 0 to learn from the ears' turns.
        ears_turns: the ears' turns are lessons as well, the quiet ones always in noise, in which
            even they are misheard; of no effect without `utterances`.
        noise: share of the quiet turns that get noise in the second of the two hearings.
        regrouped: lessons of later turns in new conversations of rendered turns; 0 for none.
        outside: further turns to be spoken and declined, of `outside.more_lines`; the ears and
            the ends of turns are not trained on them.
    """

    steps: int = 40000
    batch: int = 32
    learning_rate: float = 1.2e-3
    utterances: int = 46000
    ears_turns: bool = True
    noise: float = 0.5
    regrouped: int = 120000
    outside: int = 6000


class EndingsConfig(_Strict):
    """Turns to learn their ends from; voices and channels are those of `SpeechConfig`.

    Attributes:
        turns: whole ones; each is broken off at up to two places as well.
        evaluation: the same of the test split with test voices.
        seed: of the conversations, voices and styles.
    """

    turns: int = 2500
    evaluation: int = 200
    seed: int = 7


class TrainConfig(_Strict):
    """A whole run, stage by stage.

    Attributes:
        start: folder with the weights that the networks begin with, their symbols and words, or
            `shipped` for those of this package; None begins with random ones. Relative paths are
            taken from the configuration file's folder.
        voice: the vocoder's training text.
        vocoder: see `StageConfig`.
        speech: user speech, of all networks but the decoder.
        ears: see `EarsConfig`.
        decoder: see `DecoderConfig`.
        endings: turns to learn their ends from.
        turn_end: see `StageConfig`.
        calibration: requests of the dev split to set the threshold of `rejection.py` by, in quiet
            and in noise; some are outside of the domain and are not counted.
    """

    start: Path | None = None
    voice: VoiceConfig = VoiceConfig()
    vocoder: StageConfig = StageConfig(steps=16000, batch=12, learning_rate=1.2e-3)
    speech: SpeechConfig = SpeechConfig()
    ears: EarsConfig = EarsConfig()
    decoder: DecoderConfig = DecoderConfig()
    endings: EndingsConfig = EndingsConfig()
    turn_end: StageConfig = StageConfig(steps=3000, batch=64, learning_rate=1e-3)
    calibration: int = Field(default=1000, ge=20)


def load_config(path: Path) -> TrainConfig:
    """Reads a YAML file.

    Raises:
        pydantic.ValidationError: if a field is unknown or of the wrong kind.
    """
    config = TrainConfig.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    if config.start is None:
        return config
    is_shipped = str(config.start) == "shipped"
    start = Path(__file__).parent if is_shipped else path.parent / config.start
    return config.model_copy(update={"start": start})


def smoke_config() -> TrainConfig:
    """Returns a run of about three minutes that learns 20 turns by heart."""
    return TrainConfig(
        voice=VoiceConfig(salads=6, replies=6),
        vocoder=StageConfig(steps=20, batch=4, learning_rate=1e-3),
        speech=SpeechConfig(
            utterances=20,
            evaluation=0,
            single_share=0.75,
            noisy_share=0.0,
            line_share=0.0,
            room_share=0.0,
            coloured_share=0.0,
            hesitant_share=0.0,
            paused_share=0.0,
            silent_share=0.0,
            voices=("pico-us", "pico-gb"),
            workers=1,
        ),
        ears=EarsConfig(steps=300, batch=10, learning_rate=1e-3, noise=0.0),
        decoder=DecoderConfig(
            steps=450,
            batch=10,
            learning_rate=1e-3,
            utterances=0,
            noise=0.0,
            regrouped=4,
            outside=4,
        ),
        endings=EndingsConfig(turns=10, evaluation=0),
        turn_end=StageConfig(steps=100, batch=16, learning_rate=1e-3),
        calibration=20,
    )
