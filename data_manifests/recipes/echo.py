"""Makes the corpus `echo`: ``python -m cascadence.data_manifests.recipes.echo``."""

from __future__ import annotations

from typing import Final

from cascadence.data_manifests.recipes.corpus_files import About
from cascadence.data_manifests.recipes.echo_plan import CAST, SEED, plan
from cascadence.data_manifests.recipes.making import Recipe, main

ABOUT: Final = About(
    "echo",
    "1.0.0",
    """\
Sentences that a system is told to repeat in the way in which they were said, for the metrics of \
prosody similarity: the user's own clip is the reference of the reply. Contrast sets (same words, \
same voice) of eight styles: neutral; fast, high, flat and soft, which move one thing alone; \
excited and sad, which move several together; and halting, with a pause. The feelings are \
combinations of rate, pitch, range and level, and no acting. The sentences were written for this \
corpus. The voices are synthetic and are heard in no training material. Style is imposed by WORLD \
resynthesis and measured again on the decoded clip (rate within 5 %, level within 1 dB, median F0 \
within 0.5 semitone). Every clip was heard by Whisper base with at most 25 % of its words wrong, \
else its whole set was made again in another voice, or dropped. What was measured, heard and \
dropped: making.jsonl.""",
)
RECIPE: Final = Recipe(ABOUT, SEED, plan, CAST, CAST)

if __name__ == "__main__":
    main(RECIPE)
