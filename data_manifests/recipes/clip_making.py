"""Makes one clip and checks it: the dose that was imposed, and what the judge hears of it."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from cascadence.audio import Audio, audible_runs
from cascadence.conversation import Pause
from cascadence.data_manifests.recipes import resynthesis
from cascadence.data_manifests.recipes.clips import (
    CLIP_RATE_HZ,
    Spoken,
    active_level_dbfs,
    place,
    trimmed,
)
from cascadence.data_manifests.recipes.listening import Hearing, compare, transcript
from cascadence.data_manifests.recipes.ogg import with_serial
from cascadence.data_manifests.recipes.planned import Sound
from cascadence.data_manifests.recipes.voices import Prosody, Voice
from cascadence.errors import CascadenceError

WORST_WER: Final = 0.25
_SERIAL: Final = 0x43415343
RATE_TOLERANCE: Final = 0.05
PITCH_TOLERANCE_ST: Final = 0.5
LEVEL_TOLERANCE_DB: Final = 1.0


@dataclass(frozen=True, slots=True)
class Dose:
    """What a clip's style measures, relative to the same voice saying the same words neutrally.

    Attributes:
        rate: ratio of durations.
        pitch_st: difference of median F0, semitones.
        range_ratio: ratio of p95 - p5 of F0 in semitones.
        level_db: difference of active speech level.
    """

    rate: float
    pitch_st: float
    range_ratio: float
    level_db: float

    def misses(self, style: Prosody) -> list[str]:
        """Name what is further from the style than it may be; range is reported, not judged."""
        off = {
            "rate": abs(self.rate / style.rate - 1.0) > RATE_TOLERANCE,
            "pitch": abs(self.pitch_st - style.pitch_st) > PITCH_TOLERANCE_ST,
            "level": abs(self.level_db - style.level_db) > LEVEL_TOLERANCE_DB,
        }
        return [name for name, is_off in off.items() if is_off]


@dataclass(frozen=True, slots=True)
class Clip:
    """A finished clip.

    Attributes:
        spoken: the sound as it decodes, and its boundaries.
        opus: the file's bytes.
    """

    spoken: Spoken
    opus: bytes

    def pauses(self, count: int) -> tuple[Pause, ...]:
        """Return the longest silences inside the speech, in order.

        Args:
            count: how many were planted.

        Raises:
            CascadenceError: there are fewer.
        """
        gaps = self._gaps()
        if len(gaps) < count:
            raise CascadenceError(f"{len(gaps)} silences where {count} pauses were planted")
        longest = sorted(sorted(gaps, reverse=True)[:count], key=lambda gap: gap[1])
        return tuple(Pause(at_s=round(at, 4), duration_s=round(gap, 4)) for gap, at in longest)

    def _gaps(self) -> list[tuple[float, float]]:
        """Silences inside the speech: length and start, seconds."""
        runs = audible_runs(self.spoken.audio)
        return [(after[0] - before[1], before[1]) for before, after in pairwise(runs)]


@dataclass(frozen=True, slots=True)
class JudgedClip(Clip):
    """A clip that was measured and heard.

    Attributes:
        dose: measured on the decoded sound.
        hearing: what the judge heard in the decoded sound.
    """

    dose: Dose
    hearing: Hearing

    def faults(self, sound: Sound) -> list[str]:
        """Say why the clip may not be shipped; empty where it may."""
        faults = [f"{name} is off" for name in self.dose.misses(sound.prosody)]
        if self.hearing.wer > WORST_WER:
            faults.append(f"WER {self.hearing.wer:.2f}")
        faults += [f"lost {name}" for name in self.hearing.lost]
        return faults + sound.objections([gap_s for gap_s, _ in self._gaps()])


def render_clip(voice: Voice, text: str, sound: Sound, seed: int) -> Clip:
    """Speak a text and encode it.

    Args:
        voice: who speaks.
        text: what is said.
        sound: how.
        seed: draws the quiet around the speech.

    Raises:
        CascadenceError: the synthesiser is missing or failed.
    """
    data = encode(_placed(voice, text, sound, seed).audio)
    return Clip(_decoded(data), data)


def judge_clip(
    voice: Voice,
    text: str,
    sound: Sound,
    values: Mapping[str, tuple[str, ...]],
    seed: int,
    work: Path | None = None,
) -> JudgedClip:
    """Do as `render_clip`, then measure and hear what is left after decoding.

    Args:
        voice: who speaks.
        text: what is said.
        sound: how.
        values: accepted spoken forms of the values in force (see `listening.compare`).
        seed: draws the quiet around the speech.
        work: folder that keeps finished clips, so that an interrupted run goes on.

    Raises:
        CascadenceError: the synthesiser is missing or failed.
    """
    parts = (repr(voice), text, repr(sound), seed)
    stem = hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:24]
    kept = None if work is None else work / stem
    if kept is not None and kept.with_suffix(".json").exists():
        return _kept(kept, text, values)
    made = render_clip(voice, text, sound, seed)
    neutral = _placed(voice, text, sound.unstyled(), seed)
    hearing = compare(transcript(made.spoken.audio), text, values)
    clip = JudgedClip(made.spoken, made.opus, measure(made.spoken, neutral), hearing)
    if kept is not None:
        _keep(kept, clip)
    return clip


def _placed(voice: Voice, text: str, sound: Sound, seed: int) -> Spoken:
    rng = np.random.default_rng(seed)
    return place(sound.render(voice, text), sound.prosody.level_db, rng)


def measure(spoken: Spoken, neutral: Spoken) -> Dose:
    """Measure how a clip differs from its neutral rendering.

    Durations are taken between edges relative to each clip's own loudest frame: what is audible
    depends on the level as well.
    """
    speech, plain = trimmed(spoken.audio), trimmed(neutral.audio)
    pitch, plain_pitch = resynthesis.measure_pitch(speech), resynthesis.measure_pitch(plain)
    return Dose(
        rate=plain.duration_s / speech.duration_s,
        pitch_st=pitch.median_st - plain_pitch.median_st,
        range_ratio=pitch.range_st / max(plain_pitch.range_st, 1e-3),
        level_db=active_level_dbfs(speech) - active_level_dbfs(plain),
    )


def encode(audio: Audio) -> bytes:
    """Encode to Ogg Opus, about 30 kb/s; decoding gives as many samples, without delay.

    The same sound gives the same bytes.
    """
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, audio.samples, audio.sample_rate, format="OGG", subtype="OPUS")
    return with_serial(buffer.getvalue(), _SERIAL)


def decode(data: bytes) -> Audio:
    """Decode what `encode` made.

    Raises:
        CascadenceError: it is not 16 kHz mono.
    """
    import soundfile

    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    if rate != CLIP_RATE_HZ or samples.ndim != 1:
        raise CascadenceError(f"decoded to {rate} Hz and {samples.ndim} dimensions")
    return Audio(np.clip(samples, -1.0, 1.0), rate)


def _keep(stem: Path, clip: JudgedClip) -> None:
    stem.parent.mkdir(parents=True, exist_ok=True)
    stem.with_suffix(".opus").write_bytes(clip.opus)
    notes = {
        "dose": dataclasses.asdict(clip.dose),
        "heard": clip.hearing.text,
    }
    # The notes come last: where they are, the sound is whole.
    stem.with_suffix(".json").write_text(json.dumps(notes), encoding="utf-8")


def _kept(stem: Path, text: str, values: Mapping[str, tuple[str, ...]]) -> JudgedClip:
    notes = json.loads(stem.with_suffix(".json").read_text(encoding="utf-8"))
    data = stem.with_suffix(".opus").read_bytes()
    hearing = compare(notes["heard"], text, values)
    return JudgedClip(_decoded(data), data, Dose(**notes["dose"]), hearing)


def _decoded(data: bytes) -> Spoken:
    """The clip as everybody will hear it; its floor is 20 dB below what counts as audible."""
    audio = decode(data)
    runs = audible_runs(audio)
    if not runs:
        raise CascadenceError("nothing is audible after decoding")
    return Spoken(audio, (round(runs[0][0], 4), round(runs[-1][1], 4)))
