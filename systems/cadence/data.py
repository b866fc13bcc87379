"""Cadence's lessons: what users of the assistant domain say, how it sounds, what to answer.

A plan of turns is drawn from the domain's own conversations; each turn is spoken in a user's
voice and style, often in a room, in noise or through a telephone, and kept as audio with its
prosody at 50 Hz.
"""

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cascadence.data_manifests.assistant.intents import REPLY_DECLINED
from cascadence.data_manifests.assistant.splits import Split
from cascadence.errors import CascadenceError
from cascadence.systems.cadence import augment
from cascadence.systems.cadence.config import SpeechConfig
from cascadence.systems.cadence.features import PROSODY_DIM, ProsodyTracker
from cascadence.systems.cadence.ragged import Ragged, load_ragged, save_ragged
from cascadence.systems.cadence.symbols import SymbolTable

__all__ = [
    "Lessons",
    "TurnPlan",
    "as_float",
    "as_int16",
    "channelled",
    "plan_outside",
    "plan_turns",
    "quiet",
    "render_shard",
    "spoken",
]

_RATE_HZ = 16000
_MAX_S = 12.0
_NOISES = ("white", "pink", "hum", "street", "music", *("babble",) * 4, "crowd")


@dataclass(frozen=True, slots=True)
class TurnPlan:
    """One user turn to be spoken.

    Attributes:
        dialogue: number of its conversation.
        turn: place in the conversation.
        text: what the user says; empty for a turn without speech.
        reply: what to answer; empty for nothing.
        intent: of the request, as the domain calls it.
        kind: of the turn, as the domain calls it.
        slots: the values that the reply must say, in the forms that may be heard.
        voice: of the user.
        rate: speed factor.
        pitch_st: added to the voice's pitch, semitones.
        pitch_range: scales its pitch excursions.
        level_db: added to the level.
        formant_ratio: scales the formants.
        noise: `none`, `white`, `pink`, `hum`, `street`, `music`, `babble` or, of earlier turns,
            `crowd`.
        snr_db: of the noise.
        line: `none`, `telephone` or `lossy`.
        rt60_s: of the room; 0 for none.
        pause_s: put into the turn; 0 for none.
        gains_db: of the microphone, from low to high; none if empty.
        seed: of everything random in the sound.
    """

    dialogue: int
    turn: int
    text: str
    reply: str
    intent: str
    kind: str
    slots: dict[str, list[str]]
    voice: str
    rate: float = 1.0
    pitch_st: float = 0.0
    pitch_range: float = 1.0
    level_db: float = 0.0
    formant_ratio: float = 1.0
    noise: str = "none"
    snr_db: float = 20.0
    line: str = "none"
    rt60_s: float = 0.0
    pause_s: float = 0.0
    gains_db: tuple[float, ...] = ()
    seed: int = 0


def _hesitant(text: str, rng: random.Random) -> str:
    """Puts a filler before one of the words."""
    words = text.split()
    at = rng.randrange(len(words))
    filler = rng.choice(["um", "uh"])
    return " ".join([*words[:at], f"{filler},", *words[at:]])


def _styled(plan: TurnPlan, rng: random.Random) -> TurnPlan:
    """Draws a style for a turn."""
    return replace(
        plan,
        rate=round(min(1.35, max(0.72, rng.gauss(1.0, 0.15))), 3),
        pitch_st=round(min(5.0, max(-5.0, rng.gauss(0.0, 2.2))), 2),
        pitch_range=round(rng.choice([0.4, 0.7, 1.0, 1.0, 1.4, 1.8]), 2),
        level_db=round(min(4.0, max(-14.0, rng.gauss(-2.0, 4.5))), 1),
        formant_ratio=round(min(1.15, max(0.87, rng.gauss(1.0, 0.06))), 3),
        seed=rng.randrange(2**31),
    )


def _channelled(plan: TurnPlan, config: SpeechConfig, rng: random.Random) -> TurnPlan:
    """Draws hesitation, room, microphone and noise for a turn."""
    noise = "none"
    if rng.random() < config.noisy_share:
        noise = rng.choice(_NOISES)
    line = rng.choice(["telephone", "telephone", "lossy"])
    on_line = rng.random() < config.line_share
    text = plan.text
    if text and rng.random() < config.hesitant_share:
        text = _hesitant(text, rng)
    in_room = rng.random() < config.room_share
    is_coloured = rng.random() < config.coloured_share
    has_pause = rng.random() < config.paused_share
    return replace(
        plan,
        text=text,
        noise=noise,
        snr_db=round(rng.uniform(4.0, 22.0), 1),
        line=line if on_line else "none",
        rt60_s=round(rng.uniform(0.15, 0.7), 2) if in_room else 0.0,
        pause_s=round(rng.uniform(0.2, 1.0), 2) if has_pause else 0.0,
        gains_db=tuple(round(rng.gauss(0.0, 4.0), 1) for _ in range(5)) if is_coloured else (),
    )


def plan_turns(
    config: SpeechConfig, split: Split, count: int, voices: Sequence[str], channels: bool = True
) -> list[TurnPlan]:
    """Draws conversations of the domain until there are `count` turns.

    Args:
        config: shares and seed.
        split: `train` or `test`, of the domain's combinations.
        count: turns, at least.
        voices: names of user voices; one a conversation.
        channels: whether hesitations, rooms, microphones and noise are drawn too.
    """
    from cascadence.data_manifests.assistant.sampling import sample_dialogue

    rng = random.Random(f"{config.seed}-{split}")
    turns: list[TurnPlan] = []
    dialogue = 0

    def add(plan: TurnPlan) -> None:
        styled = _styled(plan, rng)
        turns.append(_channelled(styled, config, rng) if channels else styled)

    while len(turns) < count:
        voice = rng.choice(list(voices))
        if rng.random() < config.silent_share:
            add(TurnPlan(dialogue, 0, "", "", "", "silence", {}, voice))
        else:
            single = rng.random() < config.single_share
            drawn = sample_dialogue(rng, split, n_turns=1 if single else rng.randint(2, 5))
            for i, line in enumerate(drawn.turns):
                slots = {name: list(forms) for name, forms in line.expect_slots.items()}
                kind, intent = line.kind, line.intent or ""
                add(TurnPlan(dialogue, i, line.text, line.reply, intent, kind, slots, voice))
        dialogue += 1
    return turns


def plan_outside(
    config: SpeechConfig, lines: Sequence[str], count: int, voices: Sequence[str]
) -> list[TurnPlan]:
    """Draws `count` single turns outside of the domain; lines come again once all were drawn."""
    rng = random.Random(f"{config.seed}-outside")
    turns: list[TurnPlan] = []
    while len(turns) < count:
        for text in rng.sample(lines, min(len(lines), count - len(turns))):
            voice = rng.choice(list(voices))
            plan = TurnPlan(len(turns), 0, text, REPLY_DECLINED, "", "decline", {}, voice)
            turns.append(_channelled(_styled(plan, rng), config, rng))
    return turns


def spoken(plan: TurnPlan) -> NDArray[np.float32]:
    """Speaks a turn: 16 kHz mono, from its first to its last audible sample.

    Raises:
        CascadenceError: if the voice cannot say it in this style.
    """
    from cascadence.data_manifests.recipes.voices import Prosody, speak, voice

    prosody = Prosody(
        rate=plan.rate,
        pitch_st=plan.pitch_st,
        range_scale=plan.pitch_range,
        level_db=plan.level_db,
        formant_ratio=plan.formant_ratio,
    )
    said = speak(voice(plan.voice), plan.text, prosody, plan.seed)
    first, last = (round(t * _RATE_HZ) for t in said.speech_s)
    return said.audio.at_rate(_RATE_HZ).samples[first:last]


def quiet(duration_s: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Makes the noise floor of a quiet microphone, at 16 kHz."""
    floor = rng.standard_normal(round(duration_s * _RATE_HZ)) * 10 ** (-70 / 20)
    return floor.astype(np.float32)


def _sound(
    plan: TurnPlan, earlier: Sequence[NDArray[np.float32]]
) -> tuple[NDArray[np.float32], float]:
    """Renders a turn: samples at 16 kHz, and the seconds of speech in it (0: none)."""
    rng = np.random.default_rng(plan.seed)
    if not plan.text:
        kind = plan.noise if plan.noise not in ("none", "crowd") else "pink"
        noise = augment.background(int(rng.uniform(0.5, 3.0) * _RATE_HZ), kind, rng)
        return noise * np.float32(10 ** (rng.uniform(-75, -25) / 20)), 0.0
    speech = spoken(plan)
    # What an endpointing might leave around it.
    before, after = quiet(rng.uniform(0.0, 0.35), rng), quiet(rng.uniform(0.05, 0.8), rng)
    samples = np.concatenate([before, speech, after])
    if plan.pause_s:
        samples = augment.with_pause(samples, plan.pause_s, rng)
    return channelled(plan, samples[: int(_MAX_S * _RATE_HZ)], earlier, rng), len(speech) / _RATE_HZ


def channelled(
    plan: TurnPlan,
    samples: NDArray[np.float32],
    earlier: Sequence[NDArray[np.float32]],
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Takes speech from the mouth through room, microphone and line; `earlier` ones may chatter."""
    if plan.rt60_s:
        samples = augment.in_room(samples, plan.rt60_s, rng)
    if plan.gains_db:
        samples = augment.coloured(samples, np.array(plan.gains_db, np.float32))
    if plan.noise == "crowd" and len(earlier) >= 3:
        length = max(map(len, earlier))
        crowd = np.sum([np.resize(voice, length) for voice in earlier], axis=0)
        samples = augment.in_noise(samples, crowd, plan.snr_db)
    elif plan.noise not in ("none", "crowd"):
        noise = augment.background(len(samples), plan.noise, rng)
        samples = augment.in_noise(samples, noise, plan.snr_db)
    if plan.line != "none":
        samples = augment.over_line(np.clip(samples, -1, 1), plan.line, rng)
    return np.clip(samples, -1, 1).astype(np.float32)


def as_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Turns samples in [-1, 1] into 16 bits."""
    return np.round(samples * 32767).astype(np.int16)


def as_float(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """Turns 16 bits into samples in [-1, 1]."""
    return samples.astype(np.float32) / np.float32(32767)


def render_shard(
    plans: Sequence[TurnPlan],
    path: Path,
    phones: Callable[[str], tuple[str, ...]],
    log: Callable[[str], None],
) -> None:
    """Speaks turns and writes what the ears take in.

    Args:
        plans: the turns.
        path: a `ragged` file: audio (samples,) of 16 bits at 16 kHz, prosody (frames, 3), style
            (1, 4); the note holds the plans, and the symbols of text and reply.
        phones: turns text into symbols.
        log: told of turns that cannot be spoken, such as too short ones in exact styles.
    """
    tracker = ProsodyTracker()
    earlier: deque[NDArray[np.float32]] = deque(maxlen=4)
    audio, streams, styles, notes = [], [], [], []
    for plan in plans:
        try:
            samples, speech_s = _sound(plan, earlier)
        except CascadenceError as error:
            log(f"left out, by {plan.voice}: {plan.text!r}: {error}")
            continue
        if plan.text and plan.noise == plan.line == "none":
            earlier.append(samples)
        said = phones(plan.text) if plan.text else ()
        prosody = tracker.track(samples)
        pitch = prosody.pitch_statistics()
        sounds = sum(symbol[-1].isalpha() or symbol[-1] == "ː" for symbol in said)
        known = bool(plan.text) and pitch is not None
        rate = sounds / max(speech_s, 0.2)
        style = [rate, *pitch] if known and pitch is not None else [np.nan] * 4
        audio.append(as_int16(samples))
        streams.append(prosody.streams().astype(np.float16))
        styles.append(np.array([style], np.float32))
        reply = phones(plan.reply) if plan.reply else ()
        notes.append({"plan": asdict(plan), "said": said, "reply": reply})
    save_ragged(path, {"audio": audio, "prosody": streams, "style": styles}, notes)


class Lessons:
    """Rendered turns, in memory; without their samples if these are not needed.

    Attributes:
        plans: the turns.
        said: symbols of each user turn.
        replies: symbols of each reply.
        style: measured style of each turn (turns, 4), NaN where unknown.
    """

    def __init__(self, paths: Sequence[Path], *, audio: bool = True) -> None:
        """Reads shards in the order given; conversations of other folders get other numbers."""
        self.plans: list[TurnPlan] = []
        self.said: list[list[str]] = []
        self.replies: list[list[str]] = []
        self._shards: list[tuple[Ragged, Ragged]] = []
        self._places: list[tuple[int, int]] = []
        styles = []
        folder, first = None, 0
        for path in paths:
            if path.parent != folder:
                folder = path.parent
                first = max((plan.dialogue + 1 for plan in self.plans), default=0)
            fields, notes = load_ragged(path)
            for i, note in enumerate(notes):
                plan = TurnPlan(**note["plan"])
                self.plans.append(replace(plan, dialogue=first + plan.dialogue))
                self.said.append(note["said"])
                self.replies.append(note["reply"])
                self._places.append((len(self._shards), i))
            samples = fields["audio"] if audio else Ragged(np.zeros(0), np.zeros(1, np.int64))
            self._shards.append((samples, fields["prosody"]))
            styles.append(fields["style"].values)
        self.style: NDArray[np.float32] = np.concatenate(styles)
        # Shards are rendered side by side, so conversations are told apart by shard as well.
        self._index = {
            (place[0], plan.dialogue, plan.turn): i
            for i, (place, plan) in enumerate(zip(self._places, self.plans, strict=True))
        }

    def __len__(self) -> int:
        """Counts the turns."""
        return len(self.plans)

    def audio(self, index: int) -> NDArray[np.float32]:
        """Returns a turn's samples at 16 kHz."""
        shard, place = self._places[index]
        return as_float(self._shards[shard][0][place])

    def prosody(self, index: int) -> NDArray[np.float16]:
        """Returns a turn's prosody (frames, 3) at 50 Hz."""
        shard, place = self._places[index]
        return self._shards[shard][1][place].reshape(-1, PROSODY_DIM)

    def lengths(self) -> list[int]:
        """Counts the frames of each turn at 50 Hz."""
        counts = [prosody.lengths() for _, prosody in self._shards]
        return [int(counts[shard][place]) for shard, place in self._places]

    def earlier(self, index: int, count: int) -> list[int]:
        """Returns the turns before this one in its conversation, latest first."""
        plan, shard = self.plans[index], self._places[index][0]
        turns = range(plan.turn - 1, max(-1, plan.turn - 1 - count), -1)
        found = [self._index.get((shard, plan.dialogue, turn)) for turn in turns]
        return [i for i in found if i is not None]

    def symbols(self) -> set[str]:
        """Returns every symbol that users or replies use."""
        return {s for text in (*self.said, *self.replies) for s in text}

    def missing(self, table: SymbolTable) -> set[str]:
        """Returns the symbols that a table lacks."""
        return {symbol for symbol in self.symbols() if symbol not in table}
