"""Figures and timelines: what is planted is drawn where it belongs, and texts stay texts."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from cascadence.measurement import censored, value
from cascadence.recording import Recording
from cascadence.reports.contents import Contents
from cascadence.reports.drawing import for_file, for_page
from cascadence.reports.entries import Numbers
from cascadence.reports.figures import gap_figure, waterfall_figure
from cascadence.reports.gaps import gap_rows, waterfall_rows
from cascadence.reports.timeline import (
    GUTTER_PX,
    Annotations,
    describe,
    scale_px_per_s,
    timeline,
)
from cascadence.results import Run, load_run
from planted_run import HOSTILE_NAME, plant_run

SCALE = 100.0


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return load_run(plant_run(tmp_path_factory.mktemp("planted")))


@pytest.fixture(scope="module")
def contents(run: Run) -> Contents:
    return Contents(run)


def recording(run: Run, system: str, conversation_id: str) -> Recording:
    return run.directory.recording(run.results[(f"{system}--corpus", conversation_id, 0)])


def rectangles(drawing: str, css: str) -> list[tuple[float, float]]:
    found = re.findall(rf'<rect class="{css}" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawing)
    return [(float(x), float(width)) for x, width in found]


def test_gaps_are_collected_with_those_that_never_came(contents: Contents) -> None:
    rows = {row.cell.system: row for row in gap_rows(Numbers(contents))}
    assert sorted(rows["alpha"].observed_s) == [0.4, 0.6, 0.8]
    assert sorted(rows[HOSTILE_NAME].observed_s) == [-0.25, 1.2]
    assert list(rows["silent"].censored_s) == [3.0] * 3
    assert rows["silent"].median_s is None


def test_the_waterfall_adds_up_to_the_mean_gap(contents: Contents) -> None:
    rows = {row.cell.system: row for row in waterfall_rows(contents)}
    alpha = rows["alpha"]
    assert alpha.stages_s == pytest.approx(
        {
            "endpointing": 0.15,
            "hearing": 0.15,
            "thinking": 0.06,
            "speaking": 0.18,
            "leading silence": 0.06,
        }
    )
    assert sum(alpha.stages_s.values()) == pytest.approx(0.6)
    assert (alpha.median_gap_s, alpha.turns) == (pytest.approx(0.6), 3)
    assert set(rows[HOSTILE_NAME].stages_s) == {"endpointing", "leading silence"}
    assert "silent" not in rows


def test_figures_are_the_same_for_the_same_run_and_keep_texts(contents: Contents) -> None:
    rows = gap_rows(Numbers(contents))
    drawn = gap_figure(rows)
    assert gap_figure(rows) == drawn
    texts = [element.text for element in ElementTree.fromstring(drawn).iter() if element.text]
    assert HOSTILE_NAME in texts
    assert "3 of 3 never answered" in texts
    assert "<script>" not in drawn
    assert "0.15" in waterfall_figure(waterfall_rows(contents))


def test_an_inline_figure_has_ids_of_its_own_and_no_addresses(contents: Contents) -> None:
    drawn = gap_figure(gap_rows(Numbers(contents)))
    one, other = for_page(drawn, "one", "a"), for_page(drawn, "other", 'b"><script>')
    ids = [set(re.findall(r'\bid="([^"]+)"', text)) for text in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', one))
    assert used <= ids[0]
    assert "http" not in one
    assert "currentColor" in one
    assert "<script>" not in other
    assert ElementTree.fromstring(for_file(drawn)).tag.endswith("svg")


def test_speech_stands_where_it_was_heard(run: Run) -> None:
    drawing = timeline(recording(run, "alpha", "c1"), SCALE, Annotations())
    assert rectangles(drawing, "user-span") == [(GUTTER_PX + 50, 100)]
    ((left, width),) = rectangles(drawing, "system-span")
    assert left == pytest.approx(GUTTER_PX + 210, abs=2)
    assert width == pytest.approx(120, abs=3)


def test_gaps_overlaps_and_missing_replies_look_different(run: Run) -> None:
    take = recording(run, "beta", "c0")
    positive = timeline(take, SCALE, Annotations({0: value(0.6)}))
    assert "bracket gap" in positive
    assert ">0.60 s<" in positive
    overlap = timeline(take, SCALE, Annotations({0: value(-0.25)}))
    assert 'bracket overlap"><path d="M183 46v8m0-4H208m0-4v8"' in overlap
    assert ">\u22120.25 s<" in overlap
    never = timeline(take, SCALE, Annotations({0: censored(3.0)}))
    assert "bracket censored" in never
    assert ">no reply in 3.0 s<" in never


def test_stalls_barge_ins_and_events_are_marked(run: Run) -> None:
    drawing = timeline(recording(run, "beta", "c0"), SCALE, Annotations({}, {0: "barge_in"}))
    assert rectangles(drawing, "stall") == [(GUTTER_PX + 290, 20)]
    assert ">1 barge-in<" in drawing
    for kind in ("endpoint", "heard", "text", "audio"):
        assert drawing.count(f'class="e-{kind}"') == 1


def test_what_was_heard_stays_text(run: Run) -> None:
    drawing = timeline(recording(run, "alpha", "c0"), SCALE, Annotations())
    assert "<script>" not in drawing
    assert "&lt;script&gt;" in drawing
    ElementTree.fromstring(drawing)


def test_the_drawing_is_told_in_words(run: Run) -> None:
    words = describe(recording(run, "alpha", "c0"), Annotations({0: value(0.4)}))
    assert "user 0.5 to 1.5 s" in words
    assert "system 1.9 to 3.1 s" in words
    assert "response gap after turn 1: 0.40 s" in words
    silent = describe(recording(run, "silent", "c0"), Annotations())
    assert "the system says nothing" in silent


def test_the_scale_fits_short_and_long_conversations() -> None:
    assert scale_px_per_s(0.0) == scale_px_per_s(2.0)
    assert scale_px_per_s(600.0) == 12.0


def test_the_control_without_sound_is_drawn_too(run: Run, tmp_path: Path) -> None:
    drawing = timeline(recording(run, "silent", "c2"), SCALE, Annotations())
    assert rectangles(drawing, "system-span") == []
