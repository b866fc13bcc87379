"""Cadence as a system: a user's turn in, speech out, nothing forced through words in between."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import numpy as np
import torch

from cascadence.audio import Audio, concatenate
from cascadence.errors import CascadenceError
from cascadence.events import AudioOut, Event, Mark, TextOut
from cascadence.protocols import Context, Exchange, SystemInfo, Turn
from cascadence.systems.cadence.beam import BeamWriter
from cascadence.systems.cadence.bundle import Bundle, load_bundle, revision
from cascadence.systems.cadence.lexicon import Lexicon
from cascadence.systems.cadence.listener import HeardTurn, Listener
from cascadence.systems.cadence.memory import EarlierTurn, build_memory
from cascadence.systems.cadence.model import Decoder, Memory
from cascadence.systems.cadence.rejection import log_probability
from cascadence.systems.cadence.spelling import write_words
from cascadence.systems.cadence.style import NEUTRAL, mirrored
from cascadence.systems.cadence.symbols import SPACE
from cascadence.systems.cadence.turn_end import end_features
from cascadence.systems.cadence.vocoder import ReplyStyle, VocoderStream
from cascadence.systems.history import join_unanswered
from cascadence.systems.turn_taking import HalfDuplex, TurnTaking

__all__ = ["LICENCE", "OWN_TURN_TAKING", "Cadence", "CadenceReplier"]

OWN_TURN_TAKING = TurnTaking(end="own", silence_s=0.9)

LICENCE = (
    "weights Apache-2.0; Whisper encoder MIT; reply voice: recordings CC0-1.0, fine-tuned from a "
    "voice under the Blizzard 2013 licence"
)
OUTPUT_RATE = 16000
_FOLDER = Path(__file__).parent
_MAX_SYMBOLS = 140
# Symbols that become sound at once: few until something can be heard, more while that plays.
_FIRST_SYMBOLS, _MOST_SYMBOLS = 4, 16
# The first piece has to last until the next is made, or the reply has a hole (25 of 380 replies had
# one, .009 s in the median, with first pieces of .01 to .04 s).
_FIRST_SAMPLES = round(0.06 * OUTPUT_RATE)

Switch = Literal["on", "off"]


class CadenceReplier:
    """Answers one turn with streamed speech; turn-taking is not its business."""

    def __init__(
        self,
        *,
        style: Switch = "on",
        prosody: Switch = "on",
        lexicon: Switch = "on",
        rejection: Switch = "on",
        weights: str | None = None,
    ) -> None:
        """Names the weights and sets the controls.

        Args:
            style: `off` answers in the neutral voice whatever the user's.
            prosody: `off` takes pitch, voicing and level out of the input; without them the ears
                hear no style.
            lexicon: `off` lets it say any string of phonemes, not only words of its domain.
            rejection: `off` answers whatever is likeliest, even if it may well have to be declined.
            weights: folder of `cadence.safetensors` and `cadence.json`; the shipped ones if None.

        Raises:
            ValueError: if a switch is neither `on` nor `off`.
        """
        # YAML reads a bare `on` or `off` as a boolean.
        spelled = {"True": "on", "False": "off"}
        switches = {"style": style, "prosody": prosody, "lexicon": lexicon, "rejection": rejection}
        words = {name: spelled.get(str(word), str(word)) for name, word in switches.items()}
        for name, word in words.items():
            if word not in ("on", "off"):
                raise ValueError(f"{name} must be on or off, not {word!r}")
        self._switches = words
        self._folder = Path(weights) if weights else _FOLDER
        self._bundle: Bundle | None = None
        self._listener: Listener | None = None
        self._lexicon: Lexicon | None = None
        self._threads = 0
        # What was heard and said, by the words said and the place of the turn: the runner's history
        # carries audio and text, and hearing a turn again would cost its time once more.
        self._past: dict[tuple[float, float], tuple[HeardTurn | None, list[int]]] = {}

    @property
    def info(self) -> SystemInfo:
        """Says what it is."""
        return SystemInfo(
            name="cadence",
            kind="end_to_end",
            duplex="half",
            output_rate=OUTPUT_RATE,
            licence=LICENCE,
            revision=revision(self._folder),
            parameters=dict(self._switches),
            remark="trained in the bundled assistant domain; the others were not",
        )

    def __enter__(self) -> Self:
        """Loads the weights and warms up, on one thread: two are slower at this size."""
        self._threads = torch.get_num_threads()
        torch.set_num_threads(1)
        self._bundle = load_bundle(self._folder)
        self._listener = Listener(self._bundle.ears, prosody=self._switches["prosody"] == "on")
        if self._switches["lexicon"] == "on":
            self._lexicon = Lexicon(self._bundle.spoken_words(), self._bundle.table)
        noise = torch.randn(2 * OUTPUT_RATE, generator=torch.Generator().manual_seed(0)) * 0.05
        for _ in self._respond(self._listener.hear(noise.numpy()), [], [], limit=20):
            pass
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Releases the weights."""
        self._bundle = self._listener = None
        self._past.clear()
        torch.set_num_threads(self._threads)

    @torch.inference_mode()
    def turn_end(self, audio: Audio) -> float:
        """Returns how likely it is, in [0, 1], that the user's turn is over.

        Args:
            audio: the turn so far, 16 kHz mono, ending in a little silence.
        """
        heard = self._hear(audio)
        if heard is None or heard.is_empty:
            return 0.0
        assert self._bundle is not None
        features = end_features(heard.states, heard.spoken)
        return float(torch.sigmoid(self._bundle.turn_end(features[None]))[0])

    def hear_so_far(self, audio: Audio) -> None:
        """Hears what may be a whole turn while the user pauses: 16 kHz mono."""
        self._hear(audio)

    def _hear(self, audio: Audio, silence_s: float = 0.0) -> HeardTurn | None:
        if self._listener is None:
            raise RuntimeError("Cadence is used outside of its `with` block")
        return self._listener.hear_turn(audio, silence_s)

    def reply(self, turn: Turn, history: Sequence[Exchange], context: Context) -> Iterator[Event]:
        """Answers a turn; nothing where nothing was said.

        Args:
            turn: the user's audio.
            history: the exchanges before it.
            context: of the conversation; unused, Cadence is deterministic.
        """
        del context
        if not history:
            self._past.clear()
        answered, pending = join_unanswered(history)
        yield Mark("encode", "start")
        # What was cut off by a pause belongs to this turn: it is heard in one piece.
        pieces = [*(exchange.turn.audio for exchange in pending), turn.audio]
        audio = concatenate([piece.at_rate(OUTPUT_RATE) for piece in pieces], OUTPUT_RATE)
        heard = self._hear(audio, turn.silence_s)
        yield Mark("encode", "end")
        said: list[int] = []
        self._past[turn.start_s, turn.end_s] = (heard, said)
        yield from self._respond(heard, self._earlier(answered), said)

    def _earlier(self, history: Sequence[Exchange]) -> list[EarlierTurn]:
        """Looks up the last exchanges, latest first; what was cut short is remembered as cut."""
        assert self._listener is not None
        found: list[EarlierTurn] = []
        for exchange in reversed(history):
            key = exchange.turn.start_s, exchange.turn.end_s
            heard, said = self._past.get(key, (None, []))
            if heard is None and key not in self._past:
                heard = self._listener.hear(exchange.turn.audio.at_rate(OUTPUT_RATE).samples)
            if heard is None or not said:
                continue
            if exchange.interrupted:
                said = self._cut(said, len(exchange.said.split()))
            found.append(EarlierTurn(heard.states[heard.spoken], torch.tensor(said).long()))
            if len(found) == Decoder.EARLIER:
                break
        return found

    def _cut(self, said: list[int], words: int) -> list[int]:
        """Keeps the symbols of the first words of a reply."""
        assert self._bundle is not None
        text = [self._bundle.table.decode([i])[0] for i in said]
        ends = [i for i, symbol in enumerate(text) if symbol == SPACE]
        return said[: ends[words - 1]] if 0 < words <= len(ends) else (said if words else [])

    @torch.inference_mode()
    def _respond(
        self,
        heard: HeardTurn | None,
        earlier: Sequence[EarlierTurn],
        said: list[int],
        limit: int = _MAX_SYMBOLS,
    ) -> Iterator[Event]:
        """Writes and speaks; `said` is filled with the reply's symbols as they come."""
        assert self._bundle is not None
        if heard is None or heard.is_empty:
            return
        net, table = self._bundle, self._bundle.table
        yield Mark("decode", "start")
        memory = build_memory(net.ears, net.decoder, [heard.states], [list(earlier)])
        stream = VocoderStream(net.vocoder, self._style(heard))
        waiting: list[int] = []
        ready = np.zeros(0, np.float32)
        told, enough, least = 0, _FIRST_SYMBOLS, _FIRST_SAMPLES
        for symbol in self._written(memory, heard.unsure, limit):
            said.append(symbol)
            waiting.append(symbol)
            if len(said) == 1:
                yield Mark("decode", "first")
            if len(waiting) >= enough:
                ready = np.concatenate([ready, stream.push(waiting)])
                waiting = []
                if len(ready) >= least:
                    enough, least = min(2 * enough, _MOST_SYMBOLS), 1
                    text, told = self._words(table.decode(said), told, final=False)
                    if text:
                        yield TextOut(text)
                    yield AudioOut(ready, OUTPUT_RATE)
                    ready = ready[:0]
        yield Mark("decode", "end")
        if said:
            text, _ = self._words(table.decode(said), told, final=True)
            if text:
                yield TextOut(text)
            rest = stream.push(waiting, final=True)
            yield AudioOut(np.concatenate([ready, rest]), OUTPUT_RATE)

    def _written(self, memory: Memory, unsure: float, limit: int) -> Iterable[int]:
        """Writes a reply, symbol by symbol; declines where that is not unlikely enough."""
        assert self._bundle is not None
        net, rejection = self._bundle, self._bundle.rejection
        if rejection is not None and self._switches["rejection"] == "on":
            declined = net.table.encode(rejection.symbols)
            if log_probability(net.decoder, memory, declined) > rejection.limit(unsure):
                return declined
        return BeamWriter(net.decoder, memory, self._lexicon).symbols(limit)

    def _words(self, symbols: list[str], told: int, *, final: bool) -> tuple[str, int]:
        """Returns the text of complete words after the first `told`, and how many are told now."""
        assert self._bundle is not None
        text = write_words(symbols, self._bundle.spelling)
        words = re.findall(r"\S+\s*", text)
        upto = len(words) if final else max(told, len(words) - 1)
        return "".join(words[told:upto]), upto

    def _style(self, heard: HeardTurn) -> ReplyStyle:
        if self._switches["style"] == "off":
            return NEUTRAL
        assert self._bundle is not None
        statistics = self._bundle.statistics
        return mirrored(statistics.user_style(heard.style, heard.pitch), statistics)


class Cadence(HalfDuplex):
    """The built-in end-to-end model, with the turn-taking that all half-duplex systems share."""

    def __init__(
        self,
        *,
        style: Switch = "on",
        prosody: Switch = "on",
        lexicon: Switch = "on",
        rejection: Switch = "on",
        turn_taking: TurnTaking | Mapping[str, Any] | Literal["shared", "own"] | None = None,
        weights: str | None = None,
    ) -> None:
        """Builds the system; see `CadenceReplier` and `TurnTaking` for the parameters.

        `turn_taking: own` is short for `OWN_TURN_TAKING`: it hears the end of a turn itself, and
        waits longer where it hears none; `shared` is what every half-duplex system does.
        """
        if isinstance(turn_taking, str):
            if turn_taking not in ("shared", "own"):
                raise CascadenceError(
                    f"no such rules: {turn_taking!r}", "turn_taking", "shared, own"
                )
            turn_taking = OWN_TURN_TAKING if turn_taking == "own" else None
        replier = CadenceReplier(
            style=style, prosody=prosody, lexicon=lexicon, rejection=rejection, weights=weights
        )
        super().__init__(replier, turn_taking)
