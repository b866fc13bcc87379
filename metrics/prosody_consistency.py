"""Prosodic consistency as people would rate it, by the AutoPCP model that the user brings.

Like the other measures of this family it compares two renderings of the same words, the pairs of
`cascadence.metrics.prosody_pairs`; unlike them it was learnt: speech-encoder embeddings of both
sounds go into a regressor that was taught people's ratings from 1 (differs much) to 4 (the same
way of speaking). It needs a file that an environment variable names (``docs/backends.md``), and is
skipped without. The tool is `cascadence.metrics.backends.AutoPcp`.
"""

from __future__ import annotations

from cascadence.measurement import Case, Measurement, Tools, failed, metric, skipped, value
from cascadence.metrics.backends import LONGEST_S, PCP_BOUNDS, BackendFailed, pair_question
from cascadence.metrics.prosody_pairs import sounds_on
from cascadence.metrics.quality import SHORTEST_S
from cascadence.metrics.turns import PlayedView, claims_floor, each_turn


@metric(
    family="prosody",
    unit="PCP",
    direction="higher",
    range=PCP_BOUNDS,
    level="turn",
    needs=("auto_pcp", "judge_asr"),
    reference="arXiv 2312.05187 (AutoPCP)",
    version="2",
)
def auto_pcp(case: Case, tools: Tools) -> list[Measurement]:
    """Predicted prosodic consistency of the reply with the user, by the AutoPCP model configured.

    On people's scale from 1 to 4, not clipped; the mean of both orders, user first and reply first,
    which are in the details. Skipped where the reply has other words than the user (by the system's
    own text, else by the judge ASR), and where one of the two lasts less than 0.5 s or more than
    30 s: cut to the same length, two renderings would no longer have the same words.

    Whether the file holds AutoPCP is the user's word: the tool's version names its hash, and values
    of two files do not compare. The published model learnt from pairs of languages, and its encoder
    hears words and voices as well: compare systems by it, do not quote it as a rating.
    """

    def consistency(seen: PlayedView) -> Measurement:
        sounds = sounds_on(seen, tools)
        if isinstance(sounds, Measurement):
            return sounds
        shortest_s, longest_s = sorted((sounds.user.duration_s, sounds.reply.duration_s))
        if shortest_s < SHORTEST_S:
            return skipped(f"the user or the reply is shorter than {SHORTEST_S} s")
        if longest_s > LONGEST_S:
            return skipped(f"the user or the reply is longer than {LONGEST_S:.0f} s")
        try:
            found = tools.use("auto_pcp", pair_question(sounds.user, sounds.reply))
        except BackendFailed as error:
            return failed(str(error))
        orders = {name: found[name] for name in ("reference_first", "reply_first")}
        return value(found["pcp"], **orders)

    return each_turn(case, consistency, claims_floor)
