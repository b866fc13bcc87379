"""The plan of the corpus `duplex`: who speaks when, and what a system should make of it.

Each conversation holds one event, or two that do not meet: something said into the reply and
something said after it. Requests come from the domain `assistant`; what is not meant for the system
was written for this corpus. Text and numbers only, no sound (see `duplex`).
"""

from __future__ import annotations

import dataclasses
import functools
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from cascadence.conversation import Aside, Backchannel, BargeIn, Expect, Style, When
from cascadence.data_manifests.assistant.intents import REPLY_CANCELLED
from cascadence.data_manifests.assistant.sampling import sample_dialogue
from cascadence.data_manifests.assistant.scenes import Line
from cascadence.data_manifests.recipes import assistant_plan, planned
from cascadence.data_manifests.recipes.assistant_expects import CANCELLED
from cascadence.data_manifests.recipes.assistant_plan import said
from cascadence.data_manifests.recipes.duplex_texts import (
    ACKNOWLEDGEMENTS,
    ANSWERED_ASIDES,
    ASIDES,
    BACKGROUND,
    CANCELS,
    STOPS,
)
from cascadence.data_manifests.recipes.making import TRIES
from cascadence.data_manifests.recipes.phrase_places import (
    PLACES,
    furthest_apart,
    nearest_the_middle,
    phrase_ends,
)
from cascadence.data_manifests.recipes.phrases_joined import Answered, Hum, Joined
from cascadence.data_manifests.recipes.planned import Fluent, Plain, Planned, PlannedTurn, Sound
from cascadence.data_manifests.recipes.voices import Prosody, voice

SEED: Final = "duplex-1"
"""Part of every seed: a change of it changes everything that is drawn."""
EACH: Final = 24
MORE: Final = 28
"""Events of each type; more of those that the judge loses more of: corrections, stops, and what is
not meant for the system. Of pauses, `PAUSES_OF_A_KIND` for each length and place."""
PAUSES_S: Final = (0.3, 0.5, 0.7, 1.0, 1.5)
PAUSES_OF_A_KIND: Final = 5
LISTENED_PAUSE_S: Final = (0.45, 0.65)
"""Pauses of the longer turns in which listeners acknowledge."""
AFTER_ONSET_S: Final = (0.4, 0.8, 1.2, 1.6)
"""How far into a reply the user barges in;"""
ACKNOWLEDGED_S: Final = (0.5, 0.9, 1.3)
"""acknowledges it;"""
BACKGROUND_S: Final = (0.4, 0.7)
"""and somebody else begins to talk."""
LONG_REPLY: Final = 9
"""Words that a reply has at least that is to be spoken into."""
LONGEST_GAP_S: Final = 0.35
"""In turns without planned pauses, the longest silence."""

ASIDE_DB: Final = -5.0
BACKGROUND_DB: Final = -6.0
NEAR_DB: Final = 6.0
"""Levels relative to a neutral clip: of a user who turns away, of somebody else in the room, and of
the user who speaks to the system near them."""

TYPES: Final = (
    "turn_end",
    "pause",
    "barge_in_correction",
    "barge_in_stop",
    "barge_in_topic",
    "backchannel",
    "backchannel_opportunity",
    "aside",
    "background_over_reply",
    "background_after_reply",
)
"""Types of events, each a tag of the conversations that hold one."""

CAST: Final = (
    "kokoro-gongitsune",
    "flite-rms",
    "flite-rms-high",
    "joe-tenor",
    "flite-awb",
    "joe-alto",
    "kokoro-kumo",
    "kokoro-kumo-high",
)
"""Test voices in the order of their turns: who is tried one after the other is of few speakers, so
that many others are left who may be overheard."""

HEARD_FROM_AFAR: Final = (
    "kokoro-gongitsune",
    "joe-tenor",
    "kokoro-kumo",
    "kokoro-kumo-high",
    "flite-rms-high",
)
"""Who may be overheard: the judge loses too much of the others there."""

EVERYDAY: Final = (
    "lights_switch",
    "lights_colour",
    "lights_dim",
    "set_temperature",
    "blinds",
    "clean_room",
    "set_timer",
    "set_alarm",
    "remind_task",
    "calendar_add",
    "move_event",
    "add_to_list",
    "remove_from_list",
    "book_table",
)
"""Intents whose values are everyday words, which any ASR knows."""
TOLD_AT_LENGTH: Final = (
    "set_temperature",
    "lights_dim",
    "clean_room",
    "calendar_add",
    "set_alarm",
    "remind_task",
    "lights_colour",
    "book_taxi",
)
"""Intents that are answered at length."""
OF_SEVERAL_PARTS: Final = (
    "calendar_add",
    "book_table",
    "book_taxi",
    "lights_dim",
    "set_temperature",
)
"""Intents whose requests have two places at which a phrase ends."""

seed_of = functools.partial(planned.seed_of, SEED)


def plan() -> tuple[Planned, ...]:
    """Return the whole corpus as planned, type by type."""
    texts = _Texts({turn.text for one in assistant_plan.plan() for turn in one.turns})
    return (
        *_turn_ends(texts),
        *_pauses(texts),
        *_opportunities(texts),
        *_corrections(texts),
        *_stops(texts),
        *_topics(texts),
        *_acknowledged(texts),
        *_overheard(texts),
    )


class _Texts:
    """Draws requests of the domain, each text once, and none of the corpus `assistant`."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken

    def draw(
        self,
        kind: str,
        number: int,
        intents: Sequence[str],
        fits: Callable[[Sequence[Line]], bool],
        turns: int = 1,
    ) -> tuple[Line, ...]:
        """Return the lines of a dialogue that fits; the intents take turns."""
        rng = random.Random(seed_of(kind, number))
        name = intents[number % len(intents)]
        for _ in range(2_000):
            lines = sample_dialogue(rng, "test", turns, [name]).turns
            texts = {line.text for line in lines}
            if not texts & self._taken and _is_plain(lines[0]) and fits(lines):
                self._taken |= texts
                return lines
        raise ValueError(f"no request of {name!r} was found for {kind} {number}")

    def told_at_length(self, kind: str, number: int) -> Line:
        """Return a request whose reply is long enough to be spoken into."""
        return self.draw(kind, number, TOLD_AT_LENGTH, lambda lines: _is_long(lines[0].reply))[0]


def _is_plain(line: Line) -> bool:
    """Whether a request is said in one go: no hesitation, no comma but before "please"."""
    text = line.text.replace(", please", "")
    return "," not in text and line.kind == "answer" and bool(line.expect_slots)


def _is_long(reply: str) -> bool:
    return len(reply.split()) >= LONG_REPLY


def _turn_ends(texts: _Texts) -> Iterator[Planned]:
    for number in range(EACH):
        kind = "turn_end"
        (line,) = texts.draw(kind, number, EVERYDAY, lambda lines: 5 <= _length(lines[0]) <= 10)
        yield _planned(kind, number, (_request(line, kind, number),))


def _pauses(texts: _Texts) -> Iterator[Planned]:
    """Pauses of every length at the end of a phrase, and inside of one."""
    kinds = [(s, place) for s in PAUSES_S for place in PLACES] * PAUSES_OF_A_KIND
    for number, (pause_s, place) in enumerate(kinds):
        find = PLACES[place]
        (line,) = texts.draw("pause", number, EVERYDAY, _has(find, 1))
        cut = nearest_the_middle(find(line.text), line.text)
        sound = Joined((cut,), (pause_s,), _calm("pause", number))
        turn = dataclasses.replace(_request(line, "pause", number), sound=sound)
        tags = (f"pause_{place}", f"pause_{round(1000 * pause_s)}ms")
        yield _planned("pause", number, (turn,), tags)


def _opportunities(texts: _Texts) -> Iterator[Planned]:
    """Longer turns with two pauses at which a listener would acknowledge."""
    kind = "backchannel_opportunity"
    for number in range(EACH):
        rng = random.Random(seed_of("listened", number))
        (line,) = texts.draw(kind, number, OF_SEVERAL_PARTS, _has(phrase_ends, 2))
        cuts = furthest_apart(phrase_ends(line.text), line.text)
        first_s, second_s = (round(rng.uniform(*LISTENED_PAUSE_S), 2) for _ in cuts)
        sound = Joined(cuts, (first_s, second_s), Prosody(rate=0.92))
        turn = dataclasses.replace(_request(line, kind, number), sound=sound)
        yield _planned(kind, number, (turn,))


def _corrections(texts: _Texts) -> Iterator[Planned]:
    kind = "barge_in_correction"
    for number in range(MORE):
        first, second = texts.draw(kind, number, TOLD_AT_LENGTH, _is_corrected, turns=2)
        turns = (_interrupted(first, kind, number), _interrupting(second, kind, number))
        yield _planned(kind, number, turns)


def _is_corrected(lines: Sequence[Line]) -> bool:
    return _is_long(lines[0].reply) and lines[1].kind == "correction"


def _stops(texts: _Texts) -> Iterator[Planned]:
    """Some take the request back, which is confirmed; some only want quiet."""
    kind = "barge_in_stop"
    words = CANCELS + STOPS
    for number in range(MORE):
        first = texts.told_at_length(kind, number)
        text = words[number % len(words)]
        cancelled = Expect(slots={"cancelled": CANCELLED}, reply_text=REPLY_CANCELLED)
        stop = PlannedTurn(
            text,
            Fluent(Prosody(level_db=1.0), longest_gap_s=LONGEST_GAP_S),
            expect=Expect(stay_silent=True) if text in STOPS else cancelled,
            when=BargeIn(after_onset_s=_at(AFTER_ONSET_S, number)),
            style=Style(sentence_type="command"),
        )
        tags = ("stop_silent" if text in STOPS else "stop_cancel",)
        yield _planned(kind, number, (_interrupted(first, kind, number), stop), tags)


def _topics(texts: _Texts) -> Iterator[Planned]:
    kind = "barge_in_topic"
    for number in range(EACH):
        first = texts.told_at_length(kind, number)
        others = [name for name in EVERYDAY if name != first.intent]
        (second,) = texts.draw("other topic", number, others, lambda lines: _length(lines[0]) <= 9)
        turns = (_interrupted(first, kind, number), _interrupting(second, kind, number))
        yield _planned(kind, number, turns)


def _acknowledged(texts: _Texts) -> Iterator[Planned]:
    """The user acknowledges the reply, and afterwards speaks to somebody else."""
    for number in range(MORE):
        request = _request(texts.told_at_length("backchannel", number), "backchannel", number)
        text = ACKNOWLEDGEMENTS[number % len(ACKNOWLEDGEMENTS)]
        style = Prosody(level_db=-3.0)
        nod = PlannedTurn(
            text,
            Hum(style) if text == "Mm-hmm." else Plain(style, is_fixed=True),
            when=Backchannel(after_onset_s=_at(ACKNOWLEDGED_S, number)),
        )
        aside = _aside(number)
        second = "aside_answered" if isinstance(aside.sound, Answered) else "aside_alone"
        hum = ("mm_hmm",) if isinstance(nod.sound, Hum) else ()
        yield _planned("backchannel", number, (request, nod, aside), ("aside", second, *hum))


def _aside(number: int) -> PlannedTurn:
    """Something to somebody in the room; half of the time they answer."""
    style = Prosody(level_db=ASIDE_DB)
    when, expect = Aside(gap_s=_gap_s("aside", number)), Expect(stay_silent=True)
    place = number // 2
    if number % 2:
        asked, answer = ANSWERED_ASIDES[place % len(ANSWERED_ASIDES)]
        sound: Sound = Answered(len(asked.split()), _other_voice("backchannel", number), style)
        return PlannedTurn(f"{asked} {answer}", sound, when=when, expect=expect)
    text = ASIDES[place % len(ASIDES)]
    return PlannedTurn(text, Plain(style, is_fixed=True), when=when, expect=expect)


def _overheard(texts: _Texts) -> Iterator[Planned]:
    """Somebody else talks, further away, during the reply and again after it."""
    kind = "background_over_reply"
    style = Plain(Prosody(level_db=BACKGROUND_DB), is_fixed=True)
    for number in range(MORE):
        request = _request(texts.told_at_length(kind, number), kind, number, NEAR_DB)
        speaker = _other_voice(kind, number)
        over, after = (BACKGROUND[(number + shift) % len(BACKGROUND)] for shift in (0, 10))
        silent = Expect(stay_silent=True)
        during: When = Aside(after_onset_s=_at(BACKGROUND_S, number))
        later: When = Aside(gap_s=_gap_s("background", number))
        turns = (
            request,
            PlannedTurn(over, style, when=during, voice=speaker, expect=silent),
            PlannedTurn(after, style, when=later, voice=speaker, expect=silent),
        )
        yield _planned(kind, number, turns, ("background_after_reply",))


def _planned(
    kind: str, number: int, turns: Sequence[PlannedTurn], tags: Sequence[str] = ()
) -> Planned:
    length = "single_turn" if len(turns) == 1 else "multi_turn"
    identifier = f"duplex-{kind.replace('_', '-')}-{number:02d}"
    return Planned(identifier, ("duplex", kind, *tags, length), _draw(kind, number), tuple(turns))


def _draw(kind: str, number: int) -> int:
    """Every type begins with another voice, so that all are heard about equally often."""
    return number + 3 * TYPES.index(kind)


def _other_voice(kind: str, number: int) -> str:
    """Choose a voice of somebody else than all who may be tried as the user."""
    draw = _draw(kind, number)
    tried = {voice(CAST[(draw + step) % len(CAST)]).speaker for step in range(TRIES)}
    others = [name for name in HEARD_FROM_AFAR if voice(name).speaker not in tried]
    return random.Random(seed_of("other", kind, number)).choice(others)


def _request(line: Line, kind: str, number: int, level_db: float = 0.0) -> PlannedTurn:
    style = dataclasses.replace(_calm(kind, number), level_db=level_db)
    # A level that others are measured against may not be made calmer.
    sound = Fluent(style, is_fixed=level_db != 0.0, longest_gap_s=LONGEST_GAP_S)
    return said(line, sound, _gap_s(kind, number))


def _interrupted(line: Line, kind: str, number: int) -> PlannedTurn:
    """Ask for what nobody hears to its end: so nothing is demanded of the reply."""
    turn = _request(line, kind, number)
    return dataclasses.replace(turn, expect=Expect(reply_text=line.reply))


def _interrupting(line: Line, kind: str, number: int) -> PlannedTurn:
    """Say a line into the reply, a little louder, as people do who interrupt."""
    when = BargeIn(after_onset_s=_at(AFTER_ONSET_S, number))
    sound = Fluent(Prosody(level_db=1.0), longest_gap_s=LONGEST_GAP_S)
    return dataclasses.replace(said(line, sound, 0.0), when=when)


def _calm(kind: str, number: int) -> Prosody:
    """Draw a style close to neutral: here it matters when somebody speaks."""
    rng = random.Random(seed_of("style", kind, number))
    return Prosody(
        rate=round(rng.uniform(0.94, 1.08), 2), range_scale=round(rng.uniform(0.9, 1.2), 2)
    )


def _gap_s(kind: str, number: int) -> float:
    return round(random.Random(seed_of("gap", kind, number)).uniform(0.6, 1.2), 2)


def _at(choices_s: Sequence[float], number: int) -> float:
    return choices_s[number % len(choices_s)]


def _length(line: Line) -> int:
    return len(line.text.split())


def _has(find: Callable[[str], tuple[int, ...]], least: int) -> Callable[[Sequence[Line]], bool]:
    """Build a condition: a request of at most 14 words with so many places."""

    def fits(lines: Sequence[Line]) -> bool:
        return len(find(lines[0].text)) >= least and _length(lines[0]) <= 14

    return fits
