"""How many bits about the style can be read off the clips of `contrast`, axis by axis.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_contrast_bits.py [corpus]

`input_style_bits` on the sets of each axis, from the bundled clips alone: no system takes part. The
bar is `LEAST` of the style's entropy on every axis but emphasis and hesitation, whose styles are
told by tasks and not by features of the whole clip; below it the exit status is 1.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from cascadence.audio import Audio, silence
from cascadence.conversation import Conversation
from cascadence.corpus import open_corpus
from cascadence.measurement import Case, Measurement, Value
from cascadence.metrics.style_information import input_style_bits
from cascadence.metrics.tools import Features
from cascadence.recording import Recording
from cascadence.simulator import PlayedTurn

LEAST = 0.8
EXEMPT = frozenset({"axis_emphasis", "axis_hesitation"})


class Measured:
    """The tool ``features``, each clip measured once."""

    def __init__(self) -> None:
        self.features = Features()
        self.known: dict[str, Mapping[str, Any]] = {}

    def use(self, name: str, audio: Audio) -> Mapping[str, Any]:
        key = audio.sha256()
        if key not in self.known:
            self.known[key] = self.features(audio)
        return self.known[key]


def unanswered(conversation: Conversation, clips: Sequence[Audio]) -> Case:
    """A conversation of one turn to which nobody replies."""
    (clip,), (turn,) = clips, conversation.turns
    heard = PlayedTurn(0, 0.0, *turn.speech_s, "reply_ended")
    quiet = silence(clip.duration_s, clip.sample_rate)
    recording = Recording(
        conversation.id, "nobody", 0, clip, quiet, (), (heard,), (), "virtual", 0.0
    )
    return Case(recording, conversation, clips)


def bits_by_axis(name: str) -> dict[str, Measurement]:
    """Measure every axis of a corpus, and all of them together."""
    corpus, tools = open_corpus(name), Measured()
    cases: dict[str, list[Case]] = defaultdict(list)
    for conversation in corpus:
        case = unanswered(conversation, corpus.clips(conversation))
        for axis in [tag for tag in conversation.tags if tag.startswith("axis_")]:
            cases[axis].append(case)
            cases["all"].append(case)
    return {axis: input_style_bits.function(found, tools) for axis, found in cases.items()}


def main() -> int:
    """Print the table; return the exit status."""
    short = 0
    sys.stdout.write(f"{'axis':18s}{'bits':>7s}{'entropy':>9s}{'share':>7s}  95 %{'':12s}sets\n")
    for axis, found in bits_by_axis(sys.argv[1] if len(sys.argv) > 1 else "contrast").items():
        if not isinstance(found.quantity, Value) or found.interval is None:
            sys.stdout.write(f"{axis:18s}{found.status}\n")
            short += 1
            continue
        bits, entropy = found.quantity.x, found.details["entropy_bits"]
        low, high = found.interval
        missed = axis not in EXEMPT and bits < LEAST * entropy
        short += missed
        sys.stdout.write(
            f"{axis:18s}{bits:7.2f}{entropy:9.2f}{bits / entropy:7.0%}"
            f"  {low:.2f} to {high:.2f}{found.n:8d}{'  BELOW' if missed else ''}\n"
        )
    sys.stdout.write(f"bar: {LEAST:.0%} of the entropy: {'missed' if short else 'reached'}\n")
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
