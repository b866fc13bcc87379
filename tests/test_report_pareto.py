"""The endpointing trade-off: planted cells come back as points, in the figure and in its table."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from cascadence.measurement import censored, ratio, value
from cascadence.reports.contents import Contents
from cascadence.reports.entries import Numbers
from cascadence.reports.page import write_report
from cascadence.reports.pareto import settings_text, trade_off_views, trade_offs
from cascadence.results import Row, load_run, row_to_json
from cascadence.run_directory import RunDirectory, write_lines
from planted_run import SCRIPT, about, plant_corpus

TURNS = 10
THRESHOLDS: Mapping[float, tuple[float, int]] = {0.8: (1.2, 0), 0.2: (0.4, 5), 0.5: (0.7, 1)}
"""Silence threshold to the median gap and how many of the turns are cut off."""


def planted_cell(
    system: str, silence_s: float | None = None, kind: str = "cascade", **changes: Any
) -> dict[str, Any]:
    rules = {} if silence_s is None else {"turn_taking": {"silence_s": silence_s, "vad": "silero"}}
    name = system if silence_s is None else f"{system}.silence_s-{silence_s}"
    info = {"name": system, "kind": kind, "duplex": "half", "parameters": rules}
    (template, *_) = about(Path("corpus"))["cells"]
    names = {"name": f"{name}--corpus", "system_name": name, "system": system}
    return {**template, **names, "info": info, **changes}


def rows(cell: Mapping[str, Any], gaps_s: Sequence[float | None], cut_off: int) -> list[Row]:
    """Measurements of `TURNS` turns; a gap that is ``None`` never came within 10 s."""
    name, found = str(cell["name"]), []
    for number, gap_s in enumerate(gaps_s):
        gap = censored(10.0) if gap_s is None else value(gap_s)
        cut = ratio(number < cut_off, 1)
        for metric, measurement in (("response_gap_s", gap), ("cutoff_rate", cut)):
            place = (name, f"c{number}", 0, metric, f"{metric}@1", "f")
            found.append(Row(*place, measurement.on_turn(0)))
    return found


def plant(folder: Path, cells: Sequence[Mapping[str, Any]], measured: Sequence[Row]) -> Path:
    corpus = plant_corpus(folder / "corpus")
    directory = RunDirectory(folder / "runs" / "planted")
    with directory:
        content = about(corpus)
        gap = next(spec for spec in content["metrics"] if spec["name"] == "response_gap_s")
        cut_offs = {"name": "cutoff_rate", "unit": "ratio", "range": [0, 1], "summary": "ratio"}
        content["cells"] = [{**cell, "corpus_path": str(corpus)} for cell in cells]
        content["metrics"].append({**gap, **cut_offs, "family": "turn_taking"})
        directory.write_run(content)
        write_lines(directory.measurements_path, map(row_to_json, measured))
    return directory.path


def three_thresholds(system: str = "alpha") -> tuple[list[dict[str, Any]], list[Row]]:
    cells, measured = [], []
    for silence_s, (gap_s, cut_off) in THRESHOLDS.items():
        cells.append(planted_cell(system, silence_s))
        gaps_s = [*[gap_s - 0.1] * 3, *[gap_s] * 4, *[gap_s + 0.1] * 3]
        measured += rows(cells[-1], gaps_s, cut_off)
    return cells, measured


def numbers_of(
    folder: Path, cells: Sequence[Mapping[str, Any]], measured: Sequence[Row]
) -> Numbers:
    return Numbers(Contents(load_run(plant(folder, cells, measured))))


def marks(drawing: str, colours: Sequence[str]) -> list[tuple[float, float]]:
    """Where the first mark of each colour is drawn, in points; the legend's come later."""
    found = []
    for colour in colours:
        mark = re.search(rf'<use [^>]*x="([\d.]+)" y="([\d.]+)"[^>]*fill: {colour}', drawing)
        assert mark is not None
        found.append((float(mark[1]), float(mark[2])))
    return found


def strokes(drawing: str, colour: str = "") -> list[list[float]]:
    """Every open path of a colour: its coordinates, one after the other."""
    found = re.findall(rf'<path d="(M [^"zC]+)"[^>]*style="[^"]*stroke: {colour}', drawing)
    return [[float(number) for number in re.findall(r"-?[\d.]+", path)] for path in found]


def ends_of(interval: tuple[float | None, float | None] | None) -> list[float]:
    """Both ends of an interval that must have both."""
    ends = [end for end in interval or () if end is not None]
    assert len(ends) == 2
    return ends


def test_three_thresholds_come_back_as_points_in_order(tmp_path: Path) -> None:
    (made,) = trade_offs(numbers_of(tmp_path, *three_thresholds()))
    assert [p.settings for p in made.points] == ["silence 0.2 s", "silence 0.5 s", "silence 0.8 s"]
    assert [p.gap.value for p in made.points] == pytest.approx([0.4, 0.7, 1.2])
    assert [p.cut_offs.value for p in made.points] == pytest.approx([0.5, 0.1, 0.0])
    assert [(p.gap.n, p.cut_offs.n, p.counts) for p in made.points] == [(10, 10, "n 10")] * 3
    assert [p.on_front for p in made.points] == [True] * 3
    assert made.lines == (tuple(p.cell.name for p in made.points),)
    low, high = ends_of(made.points[0].cut_offs.interval)
    assert 0.0 < low < 0.5 < high < 1.0


def test_the_figure_draws_them_to_scale_with_bars_line_and_front(tmp_path: Path) -> None:
    numbers = numbers_of(tmp_path, *three_thresholds())
    ((made,), (view,)) = trade_offs(numbers), trade_off_views(numbers)
    drawing = view.figure.svg
    (x1, y1), (x2, y2), (x3, y3) = marks(drawing, [p.cell.colour for p in made.points])
    assert (x2 - x1) / (x3 - x1) == pytest.approx((0.7 - 0.4) / (1.2 - 0.4), abs=1e-3)
    # Downwards on the page is downwards in cut-offs: y grows to the bottom in both.
    assert (y2 - y1) / (y3 - y1) == pytest.approx((0.5 - 0.1) / (0.5 - 0.0), abs=1e-3)
    assert y1 < y2 < y3
    drawn = strokes(drawing)
    assert pytest.approx([x1, y1, x2, y2, x3, y3]) in drawn
    (steps,) = (path for path in drawn if len(path) > 8)
    corners = dict.fromkeys(zip(steps[::2], steps[1::2], strict=True))
    expected = [(x1, y1), (x2, y1), (x2, y2), (x3, y2), (x3, y3)]
    assert list(corners)[1:6] == [pytest.approx(corner) for corner in expected]
    per_s, per_share = (x3 - x1) / (1.2 - 0.4), (y3 - y1) / 0.5
    gap, cut_offs = made.points[0].gap.interval, made.points[0].cut_offs.interval
    across = [x1 + (end - 0.4) * per_s for end in ends_of(gap)]
    upright = [y1 + (0.5 - end) * per_share for end in ends_of(cut_offs)]
    assert strokes(drawing, made.points[0].cell.colour) == [
        pytest.approx([across[0], y1, across[1], y1], abs=0.01),
        pytest.approx([x1, upright[0], x1, upright[1]], abs=0.01),
    ]
    assert across[1] - across[0] > 1.0


def test_texts_of_the_figure_are_texts_in_the_pages_ink(tmp_path: Path) -> None:
    cells, measured = three_thresholds(f"$x_${SCRIPT}")
    (view,) = trade_off_views(numbers_of(tmp_path, cells, measured))
    drawn = ElementTree.fromstring(view.figure.svg)
    texts = [element for element in drawn.iter() if element.tag.endswith("text")]
    words = [element.text for element in texts]
    assert "silence 0.2 s, n 10" in words
    assert any(word is not None and word.startswith("$x_$<script>") for word in words)
    assert all("fill: #" in element.get("style", "") for element in texts)
    assert "<script>" not in view.figure.svg


def test_what_another_beats_in_both_is_not_on_the_front(tmp_path: Path) -> None:
    cells, measured = three_thresholds()
    cells.append(planted_cell("bad"))
    (made,) = trade_offs(numbers_of(tmp_path, cells, [*measured, *rows(cells[-1], [0.9] * 10, 2)]))
    assert {p.cell.system: p.on_front for p in made.points}["bad"] is False
    assert sum(p.on_front for p in made.points) == 3
    assert len(made.lines) == 1


def test_controls_are_left_out_and_oracles_are_on_no_front_of_real_systems(tmp_path: Path) -> None:
    cells, measured = three_thresholds()
    cells += [planted_cell("always_talking", kind="control"), planted_cell("seeing")]
    cells[-1]["info"]["sees_answers"] = True
    for cell in cells[-2:]:
        measured += rows(cell, [0.1] * TURNS, 0)
    numbers = numbers_of(tmp_path, cells, measured)
    (made,), (view,) = trade_offs(numbers), trade_off_views(numbers)
    fronts = {p.cell.system: p.on_front for p in made.points}
    assert fronts.pop("seeing") is False
    assert list(fronts.values()) == [True] * 3
    assert "always_talking" not in fronts
    assert "Oracles see" in view.figure.caption
    only = [cell for cell in cells if cell["info"].get("sees_answers")]
    other = {**only[0], "name": "other--corpus", "system_name": "other"}
    folder = tmp_path / "oracles"
    (alone,) = trade_offs(
        numbers_of(folder, [*only, other], [*measured, *rows(other, [0.2] * TURNS, 1)])
    )
    assert {p.cell.system: p.on_front for p in alone.points} == {"seeing": True, "other": False}


def test_who_answers_less_than_half_has_no_point_and_says_so(tmp_path: Path) -> None:
    cells, measured = three_thresholds()
    cells.append(planted_cell("mute"))
    measured += rows(cells[-1], [1.0] * 4 + [None] * 6, 0)
    numbers = numbers_of(tmp_path, cells, measured)
    (made,), (view,) = trade_offs(numbers), trade_off_views(numbers)
    assert "mute" not in {p.cell.system for p in made.points}
    row = view.rows[-1]
    assert (row.cell.system, row.front, row.gap.value) == (
        "mute",
        "not drawn: no response_gap_s",
        "",
    )
    assert row.cut_offs.value == "0.00"


def test_each_condition_has_its_own_figure_and_front(tmp_path: Path) -> None:
    cells, measured = three_thresholds()
    for cell in list(cells):
        noisy = {**cell, "name": f"{cell['name']}--babble", "condition": {"name": "babble"}}
        cells.append(noisy)
        measured += rows(noisy, [2.0] * TURNS, 9)
    numbers = numbers_of(tmp_path, cells, measured)
    clean, babble = trade_off_views(numbers)
    assert (clean.setting, babble.setting) == ("corpus, clean", "corpus, babble")
    assert (clean.figure.name, babble.figure.name) == ("trade-off", "trade-off-2")
    # All three lie in one place, which clean points would beat.
    assert [row.front for row in babble.rows] == ["on the front"] * 3


def test_one_point_or_one_measure_is_no_trade_off(tmp_path: Path) -> None:
    cells, measured = three_thresholds()
    one = [row for row in measured if row.cell == cells[0]["name"]]
    assert trade_offs(numbers_of(tmp_path / "one", cells[:1], one)) == []
    gaps = [row for row in measured if row.metric == "response_gap_s"]
    assert trade_offs(numbers_of(tmp_path / "gaps", cells, gaps)) == []


def test_the_page_has_the_figure_the_table_and_what_is_better(tmp_path: Path) -> None:
    cells, measured = three_thresholds()
    page = write_report(load_run(plant(tmp_path / "with", cells, measured)))
    source = page.read_text(encoding="utf-8")
    (section,) = re.findall(r'<section id="trade-offs".*?</section>', source, re.DOTALL)
    assert "Further left is better" in section
    assert (page.parent / "figures/trade-off.svg").is_file()
    table = section[section.index("<table") :]
    found = [re.sub(r"<[^>]+>", " ", row).split() for row in re.findall(r"<tr>.*?</tr>", table)]
    assert found[0][:2] == ["System", "Setting"]
    said = [" ".join(row) for row in found[1:]]
    assert re.fullmatch(
        r"alpha.silence_s-0.2 silence 0.2 s 0.50 \[.*\] n 10 0.40 \[.*\] .* n 10 on the front",
        said[0],
    )
    assert "silence 0.8 s 0.00" in said[2]
    without = write_report(load_run(plant(tmp_path / "without", cells[:1], measured)))
    assert "trade-offs" not in without.read_text(encoding="utf-8")


def test_settings_are_worded() -> None:
    assert settings_text({"silence_s": 0.3, "end": "own"}) == "silence 0.3 s, end own"
    assert settings_text({"barge_in": True, "threshold": 0.5}) == "barge in True, threshold 0.5"
    assert settings_text({}) == ""
