"""Cadence's ears as the ASR of a cascade: the comparison that isolates the text bottleneck."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import torch

from cascadence.audio import Audio
from cascadence.protocols import Context, PartInfo, Turn
from cascadence.systems.cadence.bundle import Bundle, load_bundle, read_config, revision
from cascadence.systems.cadence.listener import Listener

__all__ = ["CadenceCtc"]

_FOLDER = Path(__file__).parent


class CadenceCtc:
    """Greedy word-CTC over Cadence's encoder; a closed vocabulary, lower case, no punctuation."""

    def __init__(self, weights: str | None = None) -> None:
        """Names the weights.

        Args:
            weights: folder of `cadence.safetensors` and `cadence.json`; the shipped ones if None.
        """
        self._folder = Path(weights) if weights else _FOLDER
        self._bundle: Bundle | None = None
        self._listener: Listener | None = None

    @property
    def info(self) -> PartInfo:
        """Says what it is."""
        return PartInfo(
            name="cadence_ctc",
            licence="Apache-2.0; Whisper encoder MIT",
            revision=revision(self._folder),
            parameters={"vocabulary": len(read_config(self._folder)["words"])},
        )

    def hear_so_far(self, audio: Audio) -> None:
        """Hears what may be a whole turn while the user pauses: 16 kHz mono."""
        if self._listener is not None:
            self._listener.hear_turn(audio)

    def transcribe(self, turn: Turn, context: Context) -> Iterator[str]:
        """Yields the words in one piece; nothing where none were heard."""
        del context
        if self._bundle is None or self._listener is None:
            raise RuntimeError("CadenceCtc is used outside of its `with` block")
        heard = self._listener.hear_turn(turn.audio.at_rate(16000), turn.silence_s)
        if heard is None:
            return
        with torch.inference_mode():
            best = self._bundle.ears.word_head(heard.states).argmax(-1)
        labels = torch.unique_consecutive(best).tolist()
        words = [self._bundle.words[label - 1] for label in labels if label]
        if words:
            yield " ".join(words)

    def __enter__(self) -> Self:
        """Loads the weights."""
        self._bundle = load_bundle(self._folder)
        self._listener = Listener(self._bundle.ears)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Releases the weights."""
        self._bundle = self._listener = None
