"""What an intent of the assistant domain is made of."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Slot:
    """A value that an intent needs.

    Attributes:
        name: Name within the intent.
        type: Name of its :class:`~cascadence.data_manifests.assistant.values.SlotType`.
        ask: Question that the policy asks when it is missing; empty for an optional slot.
        fragment: How it is said alone with its preposition: ``in the {room}``.
        bare: How it is said alone without one: ``the {room}``.
        roles: Words before the value that mark this slot among others of the same type.
    """

    name: str
    type: str
    ask: str
    fragment: str
    bare: str
    roles: tuple[str, ...] = ()

    @property
    def is_required(self) -> bool:
        """Whether the request cannot be answered without it."""
        return bool(self.ask)


@dataclass(frozen=True, slots=True)
class Intent:
    """Something that users ask for.

    Attributes:
        name: Name, in snake case.
        slots: The values it needs.
        requests: Phrasings, as templates.
        reply: The one reply, as a template that says every known slot back.
        cues: Word groups that give the intent away. Groups are divided by spaces, the alternatives
            within a group by ``|``; ``@type`` is a value of that type. All groups of one cue must
            occur, in any order.
        blocks: Words with which it is something else.
        partial: Phrasings that leave a required slot open, with the name of that slot.
        anaphoric: Phrasings in which a pronoun stands for a slot, with the name of that slot.
        vocabulary: Further words that such requests may contain.
    """

    name: str
    slots: tuple[Slot, ...]
    requests: tuple[str, ...]
    reply: str
    cues: tuple[str, ...]
    blocks: frozenset[str] = frozenset()
    partial: tuple[tuple[str, str], ...] = ()
    anaphoric: tuple[tuple[str, str], ...] = ()
    vocabulary: frozenset[str] = field(default_factory=frozenset)

    def slot(self, name: str) -> Slot:
        """Look up a slot by name.

        Raises:
            KeyError: The intent has no such slot.
        """
        for slot in self.slots:
            if slot.name == name:
                return slot
        raise KeyError(f"intent {self.name} has no slot {name}")

    @property
    def required(self) -> tuple[Slot, ...]:
        """The slots without which it cannot be answered, in the order of asking."""
        return tuple(slot for slot in self.slots if slot.is_required)
