"""Makes the corpus `duplex`: ``python -m cascadence.data_manifests.recipes.duplex``."""

from __future__ import annotations

from typing import Final

from cascadence.conversation import Conversation, UserTurn
from cascadence.data_manifests.recipes.corpus_files import About
from cascadence.data_manifests.recipes.duplex_plan import CAST, SEED, plan
from cascadence.data_manifests.recipes.making import Recipe, main
from cascadence.data_manifests.recipes.phrases_joined import Answered
from cascadence.data_manifests.recipes.planned import Planned
from cascadence.data_manifests.recipes.voices import voice

ABOUT: Final = About(
    "duplex",
    "2.0.0",
    """\
Turn-taking events, each type a tag: turn_end (smooth ends of turns without a silence that could \
be taken for one), pause (0.3 to 1.5 s, at the end of a phrase or inside of it: pause_boundary, \
pause_inside, pause_300ms and so on), barge_in_correction, barge_in_stop (stop_cancel takes the \
request back, stop_silent only wants quiet), barge_in_topic, backchannel (the user acknowledges \
the reply; mm_hmm where it is a hum), backchannel_opportunity (longer turns in which a listener \
would acknowledge), aside (the user, turned away, speaks to somebody in the room: aside_alone, \
aside_answered by a second voice in the same clip), background_over_reply and \
background_after_reply (somebody else talks further away, 12 dB below the user). A conversation \
holds one event, or one in the reply and one after it. background_over_reply is an aside into \
the reply, background_after_reply one after it: aside_error_rate covers both; the tags tell them \
apart. After asides and background speech, silence is expected; of a reply that is interrupted, \
nothing. \
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

LISTENER_AFTER_S: Final = 0.25
"""How long after the start of a pause a listener is taken to acknowledge."""


def annotate(planned: Planned, conversation: Conversation) -> Conversation:
    """Say where listeners acknowledge, and the licences of second voices."""
    turns = conversation.turns
    if "backchannel_opportunity" in conversation.tags:
        turns = tuple(_listened(turn) for turn in turns)
    licence = conversation.licence
    for turn in planned.turns:
        if isinstance(turn.sound, Answered):
            name = voice(turn.sound.other).licence.name
            licence = licence if name in licence else f"{licence}, {name}"
    return conversation.model_copy(update={"turns": turns, "licence": licence})


def _listened(turn: UserTurn) -> UserTurn:
    at_s = tuple(round(pause.at_s + LISTENER_AFTER_S, 4) for pause in turn.pauses)
    return turn.model_copy(update={"backchannels_s": at_s})


RECIPE: Final = Recipe(ABOUT, SEED, plan, CAST, CAST, annotate)

if __name__ == "__main__":
    main(RECIPE)
