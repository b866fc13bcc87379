"""Makes the corpus `assistant`: ``python -m cascadence.data_manifests.recipes.assistant``."""

from __future__ import annotations

from typing import Final

from cascadence.data_manifests.recipes.assistant_plan import CAST, CONTRAST_CAST, SEED, plan
from cascadence.data_manifests.recipes.corpus_files import About
from cascadence.data_manifests.recipes.making import Recipe, main

ABOUT: Final = About(
    "assistant",
    "2.0.0",
    """\
Spoken requests to a home assistant: single and multi-turn conversations with corrections, \
anaphora and clarifications, requests outside the domain, rooms in which nobody speaks, and \
contrast sets (same words, same voice, four styles). Text, values and replies are drawn from the \
domain's own sampler: split 'test', combinations of values that no training dialogue holds, and, \
tagged 'heldout_value', values that no training dialogue holds in their intent. The \
voices are synthetic and are heard in no training material. Style is imposed by WORLD \
resynthesis and measured again on the decoded clip (rate within 5 %, level within 1 dB, median \
F0 within 0.5 semitone); speech boundaries are where the speech becomes audible (10 ms frames at \
-50 dBFS; the noise floor lies at -70) and stops being so. Every clip was heard by Whisper base \
with at most 25 % of its words wrong and no value lost, else it was made again, calmer or in \
another voice, or dropped: so the corpus is, by choice, one that a generic ASR can hear. What was \
measured, heard and dropped: making.jsonl.""",
)
RECIPE: Final = Recipe(ABOUT, SEED, plan, CAST, CONTRAST_CAST)

if __name__ == "__main__":
    main(RECIPE)
