"""Does the reply sound as an attentive listener's would? Mirroring is not always right.

A manifest may declare in which style a turn should be answered (``expect.reply_style``): half way
with who is excited, calmly to who is angry. What is declared is relative to the *system's own*
neutral, so that nobody is punished for a high or a quick voice: the reply to the neutral member of
the same contrast set, where the same was said without style.

Tolerances (`DIMENSIONS`), half the width of each band, on either side of what is declared:

* rate, 0.1 octaves (7 %): listeners notice 5 % (Quené 2007, doi:10.1016/j.wocn.2006.09.001);
* pitch, 1 semitone: replies that the bundled corpus declares to differ do so by 1 to 1.5;
* pitch range, 0.3 octaves (23 %): it rests on few words, and is the least exact of the four;
* level, 1.5 dB: those that are declared to differ do so by 2 dB.

All lie above what measuring itself adds. On 36 clips of the bundled corpus's contrast sets, whose
change from their neutral is known because it was made by resynthesis, 95 % of the errors were below
0.08 octaves of rate, 0.42 semitones, 0.12 octaves of range and 0.27 dB.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np

from cascadence.conversation import Style
from cascadence.estimators import Observation
from cascadence.measurement import Case, Measurement, Tools, metric, ratio, skipped
from cascadence.metrics.paralinguistics import LEVEL, PITCH, RATE, Utterance, said
from cascadence.metrics.style_information_sets import style_label
from cascadence.metrics.task_corpus import corpus_value, item_of
from cascadence.metrics.turns import PlayedView, expects_reply, view

NEUTRAL: Final = "neutral"
"""What `style_label` says of the member of a contrast set that the others are compared with."""


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way in which a reply can be appropriate.

    Attributes:
        name: as the manifest calls it.
        unit: of differences and of the tolerance.
        declared: difference from neutral that a style asks for; ``None`` where it asks for none.
        read: from an utterance; ``None`` where it does not bear this.
        tolerance: half the width of the band.
    """

    name: str
    unit: str
    declared: Callable[[Style], float | None]
    read: Callable[[Utterance], float | None]
    tolerance: float


def _octaves(x: float | None) -> float | None:
    """Take a ratio as a difference; what is not positive is no ratio."""
    return None if x is None or x <= 0.0 else float(np.log2(x))


def _range(utterance: Utterance) -> float | None:
    return _octaves(utterance.features["f0_range_st"])


DIMENSIONS: Final = (
    Dimension("rate", "octaves", lambda style: _octaves(style.rate), RATE.read, 0.1),
    Dimension("pitch", "semitones", lambda style: style.pitch, PITCH.read, 1.0),
    Dimension("pitch_range", "octaves", lambda style: _octaves(style.pitch_range), _range, 0.3),
    Dimension("loudness", "dB", lambda style: style.loudness, LEVEL.read, 1.5),
)

Numbers = dict[str, float]
"""By the name of a dimension; those without number are left out."""


def declared(style: Style | None) -> Numbers:
    """Say how far from the system's neutral a reply should be; empty where nothing is declared."""
    told = {} if style is None else {each.name: each.declared(style) for each in DIMENSIONS}
    return {name: x for name, x in told.items() if x is not None}


def within(differences: Numbers, wanted: Numbers) -> dict[str, bool]:
    """Say for each dimension that is wanted whether a difference from neutral lies in its band.

    What an utterance does not bear does not lie there.
    """
    return {
        each.name: each.name in differences
        # Beyond rounding: a declared 1.0 st is within 1.0 st of neutral.
        and abs(differences[each.name] - wanted[each.name]) <= each.tolerance + 1e-9
        for each in DIMENSIONS
        if each.name in wanted
    }


@dataclass(frozen=True, slots=True)
class _Member:
    """A turn of a contrast set.

    Attributes:
        item: which recording.
        wanted: of its reply, see `declared`.
        is_neutral: said without style, and to be answered so.
        spoken: the reply in the units of `Dimension`; ``None``: none came.
    """

    item: str
    wanted: Numbers
    is_neutral: bool
    spoken: Numbers | None


def _member(seen: PlayedView, tools: Tools) -> _Member:
    wanted = declared(seen.turn.expect.reply_style)
    plain = style_label(seen.case.conversation, seen.turn) == NEUTRAL
    spoken = None
    if seen.answer is not None:
        utterance = Utterance(tools.use("features", seen.answer), partial(said, seen, tools))
        read = {each.name: each.read(utterance) for each in DIMENSIONS}
        spoken = {name: x for name, x in read.items() if x is not None}
    return _Member(
        item_of(seen.case), wanted, plain and all(within(_still(wanted), wanted).values()), spoken
    )


def _still(wanted: Numbers) -> Numbers:
    """What a reply does that is as the neutral one."""
    return dict.fromkeys(wanted, 0.0)


Place = tuple[str, int, int]
"""Group, repeat and turn."""


def _sets(cases: Sequence[Case], tools: Tools) -> dict[Place, list[_Member]]:
    """Collect the turns that expect a reply of the sets that declare any; no other is measured."""
    views: dict[Place, list[PlayedView]] = defaultdict(list)
    for case in cases:
        group = case.conversation.group
        for played in case.recording.turns if group is not None else ():
            seen = view(case, played)
            if group is not None and expects_reply(seen.turn):
                views[group, case.recording.repeat, played.index].append(seen)
    return {
        place: [_member(seen, tools) for seen in members]
        for place, members in views.items()
        if any(declared(seen.turn.expect.reply_style) for seen in members)
    }


def _neutral(members: Sequence[_Member]) -> Numbers:
    """Average the neutral replies of a set; empty where there is none."""
    replies = [m.spoken for m in members if m.is_neutral and m.spoken is not None]
    return {
        each.name: sum(known) / len(known)
        for each in DIMENSIONS
        if (known := [spoken[each.name] for spoken in replies if each.name in spoken])
    }


@dataclass(frozen=True, slots=True)
class _Item:
    """A turn that could be judged.

    Attributes:
        observation: whether its reply is within the band.
        each: the same by dimension.
        as_neutral: whether the neutral reply would have been.
        came: whether there was a reply.
    """

    observation: Observation
    each: dict[str, bool]
    as_neutral: bool
    came: bool


def _judged(place: Place, member: _Member, neutral: Numbers) -> _Item:
    spoken = member.spoken or {}
    shared = spoken.keys() & neutral.keys()
    each = within({name: spoken[name] - neutral[name] for name in shared}, member.wanted)
    is_within = ratio(float(all(each.values())), 1).on_turn(place[2])
    return _Item(
        observation=Observation(place[0], is_within, member.item),
        each=each,
        as_neutral=all(within(_still(member.wanted), member.wanted).values()),
        came=member.spoken is not None,
    )


@metric(
    family="paralinguistics",
    unit="ratio",
    direction="higher",
    range=(0.0, 1.0),
    level="corpus",
    needs=("features", "judge_asr"),
    version="2",
)
def style_appropriateness(cases: Sequence[Case], tools: Tools) -> Measurement:
    """Share of replies that sound as the manifest declares, relative to the system's own neutral.

    A reply is within the band where its rate, median pitch, pitch range and active level, as far as
    ``expect.reply_style`` declares them, all differ from the neutral reply as declared, give or
    take 0.1 octaves, 1 semitone, 0.3 octaves and 1.5 dB (see
    `cascadence.metrics.style_appropriateness`). The neutral reply is that to the neutral member of
    the same contrast set, turn and repeat; neutral members themselves are not judged, since they
    differ from themselves by nothing. Rates are those of the words, as in `contrast_gain_rate`.

    No reply is not within the band, nor is a reply that does not bear what is declared (the pitch
    of a whisper); ``missing`` counts turns without reply. Turns of sets whose neutral reply never
    came, or does not bear what is declared, are left out and counted as ``unreferenced``. Skipped
    where no turn is left.

    ``as_neutral`` is what a system scores on the same turns that always answers as in its neutral:
    the share of turns whose declared style lies inside the band around neutral. Who is deaf to
    style is there, and only what lies above it was heard. ``each`` has the share within the band
    by dimension.
    """
    sets = _sets(cases, tools)
    if not sets:
        return skipped("no contrast set declares the rate, pitch or level of a reply")
    items, unreferenced = [], 0
    for place, members in sets.items():
        neutral = _neutral(members)
        for member in members:
            if member.is_neutral or not member.wanted:
                continue
            if member.wanted.keys() <= neutral.keys():
                items.append(_judged(place, member, neutral))
            else:
                unreferenced += 1
    if not items:
        told = "no neutral reply to compare with" if unreferenced else "only neutral is declared"
        return skipped(told)
    by_name: dict[str, list[bool]] = defaultdict(list)
    for item in items:
        for name, is_within in item.each.items():
            by_name[name].append(is_within)
    return corpus_value(
        style_appropriateness.spec,
        [item.observation for item in items],
        cases[0].recording.cell,
        as_neutral=sum(item.as_neutral for item in items) / len(items),
        each={name: sum(found) / len(found) for name, found in by_name.items()},
        missing=sum(not item.came for item in items),
        unreferenced=unreferenced,
    )
