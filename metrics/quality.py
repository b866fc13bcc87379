"""Speech quality of the reply, predicted.

Predictors of opinion scores are trained on other speech than a voice agent's: compare systems by
them, do not quote them as opinions. Clean speech often tops out near 3.3 of 5.
"""

from __future__ import annotations

from cascadence.measurement import Case, Measurement, Tools, metric, skipped, value
from cascadence.metrics.turns import PlayedView, claims_floor, each_turn

SHORTEST_S = 0.5
"""Less than this, repeated to fill the predictor's window, is no speech any more."""

DNSMOS = "arXiv 2110.01763"
OPINION = (1.0, 5.0)


def _dnsmos(case: Case, tools: Tools, scale: str) -> list[Measurement]:
    def rating(view: PlayedView) -> Measurement:
        reply = view.reply
        if reply is None:
            return skipped("no reply came")
        if view.understood:
            return skipped("an oracle's voice hums")
        if reply.duration_s < SHORTEST_S:
            return skipped(f"the reply is shorter than {SHORTEST_S} s")
        answer = tools.use("dnsmos", reply)[scale]
        return skipped("the reply is inaudible") if answer is None else value(float(answer))

    return each_turn(case, rating, claims_floor)


@metric(
    family="quality",
    unit="MOS",
    direction="higher",
    range=OPINION,
    level="turn",
    needs=("dnsmos",),
    reference=DNSMOS,
)
def dnsmos_ovrl(case: Case, tools: Tools) -> list[Measurement]:
    """Predicted overall quality of the reply (P.835 OVRL), 1 to 5."""
    return _dnsmos(case, tools, "ovrl")


@metric(
    family="quality",
    unit="MOS",
    direction="higher",
    range=OPINION,
    level="turn",
    needs=("dnsmos",),
    reference=DNSMOS,
)
def dnsmos_sig(case: Case, tools: Tools) -> list[Measurement]:
    """Predicted quality of the speech signal in the reply (P.835 SIG), 1 to 5."""
    return _dnsmos(case, tools, "sig")


@metric(
    family="quality",
    unit="MOS",
    direction="higher",
    range=OPINION,
    level="turn",
    needs=("dnsmos",),
    reference=DNSMOS,
)
def dnsmos_bak(case: Case, tools: Tools) -> list[Measurement]:
    """Predicted absence of background noise in the reply (P.835 BAK), 1 to 5."""
    return _dnsmos(case, tools, "bak")
