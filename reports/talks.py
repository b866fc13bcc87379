"""Every conversation as the page shows it: what the user says, then each system's take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from cascadence.conversation import Conversation, UserTurn
from cascadence.reports.contents import Contents, ShownCell
from cascadence.reports.sound import EMBED_LIMIT_BYTES, embedded, linked
from cascadence.reports.takes import SIGNS, VERDICTS, Number, Reply, State, Take, make_takes
from cascadence.reports.wording import expectations, how
from cascadence.run_directory import Key

_WORST_FIRST: tuple[State, ...] = ("failed", "missed", "unjudged", "passed")


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """What the user says in a turn, how, and what should come back."""

    text: str
    how: tuple[str, ...]
    expects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """A system's outcome in the list of conversations."""

    cell: ShownCell
    state: State
    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class TakeView:
    """A take, ready to be laid out; ``audio`` is an address, or ``None``."""

    cell: ShownCell
    repeat_text: str
    state: State
    sign: str
    verdict: str
    reason: str
    timeline: Markup | None
    audio: Markup | None
    replies: tuple[Reply, ...]
    numbers: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation with all of its takes."""

    id: str
    opening: str
    search: str
    tags: tuple[str, ...]
    facts: tuple[str, ...]
    turns: tuple[SpokenTurn, ...]
    chips: tuple[Chip, ...]
    takes: tuple[TakeView, ...]


def talks(contents: Contents, page_folder: Path) -> list[Talk]:
    """Make every conversation ready, in the order in which they were first finished.

    Args:
        contents: the run.
        page_folder: of the page; sounds go into ``audio`` below it, and into the page itself where
            all of them together are small enough.
    """
    takes = make_takes(contents, page_folder / "audio")
    mixes = [take.mix for take in takes.values() if take.mix is not None]
    inside = sum(mix.size_bytes for mix in mixes) <= EMBED_LIMIT_BYTES
    grouped: dict[tuple[str, str], list[tuple[Key, Take]]] = {}
    for key, take in takes.items():
        grouped.setdefault((take.cell.setting, key[1]), []).append((key, take))
    order = [cell.name for cell in contents.cells]
    found = []
    for (_, conversation_id), mine in grouped.items():
        ordered = sorted(mine, key=lambda item: (order.index(item[0][0]), item[0][2]))
        shown = [take for _, take in ordered]
        views = tuple(_view(take, page_folder, inside, shown) for take in shown)
        conversation = contents.conversation(shown[0].cell, conversation_id)
        found.append(_talk(contents, conversation_id, conversation, shown, views))
    return found


def _talk(
    contents: Contents,
    conversation_id: str,
    conversation: Conversation | None,
    takes: Sequence[Take],
    views: tuple[TakeView, ...],
) -> Talk:
    turns = tuple(_turn(turn) for turn in conversation.turns) if conversation else ()
    corpus = takes[0].cell.corpus
    condition = takes[0].cell.condition
    facts = [f"corpus {corpus}"] if len(contents.corpora) > 1 else []
    facts += [f"condition {condition}"] if condition else []
    tags: tuple[str, ...] = ()
    if conversation is not None:
        tags = conversation.tags
        facts += [f"tags {', '.join(tags)}"] if tags else []
        facts += [f"contrast set {conversation.group}"] if conversation.group else []
        facts += [f"split {conversation.split}", f"licence {conversation.licence}"]
        facts += [f"instructions: {conversation.instructions}"] if conversation.instructions else []
    words = " ".join(turn.text for turn in turns)
    return Talk(
        id=conversation_id,
        opening=" / ".join(turn.text for turn in turns[:3]) or conversation_id,
        search=f"{conversation_id} {words}",
        tags=tuple(tag.replace(" ", "_") for tag in tags),
        facts=tuple(facts),
        turns=turns,
        chips=tuple(_chips(takes)),
        takes=views,
    )


def _turn(turn: UserTurn) -> SpokenTurn:
    return SpokenTurn(turn.text, tuple(how(turn)), tuple(expectations(turn.expect)))


def _chips(takes: Sequence[Take]) -> list[Chip]:
    """One a system: of several repeats, how many came out as expected."""
    grouped: dict[str, list[Take]] = {}
    for take in takes:
        grouped.setdefault(take.cell.name, []).append(take)
    chips = []
    for mine in grouped.values():
        states = [take.state for take in mine]
        worst = next(state for state in _WORST_FIRST if state in states)
        sign, text = SIGNS[worst], VERDICTS[worst]
        if len(mine) > 1:
            passed = states.count("passed")
            sign, text = f"{passed}/{len(mine)}", f"expectations met in {passed} of {len(mine)}"
        chips.append(Chip(mine[0].cell, worst, sign, text))
    return chips


def _view(take: Take, page_folder: Path, inside: bool, takes: Sequence[Take]) -> TakeView:
    repeats = sum(other.cell.name == take.cell.name for other in takes)
    audio = None
    if take.mix is not None:
        # Base64 and quoted paths hold nothing to escape, and escaping megabytes takes its time.
        address = embedded(take.mix) if inside else linked(take.mix, page_folder)
        audio = Markup(address)
    return TakeView(
        cell=take.cell,
        repeat_text=f"repeat {take.repeat + 1}" if repeats > 1 else "",
        state=take.state,
        sign=SIGNS[take.state],
        verdict=VERDICTS[take.state],
        reason=take.reason,
        timeline=take.timeline,
        audio=audio,
        replies=take.replies,
        numbers=take.numbers,
    )
