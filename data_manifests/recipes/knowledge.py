"""Makes the corpus `knowledge`: ``python -m cascadence.data_manifests.recipes.knowledge``."""

from __future__ import annotations

from typing import Final

from cascadence.data_manifests.recipes.corpus_files import About
from cascadence.data_manifests.recipes.knowledge_plan import CAST, SEED, plan
from cascadence.data_manifests.recipes.making import Recipe, main

ABOUT: Final = About(
    "knowledge",
    "1.0.0",
    """\
Short spoken questions of common knowledge: capitals, geography, chemistry, biology, physics, \
arithmetic, units, history, language, definitions and the arts. Each has one answer, which does \
not change, with the short forms of it that are accepted; no answer is in its question, and none \
can be had by saying yes or no. Tagged by topic, by the number of facts or operations that the \
answer is made of (one_step, two_steps), and where the answer is a number. The questions were \
written for this corpus. The voices are synthetic and are heard in no training material; their \
style stays close to neutral. Every clip was heard by Whisper base with at most 25 % of its words \
wrong and none of the words lost without which nobody could answer, else it was made again, \
calmer or in another voice, or dropped: so the corpus is, by choice, one that a generic ASR can \
hear. What was measured, heard and dropped: making.jsonl.""",
)
RECIPE: Final = Recipe(ABOUT, SEED, plan, CAST, CAST)

if __name__ == "__main__":
    main(RECIPE)
