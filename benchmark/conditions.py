"""Acoustic conditions: what lies between the user's mouth and the system, as a sweep asks for it.

A condition has a name and at least one effect. Effects act in the order in which nature has them,
whatever the order in the file: the room, then the noise, then the gain, clipping, the telephone's
band and codec, and the packets lost on the way (see `cascadence.degradation`). In a sweep::

    conditions:
      - clean
      - babble_10db   # or any noise kind and SNR: street_5db, white_-3db
      - telephone
      - room          # rt60_s 0.6, direct_db 0
      - packet_loss   # rate 0.1, in bursts of 2 packets on average
      - {name: hall, room: {rt60_s: 1.2, direct_db: -3}}
      - {name: car, noise: {kind: street, snr_db: 5}, telephone: true, packet_loss: {rate: 0.05}}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cascadence.conversation import Identifier

NoiseKind = Literal["babble", "street", "music", "white", "pink"]

DEGRADATION: Final = 1
"""Raised when a condition of the same name and values would sound otherwise."""
_SHORTHANDS: Final[Mapping[str, Mapping[str, Any]]] = {
    "clean": {},
    "telephone": {"telephone": True},
    "room": {"room": {"rt60_s": 0.6}},
    "packet_loss": {"packet_loss": {"rate": 0.1, "burst_packets": 2.0}},
}
_NOISE_SHORTHAND: Final = re.compile(rf"({'|'.join(get_args(NoiseKind))})_(-?\d+)db")

Number = Annotated[float, Field(allow_inf_nan=False)]


class _Settings(BaseModel):
    """Base of the models here: immutable, no unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Noise(_Settings):
    """A background that goes on for the whole conversation, also where the user is silent."""

    kind: NoiseKind
    snr_db: Annotated[Number, Field(ge=-30, le=60)]
    """Active level of the user's speech in the whole conversation (see
    `cascadence.degradation.active_level_dbfs`) over the noise's mean level."""


class Room(_Settings):
    """Reverberation of a room that is drawn for each conversation."""

    rt60_s: Annotated[Number, Field(ge=0.05, le=5)]
    """Until the reverberation has fallen by 60 dB."""
    direct_db: Annotated[Number, Field(ge=-20, le=40)] = 0.0
    """Energy of the direct sound over that of the reverberation."""


class PacketLoss(_Settings):
    """Packets of 20 ms that do not arrive, in bursts; what is missing is concealed."""

    rate: Annotated[Number, Field(gt=0, le=0.9)]
    """Share of packets lost in the long run."""
    burst_packets: Annotated[Number, Field(ge=1, le=100)] = 1.0
    """Mean length of a run of losses."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.rate > self.burst_packets * (1.0 - self.rate):
            least = self.rate / (1.0 - self.rate)
            raise ValueError(f"a rate of {self.rate:g} needs burst_packets of {least:.3g} or more")
        return self


class Condition(_Settings):
    """Effects with a name; ``clean`` is the one without any."""

    name: Identifier
    room: Room | None = None
    noise: Noise | None = None
    level_db: Annotated[Number, Field(ge=-60, le=30)] | None = None
    """Gain of voice and noise; what then exceeds full scale is clipped."""
    clipping_db: Annotated[Number, Field(ge=-60, le=0)] | None = None
    """Ceiling, relative to the highest peak of the user's speech in the conversation."""
    narrowband: bool = False
    """Through 8 kHz and back."""
    telephone: bool = False
    """300 to 3400 Hz, 8 kHz, G.711 μ-law."""
    packet_loss: PacketLoss | None = None

    @model_validator(mode="before")
    @classmethod
    def _spelt_out(cls, entry: object) -> object:
        if not isinstance(entry, str):
            return entry
        if entry in _SHORTHANDS:
            return {"name": entry, **_SHORTHANDS[entry]}
        noise = _NOISE_SHORTHAND.fullmatch(entry)
        if noise is None:
            known = ", ".join(_SHORTHANDS)
            raise ValueError(
                f"no condition is called {entry!r}: one of {known}, a noise as in babble_10db, "
                "or a mapping with `name` and effects"
            )
        return {"name": entry, "noise": {"kind": noise[1], "snr_db": float(noise[2])}}

    @model_validator(mode="after")
    def _named_for_what_it_is(self) -> Self:
        if self.name == "clean" and self.effects:
            raise ValueError("`clean` has no effects: choose another name")
        if self.name != "clean" and not self.effects:
            raise ValueError(f"{self.name!r} has no effects; the one without any is `clean`")
        return self

    @property
    def effects(self) -> dict[str, Any]:
        """What was asked for, as JSON values; empty where the condition is clean."""
        return self.model_dump(mode="json", exclude_defaults=True, exclude={"name"})

    @property
    def is_clean(self) -> bool:
        """Whether the user is heard as recorded."""
        return not self.effects


CLEAN: Final = Condition(name="clean")
