"""How many bits about the user's style reach the reply: the headline of what a cascade loses.

Contrast sets hold the same words by the same speaker in several styles. What a classifier can read
off the replies about the style is information that went through the system; what it can read off
the users' own clips is the most that could have. `cascadence.metrics.style_information_estimator`
says how it is estimated; this module says of what: of the **voice** (features of the sound), of the
**words**, of both.

Conventions: a conversation belongs to a contrast set by its ``group``, and its turns' styles are
named by `style_label`. A turn without reply is left out, and counted as ``missing``; a feature that
a sound does not bear (pitch of a whisper) is taken to be at the mean of its set, and counted as
``imputed``. All cells draw the same folds and exchanges: the same clips have the same ceiling.

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

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from cascadence.conversation import Conversation, UserTurn
from cascadence.measurement import Case, Measurement, Tools, Value, metric, skipped
from cascadence.metrics.paralinguistics import LEVEL, PITCH, RATE, Feature, Utterance, said
from cascadence.metrics.style_information_estimator import (
    FEWEST_GROUPS,
    StyledSet,
    StyleInformation,
    groups_of,
    style_information,
)
from cascadence.metrics.style_information_interval import FEWEST_FOR_INTERVAL, ratio_interval
from cascadence.metrics.text import words
from cascadence.metrics.turns import PlayedView, expects_reply, view

Floats = npt.NDArray[np.float64]
T = TypeVar("T")

SEED_NAME: Final = "contrast sets"
MOST_WORDS: Final = 8
"""Words looked at: as many features as a voice has, since each costs a small corpus some bits."""
SIGNIFICANT: Final = 0.05
MONOTONE_ST: Final = 0.1
"""Narrowest range that is told from none: hums of one F0 are measured as 0.01 to 0.09 st."""


def _number(key: str, utterance: Utterance) -> float | None:
    found: float | None = utterance.features.get(key)
    return found


def _octaves_of_range(utterance: Utterance) -> float | None:
    """Take the range as a scale: twice as lively is as far from once as once is from half."""
    range_st = _number("f0_range_st", utterance)
    return None if range_st is None else float(np.log2(max(range_st, MONOTONE_ST)))


VOICE: Final = (
    RATE,
    PITCH,
    LEVEL,
    Feature("f0_range", _octaves_of_range, 0.1),
    Feature("level_range", partial(_number, "level_range_db"), 0.5),
    Feature("pause_ratio", partial(_number, "pause_ratio"), 0.01),
    Feature("final_f0_slope", partial(_number, "final_f0_slope_st_per_s"), 1.0),
    Feature("spectral_tilt", partial(_number, "spectral_tilt_db_per_octave"), 0.25),
    Feature("hnr", partial(_number, "hnr_db"), 0.5),
)
"""What a voice is described by; a feature that the tool does not tell is left out."""


def style_label(conversation: Conversation, turn: UserTurn) -> str | None:
    """Name the style in which a turn is spoken, inside its contrast set.

    The first that the manifest tells: ``style.label``; ``style.emotion``; ``style.sentence_type``
    and ``style.sarcasm`` together; what the conversation's id has beyond its group
    (``contrast-08-sad``). Not the numbers: the same style of two speakers need not have the same.

    Args:
        conversation: with a group.
        turn: one of its turns.

    Returns:
        ``None`` where nothing is told.
    """
    style = turn.style
    sarcasm = {None: "", True: "sarcastic", False: "sincere"}[style.sarcasm]
    kind = f"{style.sentence_type or ''} {sarcasm}".strip()
    beyond = ""
    if conversation.group and conversation.id.startswith(conversation.group):
        beyond = conversation.id.removeprefix(conversation.group).strip("-._")
    return style.label or style.emotion or kind or beyond or None


@dataclass(frozen=True, slots=True)
class _Sets(Generic[T]):
    """What was read of the turns of contrast sets.

    Attributes:
        groups: of each set.
        styles: of its members.
        members: what was read of them.
        missing: turns of contrast sets of which nothing could be read.
        unlabelled: turns whose style has no name.
    """

    groups: list[str]
    styles: list[tuple[str, ...]]
    members: list[list[T]]
    missing: int
    unlabelled: int

    def table(self, features: Sequence[Floats]) -> list[StyledSet]:
        """Give each set its features, shape ``(members, features)`` each."""
        return [
            StyledSet(group, styles, values)
            for group, styles, values in zip(self.groups, self.styles, features, strict=True)
        ]


def _collect(cases: Sequence[Case], read: Callable[[PlayedView], T | None]) -> _Sets[T]:
    """Read something of every turn of a contrast set that expects a reply."""
    found: dict[tuple[str, int, int], list[tuple[str, str, T]]] = defaultdict(list)
    missing = unlabelled = 0
    for case in cases:
        told = case.conversation
        for played in case.recording.turns if told.group is not None else ():
            turn = told.turns[played.index]
            if told.group is None or not expects_reply(turn):
                continue
            style = style_label(told, turn)
            if style is None:
                unlabelled += 1
                continue
            member = read(view(case, played))
            if member is None:
                missing += 1
            else:
                place = (told.group, case.recording.repeat, played.index)
                found[place].append((style, told.id, member))
    ordered = [(place, sorted(found[place], key=lambda one: one[:2])) for place in sorted(found)]
    return _Sets(
        groups=[place[0] for place, _ in ordered],
        styles=[tuple(style for style, _, _ in members) for _, members in ordered],
        members=[[member for _, _, member in members] for _, members in ordered],
        missing=missing,
        unlabelled=unlabelled,
    )


def _problem(sets: _Sets[T]) -> str:
    """Say why nothing can be estimated from these sets; empty where it can."""
    if not sets.groups:
        if sets.missing:
            return "no replies to compare"
        return "the styles have no names" if sets.unlabelled else "no contrast sets in this corpus"
    if len({style for styles in sets.styles for style in styles}) < 2:
        return "fewer than two styles to tell apart"
    bare = sets.table([np.zeros((len(styles), 0)) for styles in sets.styles])
    if len(groups_of(bare)) < FEWEST_GROUPS:
        return f"fewer than {FEWEST_GROUPS} contrast sets with two styles"
    return ""


def _voice(features: Mapping[str, Any], said: Callable[[], str]) -> Floats | None:
    """Describe a voice, shape ``(features,)``, NaN for what it does not bear; ``None``: nothing."""
    utterance = Utterance(features, said)
    read = [feature.read(utterance) for feature in VOICE]
    numbers = np.array([np.nan if value is None else value for value in read], dtype=np.float64)
    return None if np.isnan(numbers).all() else numbers


def _user_voice(tools: Tools, seen: PlayedView) -> Floats | None:
    return _voice(tools.use("features", seen.clip), partial(str, seen.turn.text))


def _reply_voice(tools: Tools, seen: PlayedView) -> Floats | None:
    if seen.reply is None:
        return None
    return _voice(tools.use("features", seen.reply), partial(said, seen, tools))


def _reply_words(tools: Tools, seen: PlayedView) -> list[str] | None:
    return None if seen.reply is None else words(said(seen, tools))


_Both = tuple[Floats, Floats, list[str]]


def _user_and_reply(tools: Tools, seen: PlayedView) -> _Both | None:
    """Voice of the user, voice of the reply, its words; ``None`` where either voice is missing."""
    reply = _reply_voice(tools, seen)
    user = None if reply is None else _user_voice(tools, seen)
    return None if reply is None or user is None else (user, reply, words(said(seen, tools)))


@dataclass(frozen=True, slots=True, eq=False)
class _Channel:
    """Features of all members, with what they are called and how much of each is noticed.

    Attributes:
        names: of the features.
        values: of each set, shape ``(members, features)``.
        smallest_spread: see `Feature`, shape ``(features,)``.
    """

    names: list[str]
    values: list[Floats]
    smallest_spread: Floats

    def __add__(self, other: _Channel) -> _Channel:
        return _Channel(
            self.names + other.names,
            [np.hstack(pair) for pair in zip(self.values, other.values, strict=True)],
            np.concatenate((self.smallest_spread, other.smallest_spread)),
        )

    def information(self, sets: _Sets[T]) -> StyleInformation:
        """Estimate what this tells about the styles of sets without `_problem`."""
        found = style_information(sets.table(self.values), SEED_NAME, self.smallest_spread)
        if found is None:
            raise ValueError("too few contrast sets")
        return found


def _voices(members: Sequence[Sequence[Floats]]) -> _Channel:
    """Put voices side by side, without the features that none of them bears."""
    values = [np.array(each) for each in members]
    borne = np.flatnonzero(np.any(~np.isnan(np.concatenate(values)), axis=0))
    return _Channel(
        [VOICE[column].name for column in borne],
        [each[:, borne] for each in values],
        np.array([feature.smallest_spread for feature in VOICE])[borne],
    )


def _bags(groups: Sequence[str], members: Sequence[Sequence[list[str]]]) -> _Channel:
    """Describe texts by their length and by which words they hold.

    Looked at are words that some replies of a set hold and others do not, in at least two groups:
    the `MOST_WORDS` with most groups. The choice sees no style, so that it tells nothing.
    """
    varies: dict[str, set[str]] = defaultdict(set)
    for group, texts in zip(groups, members, strict=True):
        for word in {word for text in texts for word in text}:
            if any(word not in text for text in texts):
                varies[word].add(group)
    often = [word for word, where in varies.items() if len(where) > 1]
    chosen = sorted(often, key=lambda word: (-len(varies[word]), word))[:MOST_WORDS]
    values = [
        np.array(
            [[np.log2(1 + len(text)), *(float(word in text) for word in chosen)] for text in texts]
        )
        for texts in members
    ]
    return _Channel(["log2_words", *chosen], values, np.zeros(1 + len(chosen)))


def _measurement(
    found: StyleInformation, channel: _Channel, sets: _Sets[T], **more: Any
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
    version="2",
)


@_corpus_metric(direction="neither", needs=("features",))
def input_style_bits(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How many bits about the style can be read off the user's own voice: the ceiling.

    The same estimate as `style_information_bits`, from the users' clean clips.
    """
    sets = _collect(cases, partial(_user_voice, tools))
    if problem := _problem(sets):
        return skipped(problem)
    channel = _voices(sets.members)
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
    sets = _collect(cases, partial(_user_and_reply, tools))
    if problem := _problem(sets):
        return skipped(problem)
    channel = _voices([[reply for _, reply, _ in each] for each in sets.members])
    return _measurement(channel.information(sets), channel, sets, input_bits=_ceiling(sets).bits)


@_corpus_metric(direction="higher", needs=("judge_asr",))
def style_information_words_bits(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How many bits about the user's style can be read off the reply's words.

    From the length of the reply and the presence of the words by which the replies of a set differ
    most often. The words are the system's own text, else the judge's transcript (whose errors may
    themselves depend on how the reply sounds). 0 where the style changes no word.
    """
    sets = _collect(cases, partial(_reply_words, tools))
    if problem := _problem(sets):
        return skipped(problem)
    channel = _bags(sets.groups, sets.members)
    return _measurement(channel.information(sets), channel, sets)


@_corpus_metric(direction="higher", needs=("features", "judge_asr"))
def style_information_both_bits(cases: Sequence[Case], tools: Tools) -> Measurement:
    """How many bits about the user's style can be read off the reply's voice and words together."""
    sets = _collect(cases, partial(_user_and_reply, tools))
    if problem := _problem(sets):
        return skipped(problem)
    channel = _voices([[reply for _, reply, _ in each] for each in sets.members])
    channel += _bags(sets.groups, [[said for _, _, said in each] for each in sets.members])
    return _measurement(channel.information(sets), channel, sets, input_bits=_ceiling(sets).bits)


def _ceiling(sets: _Sets[_Both]) -> StyleInformation:
    """What the users' voices tell, on those turns that were answered."""
    return _voices([[user for user, _, _ in each] for each in sets.members]).information(sets)


@_corpus_metric(unit="ratio", direction="higher", needs=("features", "judge_asr"))
def style_preservation(cases: Sequence[Case], tools: Tools) -> Measurement:
    """What share of the bits about the style in the user's voice is in the reply's voice.

    `style_information_bits` over `input_style_bits`, both on the turns that were answered;
    interval by leaving out each set in both (Fieller's). 1 for a parrot, around 0 for a system that
    is deaf to style. A voice that codes the style more clearly than the user did exceeds 1.
    """
    sets = _collect(cases, partial(_user_and_reply, tools))
    if problem := _problem(sets):
        return skipped(problem)
    user = _ceiling(sets)
    if user.p_value >= SIGNIFICANT or user.bits <= 0.0:
        return skipped("the users' styles cannot be told apart by their voices")
    channel = _voices([[reply for _, reply, _ in each] for each in sets.members])
    reply = channel.information(sets)
    interval = ratio_interval(reply.bits, user.bits, reply.without_one, user.without_one)
    more = {"bits": reply.bits, "input_bits": user.bits, "input_p_value": user.p_value}
    why = {} if interval else {"no_interval": "the users' bits are too uncertain to divide by"}
    return replace(
        _measurement(reply, channel, sets, **more, **why),
        quantity=Value(reply.bits / user.bits),
        interval=interval,
    )
