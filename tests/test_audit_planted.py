"""What is planted in the scripted control comes back, also where users interrupt it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cascadence.measurement import (
    value,
)
from cascadence.reports.audit import audit
from cascadence.reports.contents import Contents
from cascadence.reports.entries import Numbers
from corpus_folder import conversation, write_corpus
from planted_audit import (
    COUNT,
    row_of,
    run_of,
)


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Conversations of two turns; in the first two, the user speaks into the first reply."""
    folder = tmp_path_factory.mktemp("audit") / "corpus"
    lines = []
    for i in range(COUNT):
        line = conversation(folder, f"c{i}", turns=2)
        if i < 2:
            line["turns"][1]["when"] = {"kind": "barge_in", "after_onset_s": 0.5}
        lines.append(line)
    return write_corpus(folder, lines)


@pytest.mark.parametrize(
    ("cut", "whole", "state"),
    [
        ((0.0, 0.2), 0.2, "held"),
        ((0.0, 0.0), 0.19, "held"),
        ((0.0, 0.2), 0.15, "violated"),
        ((0.0, 0.4), 0.2, "violated"),
    ],
    ids=["one given up", "both given up", "too little", "too much of an interrupted one"],
)
def test_a_reply_that_is_given_up_may_have_no_stall(
    interrupted: Path, cut: tuple[float, float], whole: float, state: str
) -> None:
    run = run_of(interrupted, {("scripted", "stall_s"): [*map(value, cut), *[value(whole)] * 6]})
    seen = row_of(audit(Numbers(Contents(run))), "scripted", "stall_s").observed
    assert (seen.state, seen.n) == (state, 6)
    assert seen.value == pytest.approx(whole)
    assert seen.note == "planted 0.2; 2 replies left out that the user speaks into"


def test_where_every_reply_is_spoken_into_no_stall_is_judged(tmp_path: Path) -> None:
    folder = tmp_path / "corpus"
    lines = [conversation(folder, f"c{i}", turns=2) for i in range(COUNT)]
    for line in lines:
        line["turns"][1]["when"] = {"kind": "barge_in", "after_onset_s": 0.5}
    run = run_of(write_corpus(folder, lines), {("scripted", "stall_s"): value(0.0)})
    seen = row_of(audit(Numbers(Contents(run))), "scripted", "stall_s").observed
    assert (seen.state, seen.note) == ("not measured", "the user speaks into every reply")
