"""Makes the corpus `duplex`: ``python -m cascadence.data_manifests.recipes.duplex``.

With ``--count``, tells instead how many events of each type the corpus folder holds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from cascadence.conversation import Conversation, UserTurn
from cascadence.corpus import Corpus
from cascadence.data_manifests.recipes import corpus_files
from cascadence.data_manifests.recipes.corpus_files import About
from cascadence.data_manifests.recipes.duplex_plan import CAST, SEED, TYPES, plan
from cascadence.data_manifests.recipes.making import Recipe, make
from cascadence.data_manifests.recipes.phrases_joined import Answered
from cascadence.data_manifests.recipes.voices import voice

ABOUT: Final = About(
    "duplex",
    "1.0.0",
    """\
Turn-taking events, each type a tag: turn_end (smooth ends of turns without a silence that could \
be taken for one), pause (0.3 to 1.5 s, at the end of a phrase or inside of it: pause_boundary, \
pause_inside, pause_300ms and so on), barge_in_correction, barge_in_stop (stop_cancel takes the \
request back, stop_silent only wants quiet), barge_in_topic, backchannel (the user acknowledges \
the reply; mm_hmm where it is a hum), backchannel_opportunity (longer turns in which a listener \
would acknowledge), aside (the user, turned away, speaks to somebody in the room: aside_alone, \
aside_answered by a second voice in the same clip), background_over_reply and \
background_after_reply (somebody else talks further away, 12 dB below the user). A conversation \
holds one event, or one in the reply and one after it. Nothing but a backchannel can be said into \
a reply without claiming the floor: so background_over_reply is one too, and \
backchannel_error_rate covers both; the tags tell them apart. \
After asides and background speech, silence is expected; of a reply that is interrupted, nothing. \
Pauses are made by joining phrases that were said separately, and are annotated from the decoded \
clip. backchannels_s is made by rule, not by people: 0.25 s after the start of each pause of the \
turns tagged backchannel_opportunity. Requests and replies are drawn from the sampler of the \
domain `assistant`, split 'test', none of them a text of that corpus; what is said to somebody \
else was written for this corpus. The voices are synthetic and are heard in no training material. \
Every clip was measured after decoding (rate within 5 %, level within 1 dB, median F0 within 0.5 \
semitone) and heard by Whisper base with at most 25 % of its words wrong and no value lost, else \
its conversation was made again in another voice, or dropped: so the corpus is, by choice, one \
that a generic ASR can hear. Of a hum the judge must hear no word. \
What was measured, heard and dropped: making.jsonl.""",
)
RECIPE: Final = Recipe(ABOUT, SEED, plan, CAST, CAST)

LISTENER_AFTER_S: Final = 0.25
"""How long after the start of a pause a listener is taken to acknowledge."""


def annotate(folder: Path) -> None:
    """Write into the manifest where listeners acknowledge, and the licences of second voices."""
    others = {
        (one.id, number): turn.sound.other
        for one in plan()
        for number, turn in enumerate(one.turns)
        if isinstance(turn.sound, Answered)
    }
    conversations = [_annotated(one, others) for one in Corpus(folder, ABOUT.name)]
    making = (folder / corpus_files.MAKING).read_text(encoding="utf-8")
    notes = [json.loads(line) for line in making.splitlines()]
    corpus_files.write(folder, ABOUT, conversations, notes)


def _annotated(conversation: Conversation, others: Mapping[tuple[str, int], str]) -> Conversation:
    turns = conversation.turns
    if "backchannel_opportunity" in conversation.tags:
        turns = tuple(_listened(turn) for turn in turns)
    names = [name for (planned, _), name in others.items() if planned == conversation.id]
    licence = conversation.licence
    for name in (voice(name).licence.name for name in names):
        licence = licence if name in licence else f"{licence}, {name}"
    return conversation.model_copy(update={"turns": turns, "licence": licence})


def _listened(turn: UserTurn) -> UserTurn:
    at_s = tuple(round(pause.at_s + LISTENER_AFTER_S, 4) for pause in turn.pauses)
    return turn.model_copy(update={"backchannels_s": at_s})


def counts(conversations: Iterable[Conversation]) -> dict[str, tuple[int, int]]:
    """Count the events of each type and the voices that speak in them.

    Returns:
        For each of `TYPES`, how many events, and by how many voices of users.
    """
    speakers: dict[str, list[str]] = {kind: [] for kind in TYPES}
    for one in conversations:
        for kind in set(TYPES) & set(one.tags):
            speakers[kind].append(str(one.turns[0].speaker))
    return {kind: (len(names), len(set(names))) for kind, names in speakers.items()}


def _tell_counts(folder: Path) -> None:
    found = counts(Corpus(folder, ABOUT.name))
    lines = [f"{'event':<26}{'events':>8}{'voices':>8}"]
    lines += [f"{kind:<26}{events:>8}{voices:>8}" for kind, (events, voices) in found.items()]
    lines.append(f"{'all':<26}{sum(events for events, _ in found.values()):>8}")
    sys.stdout.write("\n".join(lines) + "\n")


def main() -> None:
    """Read the command line, and make the corpus or count what is in it."""
    parser = argparse.ArgumentParser(description="Makes the corpus 'duplex'.")
    here = Path(__file__).resolve().parent.parent / ABOUT.name
    parser.add_argument("--out", type=Path, default=here, help="corpus folder")
    parser.add_argument("--work", type=Path, help="keeps finished clips between runs")
    parser.add_argument("--limit", type=int, help="only so many conversations")
    parser.add_argument("--count", action="store_true", help="tell what the corpus folder holds")
    options = parser.parse_args()
    if options.count:
        _tell_counts(options.out)
        return
    count = make(RECIPE, options.out, options.work, options.limit)
    annotate(options.out)
    sys.stderr.write(f"{count} conversations in {options.out}\n")


if __name__ == "__main__":
    main()
