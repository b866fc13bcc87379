"""How many bits about the user's style reach the reply: the headline of what a cascade loses.

Contrast sets hold the same words by the same speaker in several styles. What a classifier can read
off the replies about the style is information that went through the system; what it can read off
the users' own clips is the most that could have. `cascadence.metrics.style_information_estimator`
says how it is estimated; this module says of what: of the **voice** (features of the sound), of the
**words**, of both.

Conventions: a conversation belongs to a contrast set by its ``group``, and its turns' styles are
named by `style_label`. Of a reply, the answer is looked at (`PlayedView.answer`): a false start in
the user's pause is not in it. A turn without answer is left out, and counted as ``missing``; a
feature that a sound does not bear (pitch of a whisper) is taken to be at the mean of its set, and
counted as ``imputed``. All cells draw the same folds and exchanges: the same clips have the same
ceiling.

How often the interval (`cascadence.metrics.style_information_interval`) covers what is planted, in
sets of 4 styles with 9 features, one of them informative; 200 seeds, of 60 sets 100. Below 6 sets
there is none. In brackets: by the spread of resampled logarithms.

| sets | 0 bits | 0.5 bits | 1 bit | 1.9 bits | lowest bound |
|---|---|---|---|---|---|
| 4 | 92 % (92) | 91 % (91.5) | 88 % (90) | 82 % (85.5) | -1.3 (-199.1) |
| 5 | 97 % (97.5) | 93 % (93) | 93 % (93.5) | 86 % (90) | -1.0 (-165.3) |
| 6 | 98 % (98) | 93 % (93) | 93 % (93.5) | 90 % (92) | -0.9 (-12.8) |
| 8 | 96.5 % (96) | 93.5 % (93.5) | 93 % (93) | 92.5 % (94) | -0.5 (-13.6) |
| 11 | 98.5 % (98.5) | 94.5 % (94.5) | 93 % (93.5) | 95.5 % (96.5) | -0.4 (-5.4) |
| 20 | 98 % (98) | 95 % (94.5) | 94.5 % (94) | 95 % (96.5) | -0.2 (-2.8) |
| 60 | 94 % (95) | 96 % (95) | 93 % (93) | 94 % (95) | -0.1 (-0.1) |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from cascadence.measurement import Case, Measurement, Tools, Value, metric, skipped
from cascadence.metrics.style_information_estimator import FEWEST_GROUPS, StyleInformation
from cascadence.metrics.style_information_interval import FEWEST_FOR_INTERVAL, ratio_interval
from cascadence.metrics.style_information_sets import (
    Both,
    Channel,
    StyleSets,
    bags,
    by_words,
    collect,
    problem_of,
    reply_words,
    user_and_reply,
    user_voice,
    voices,
)

T = TypeVar("T")

SIGNIFICANT: Final = 0.05


def _measurement(
    found: StyleInformation, channel: Channel, sets: StyleSets[T], **more: Any
) -> Measurement:
    if found.groups < FEWEST_FOR_INTERVAL:
        more["no_interval"] = f"fewer than {FEWEST_FOR_INTERVAL} contrast sets with two styles"
    return Measurement(
        "ok",
        Value(found.bits),
        details={
            "p_value": found.p_value,
            "entropy_bits": found.entropy_bits,
            **more,
            "sets": found.sets,
            "styles": len({style for styles in sets.styles for style in styles}),
            "replies": found.members,
            "features": channel.names,
            "missing": sets.missing,
            "unlabelled": sets.unlabelled,
            "imputed": found.imputed,
        },
        interval=found.interval,
        n=found.groups,
    )


_corpus_metric = partial(
    metric,
    family="paralinguistics",
    unit="bits",
    range=(float("-inf"), float("inf")),
    level="corpus",
    version="3",
)


@_corpus_metric(direction="neither", needs=("features",))
def input_style_bits(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How many bits about the style can be read off the user's own voice: the ceiling.

    The same estimate as `style_information_bits`, from the users' clean clips.
    """
    sets = collect(cases, partial(user_voice, tools))
    if problem := problem_of(sets):
        return skipped(problem)
    channel = voices(sets.members)
    return _measurement(channel.information(sets), channel, sets)


@_corpus_metric(direction="higher", needs=("features", "judge_asr"))
def style_information_bits(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How many bits about the user's style can be read off the reply's voice.

    Entropy of the style within its contrast set less the cross-entropy of a classifier, trained on
    other sets, that sees rate, pitch, level and their like of the replies, relative to the other
    replies to the same words. 0 for a system that is deaf to style, the entropy for one that codes
    it fully; the users' own clips (``input_bits``) are what a faithful system can reach. Estimates
    without information lie around 0, on either side.
    """
    sets = collect(cases, partial(user_and_reply, tools))
    if problem := problem_of(sets):
        return skipped(problem)
    channel = voices([[reply for _, reply, _ in each] for each in sets.members])
    return _measurement(channel.information(sets), channel, sets, input_bits=_ceiling(sets).bits)


@_corpus_metric(direction="higher", needs=("judge_asr",))
def style_information_words_bits(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How many bits about the user's style can be read off the reply's words.

    From the length of the reply and the presence of the words by which the replies of a set differ
    most often. The words are the system's own text, else the judge's transcript (whose errors may
    themselves depend on how the reply sounds). 0 where the style changes no word.
    """
    sets = collect(cases, partial(reply_words, tools))
    if problem := problem_of(sets):
        return skipped(problem)
    channel = bags(sets.groups, sets.members)
    return _measurement(channel.information(sets), channel, sets)


@_corpus_metric(direction="higher", needs=("features", "judge_asr"))
def style_information_both_bits(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How many bits about the user's style can be read off the reply's voice and words together."""
    sets = collect(cases, partial(user_and_reply, tools))
    if problem := problem_of(sets):
        return skipped(problem)
    channel = voices([[reply for _, reply, _ in each] for each in sets.members])
    channel += bags(sets.groups, [[said for _, _, said in each] for each in sets.members])
    return _measurement(channel.information(sets), channel, sets, input_bits=_ceiling(sets).bits)


def _ceiling(sets: StyleSets[Both]) -> StyleInformation:
    """What the users' voices tell, on those turns that were answered."""
    return voices([[user for user, _, _ in each] for each in sets.members]).information(sets)


_share_metric = partial(
    _corpus_metric, unit="ratio", direction="higher", needs=("features", "judge_asr")
)


@_share_metric()
def style_preservation(cases: Sequence[Case], tools: Tools) -> Measurement:
    """What share of the bits about the style in the user's voice is in the reply's voice.

    `style_information_bits` over `input_style_bits`, both on the turns that were answered;
    interval by leaving out each set in both (Fieller's). 1 for a parrot, around 0 for a system that
    is deaf to style. A voice that codes the style more clearly than the user did exceeds 1.
    """
    sets = collect(cases, partial(user_and_reply, tools))
    if problem := problem_of(sets):
        return skipped(problem)
    return _share(sets)


@_share_metric(version="1")
def style_preservation_same_words(cases: Sequence[Case], tools: Tools) -> Measurement:
    """What share of the bits about the style is in the reply's voice where the words are the same.

    `style_preservation` among those replies of a contrast set only that are in the same words. A
    system that mishears one style more than another, or is cut off by its pauses, gives other
    replies to it, and other words have another length, rate and melody: `style_preservation` finds
    those, this does not. Replies whose words no reply to another style of the set shares are left
    out (``other_words``); the fewer remain, the less it speaks for all.
    """
    every = collect(cases, partial(user_and_reply, tools))
    if problem := problem_of(every):
        return skipped(problem)
    sets = by_words(every)
    if len(set(sets.groups)) < FEWEST_GROUPS:
        return skipped(f"fewer than {FEWEST_GROUPS} contrast sets with replies in the same words")
    return _share(sets, other_words=sum(map(len, every.members)) - sum(map(len, sets.members)))


def _share(sets: StyleSets[Both], **more: Any) -> Measurement:
    """Divide what the replies' voices tell by what the users' do."""
    user = _ceiling(sets)
    if user.p_value >= SIGNIFICANT or user.bits <= 0.0:
        return skipped("the users' styles cannot be told apart by their voices")
    channel = voices([[reply for _, reply, _ in each] for each in sets.members])
    reply = channel.information(sets)
    interval = ratio_interval(reply.bits, user.bits, reply.without_one, user.without_one)
    more |= {"bits": reply.bits, "input_bits": user.bits, "input_p_value": user.p_value}
    if interval is None:
        more["no_interval"] = "the users' bits are too uncertain to divide by"
    return replace(
        _measurement(reply, channel, sets, **more),
        quantity=Value(reply.bits / user.bits),
        interval=interval,
    )
