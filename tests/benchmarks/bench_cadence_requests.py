"""Whether Cadence knows values it never met in a request, and what it must decline.

    OMP_NUM_THREADS=1 python tests/benchmarks/bench_cadence_requests.py [WEIGHTS]

WEIGHTS is a folder of weights; by default the shipped ones. `N` fresh single requests of each
kind, other than those of the bundled corpus but for chance: with a value that training held out
of that intent; outside of the domain (104 test lines, said again in other voices); and outside of
it in the lines of ``outside_blind.txt``. Those were written by somebody who knew what the
assistant can do and had seen no other line: whoever writes training lines should not read them.
The lines of ``outside_more.txt`` are later, by the same kind of writer, who had not seen these;
none is one of these word for word, but weights trained on them may find these easier. Test voices
say them, Cadence answers, the judge ASR (Whisper base) hears it, and
`cascadence.metrics.task.judge` decides as in a run. Intervals are 95 % bootstraps over texts. The
bars are those of `BARS`.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np

from cascadence.audio import Audio, concatenate
from cascadence.conversation import AudioRef, Expect, UserTurn
from cascadence.data_manifests.assistant.policy import REPLY_DECLINED
from cascadence.data_manifests.assistant.sampling import sample_dialogue
from cascadence.data_manifests.assistant.scenes import Line
from cascadence.data_manifests.recipes.assistant_expects import expected_act
from cascadence.data_manifests.recipes.voices import voices
from cascadence.events import AudioOut
from cascadence.metrics.task import judge
from cascadence.metrics.tools import JudgeAsr
from cascadence.protocols import Context, Turn
from cascadence.resampling import bootstrap_interval, stable_seed
from cascadence.systems.cadence.data import TurnPlan, quiet, spoken
from cascadence.systems.cadence.system import CadenceReplier

Kind = Literal["held out", "outside", "blind"]

RATE = 16_000
N = 240
RESAMPLES = 2000
BARS: Mapping[Kind, float] = {"held out": 0.60, "outside": 0.90, "blind": 0.90}
BLIND = Path(__file__).parent / "outside_blind.txt"


class _Nothing:
    """Nothing is being played."""

    played_s = remaining_s = 0.0


def lines(kind: Kind, rng: random.Random) -> Iterator[Line]:
    """Draw single requests without end."""
    while kind == "blind":
        texts = BLIND.read_text(encoding="utf-8").splitlines()
        for text in rng.sample(texts, len(texts)):
            yield Line(text, None, {}, REPLY_DECLINED, {}, "decline")
    split: Literal["test", "heldout_value"] = "heldout_value" if kind == "held out" else "test"
    while True:
        dialogue = sample_dialogue(rng, split, 1)
        if kind == "held out" or "out_of_domain" in dialogue.tags:
            yield dialogue.turns[0]


def requests(kind: Kind) -> Iterator[tuple[Line, TurnPlan]]:
    """Draw `N` single requests, each in a test voice, at about its own pace."""
    rng = random.Random(f"bench-{kind}")
    names = [voice.name for voice in voices("test")]
    for line in islice(lines(kind, rng), N):
        rate = round(rng.uniform(0.9, 1.15), 2)
        seed = rng.randrange(2**31)
        plan = TurnPlan(
            0, 0, line.text, line.reply, "", "", {}, rng.choice(names), rate=rate, seed=seed
        )
        yield line, plan


def clip(plan: TurnPlan) -> Audio:
    """Say a request, with a little quiet around it."""
    rng = np.random.default_rng(plan.seed)
    samples = np.concatenate([quiet(0.2, rng), spoken(plan), quiet(0.5, rng)])
    return Audio(samples.astype(np.float32), RATE)


def answered(replier: CadenceReplier, sound: Audio) -> Audio:
    """Let Cadence answer."""
    events = replier.reply(Turn(sound, 0.0, sound.duration_s), (), Context("en", 0, _Nothing()))
    pieces = [
        Audio(event.samples, event.sample_rate) for event in events if isinstance(event, AudioOut)
    ]
    return concatenate(pieces, RATE) if pieces else Audio(np.zeros(RATE, np.float32), RATE)


def met(line: Line, transcript: str, duration_s: float) -> bool:
    """Decide as `task_success` does."""
    expect = Expect(slots=line.expect_slots or expected_act(line), reply_text=line.reply)
    turn = UserTurn(
        text=line.text, audio=AudioRef(path="none.flac"), speech_s=(0.0, duration_s), expect=expect
    )
    return not judge(turn, transcript).unmet


def rate_of(outcomes: Mapping[str, list[bool]], title: str) -> tuple[float, tuple[float, float]]:
    """The share that was met, and its interval over texts."""
    values = [np.array(some, float) for some in outcomes.values()]
    random_ = np.random.default_rng(stable_seed(title))
    picks = random_.integers(0, len(values), (RESAMPLES, len(values)))
    drawn = [np.concatenate([values[k] for k in pick]).mean() for pick in picks]
    return float(np.concatenate(values).mean()), bootstrap_interval(np.array(drawn), len(values))


def main(folder: str | None) -> int:
    """Print both shares; 1 if a bar is missed."""
    listener, missed = JudgeAsr(), 0
    with CadenceReplier(weights=folder) as replier:
        for kind, bar in BARS.items():
            outcomes: dict[str, list[bool]] = {}
            for line, plan in requests(kind):
                sound = clip(plan)
                transcript = str(listener(answered(replier, sound))["text"])
                is_met = met(line, transcript, sound.duration_s)
                outcomes.setdefault(line.text, []).append(is_met)
                if not is_met:
                    sys.stderr.write(f"{kind}: {plan.voice}: {line.text!r} -> {transcript!r}\n")
            value, (low, high) = rate_of(outcomes, kind)
            verdict = "reached" if value >= bar else "missed"
            missed += value < bar
            sys.stdout.write(
                f"{kind:9s} {value:.3f} [{low:.3f}, {high:.3f}]  n = {N} of {len(outcomes)} texts  "
                f"bar {bar:.2f} {verdict}\n"
            )
            sys.stdout.flush()
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else None))
