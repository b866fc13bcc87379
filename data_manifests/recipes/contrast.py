"""Makes the corpus `contrast`: ``python -m cascadence.data_manifests.recipes.contrast``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from cascadence.conversation import Conversation, Pause
from cascadence.data_manifests.recipes.contrast_plan import CAST, SEED, plan
from cascadence.data_manifests.recipes.corpus_files import About
from cascadence.data_manifests.recipes.edits import Hesitating, Stumble
from cascadence.data_manifests.recipes.making import Recipe, main
from cascadence.data_manifests.recipes.planned import Planned

ABOUT: Final = About(
    "contrast",
    "1.0.0",
    """\
Contrast sets: the same words in the same voice, in two or four styles. Eight axes, each a tag: \
axis_rate, axis_pitch, axis_range and axis_loudness (four values, evenly spread in log rate, \
semitones, log range and dB, all else neutral), axis_emotion (four styles that differ in all of \
these), axis_emphasis (the stressed word says what is corrected), axis_question (the final melody \
says whether something is asked or told), axis_hesitation (the same request, fluent and with \
silent and filled pauses). On emphasis and question the right answer depends on the voice alone; \
the text is the same to the full stop. Requests are drawn from the sampler of the domain \
`assistant`, split 'test', none of them a text of that corpus; the voices are synthetic and are \
heard in no training material. A hesitant user's fillers are in style.hesitations and not in the \
text. Every clip was measured after decoding (rate within 5 %, level within 1 dB, median F0 \
within 0.5 semitone) and heard by Whisper base with at most 25 % of its words wrong and no value \
lost, else its whole set was made again in another voice, or dropped: so the corpus is, by \
choice, one that a generic ASR can hear. What was measured, heard and dropped: making.jsonl; the \
doses, measured anew: python -m cascadence.data_manifests.recipes.dose_check contrast.""",
)


def annotate(planned: Planned, conversation: Conversation) -> Conversation:
    """Say where the hesitations of a clip are, from its pauses."""
    sound = planned.turns[0].sound
    if not isinstance(sound, Hesitating):
        return conversation
    (turn,) = conversation.turns
    spans = hesitations_of(turn.pauses, sound.stumbles)
    style = turn.style.model_copy(update={"hesitations": spans})
    told = turn.model_copy(update={"style": style})
    return conversation.model_copy(update={"turns": (told,)})


def hesitations_of(
    pauses: Sequence[Pause], stumbles: Sequence[Stumble]
) -> tuple[tuple[float, float], ...]:
    """Return the span of each hesitation: its silences and what is uttered between them."""
    spans, first = [], 0
    for stumble in stumbles:
        last = pauses[first + stumble.pauses - 1]
        spans.append((pauses[first].at_s, round(last.at_s + last.duration_s, 4)))
        first += stumble.pauses
    return tuple(spans)


RECIPE: Final = Recipe(ABOUT, SEED, plan, CAST, CAST, annotate)

if __name__ == "__main__":
    main(RECIPE)
