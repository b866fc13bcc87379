"""What contrast sets bear for `cascadence.metrics.style_information`: styles, voices, words.

A conversation belongs to a contrast set by its ``group``, and its turns' styles are named by
`style_label`. Voices are described by `VOICE`, texts by `bags`' words.
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
from cascadence.measurement import Case, Tools
from cascadence.metrics.paralinguistics import LEVEL, PITCH, RATE, Feature, Utterance, said
from cascadence.metrics.style_information_estimator import (
    FEWEST_GROUPS,
    StyledSet,
    StyleInformation,
    groups_of,
    style_information,
)
from cascadence.metrics.text import words
from cascadence.metrics.turns import PlayedView, expects_reply, view

Floats = npt.NDArray[np.float64]
T = TypeVar("T")


SEED_NAME: Final = "contrast sets"
MOST_WORDS: Final = 8
"""Words looked at: as many features as a voice has, since each costs a small corpus some bits."""
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
class StyleSets(Generic[T]):
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


def collect(cases: Sequence[Case], read: Callable[[PlayedView], T | None]) -> StyleSets[T]:
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
    return StyleSets(
        groups=[place[0] for place, _ in ordered],
        styles=[tuple(style for style, _, _ in members) for _, members in ordered],
        members=[[member for _, _, member in members] for _, members in ordered],
        missing=missing,
        unlabelled=unlabelled,
    )


def problem_of(sets: StyleSets[T]) -> str:
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


def user_voice(tools: Tools, seen: PlayedView) -> Floats | None:
    """Describe the user's clean clip, shape ``(features,)``."""
    return _voice(tools.use("features", seen.clip), partial(str, seen.turn.text))


def _reply_voice(tools: Tools, seen: PlayedView) -> Floats | None:
    if seen.answer is None:
        return None
    return _voice(tools.use("features", seen.answer), partial(said, seen, tools))


def reply_words(tools: Tools, seen: PlayedView) -> list[str] | None:
    """Tell the words of the reply; ``None`` without one."""
    return None if seen.answer is None else words(said(seen, tools))


Both = tuple[Floats, Floats, list[str]]
"""Voice of the user, voice of the reply, its words."""


def user_and_reply(tools: Tools, seen: PlayedView) -> Both | None:
    """Read both voices and the reply's words; ``None`` where either voice is missing."""
    reply = _reply_voice(tools, seen)
    user = None if reply is None else user_voice(tools, seen)
    return None if reply is None or user is None else (user, reply, words(said(seen, tools)))


def by_words(sets: StyleSets[Both]) -> StyleSets[Both]:
    """Cut sets so that only replies in the same words are side by side.

    Replies whose words no reply to another style of their set has are left out.
    """
    found: list[tuple[str, tuple[str, ...], list[Both]]] = []
    for group, styles, members in zip(sets.groups, sets.styles, sets.members, strict=True):
        alike: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for place, (_, _, said_words) in enumerate(members):
            alike[tuple(said_words)].append(place)
        for places in alike.values():
            kept = tuple(styles[place] for place in places)
            if len(set(kept)) > 1:
                found.append((group, kept, [members[place] for place in places]))
    return replace(
        sets,
        groups=[group for group, _, _ in found],
        styles=[styles for _, styles, _ in found],
        members=[members for _, _, members in found],
    )


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """Features of all members, with what they are called and how much of each is noticed.

    Attributes:
        names: of the features.
        values: of each set, shape ``(members, features)``.
        smallest_spread: see `Feature`, shape ``(features,)``.
    """

    names: list[str]
    values: list[Floats]
    smallest_spread: Floats

    def __add__(self, other: Channel) -> Channel:
        """Put the features of another channel beside these."""
        return Channel(
            self.names + other.names,
            [np.hstack(pair) for pair in zip(self.values, other.values, strict=True)],
            np.concatenate((self.smallest_spread, other.smallest_spread)),
        )

    def information(self, sets: StyleSets[T]) -> StyleInformation:
        """Estimate what this tells about the styles of sets without `problem_of`."""
        found = style_information(sets.table(self.values), SEED_NAME, self.smallest_spread)
        if found is None:
            raise ValueError("too few contrast sets")
        return found


def voices(members: Sequence[Sequence[Floats]]) -> Channel:
    """Put voices side by side, without the features that none of them bears."""
    values = [np.array(each) for each in members]
    borne = np.flatnonzero(np.any(~np.isnan(np.concatenate(values)), axis=0))
    return Channel(
        [VOICE[column].name for column in borne],
        [each[:, borne] for each in values],
        np.array([feature.smallest_spread for feature in VOICE])[borne],
    )


def bags(groups: Sequence[str], members: Sequence[Sequence[list[str]]]) -> Channel:
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
    return Channel(["log2_words", *chosen], values, np.zeros(1 + len(chosen)))
