"""What a training run of Cadence is asked for: one small YAML file."""

import hashlib
import json
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

__all__ = [
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

    salads: int = 700
    replies: int = 1500
    seed: int = 1


class SpeechConfig(_Strict):
    """User speech to train on.

    Attributes:
        utterances: user turns, silence included.
        evaluation: user turns of the test split with test voices.
        single_share: share of conversations of one turn.
        noisy_share: share of turns in noise or through a telephone.
        silent_share: share of turns without speech.
        seed: of the conversations, voices and styles.
        workers: processes.
    """

    utterances: int = 12000
    evaluation: int = 600
    single_share: float = 0.75
    noisy_share: float = 0.25
    silent_share: float = 0.03
    seed: int = 2
    workers: int = 2


class StageConfig(_Strict):
    """One training stage.

    Attributes:
        minutes: wall time.
        batch: examples a step.
        learning_rate: at its top.
        seed: of weights and order.
    """

    minutes: float
    batch: int
    learning_rate: float
    seed: int = 0


class TrainConfig(_Strict):
    """A whole run, stage by stage."""

    voice: VoiceConfig = VoiceConfig()
    vocoder: StageConfig = StageConfig(minutes=40, batch=12, learning_rate=1.2e-3)
    speech: SpeechConfig = SpeechConfig()
    ears: StageConfig = StageConfig(minutes=25, batch=16, learning_rate=1e-3)
    decoder: StageConfig = StageConfig(minutes=30, batch=32, learning_rate=1e-3)


def load_config(path: Path) -> TrainConfig:
    """Reads a YAML file.

    Raises:
        pydantic.ValidationError: if a field is unknown or of the wrong kind.
    """
    return TrainConfig.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")) or {})


def smoke_config() -> TrainConfig:
    """Returns a run of about three minutes that learns 20 turns by heart."""
    return TrainConfig(
        voice=VoiceConfig(salads=6, replies=6),
        vocoder=StageConfig(minutes=0.2, batch=4, learning_rate=1e-3),
        speech=SpeechConfig(
            utterances=20, evaluation=0, noisy_share=0.0, silent_share=0.0, workers=1
        ),
        ears=StageConfig(minutes=0.6, batch=10, learning_rate=1e-3),
        decoder=StageConfig(minutes=0.8, batch=10, learning_rate=1e-3),
    )
