"""Pages of metrics: what a metric says of itself is on its page, and the committed ones are so."""

from pathlib import Path

import pytest

from cascadence.measurement import Case, Measurement, Tools, metric, value
from cascadence.reports import metric_pages
from cascadence.reports.metric_pages import MADE, built_in_metrics, main, pages, write_pages

COMMITTED = Path(__file__).resolve().parent.parent / "docs" / "metrics"


@metric(
    family="turn_taking",
    unit="s",
    direction="lower",
    range=(0.0, float("inf")),
    level="turn",
    needs=("judge_asr",),
    reference="a book | a paper",
    version="7",
    summary="survival",
)
def planted_wait_s(case: Case, tools: Tools) -> Measurement:
    """How long *somebody* waits, ``quiet`` or not.

    See `planted_rate`, unlike `somewhere.planted_rate` and `Planted`. Where nobody
    waits it is skipped: nothing 0.

    wait = end - start, both in seconds.
    """
    return value(1.0)


@metric(family="planted", unit="", direction="neither", range=(-1.0, 1.5), level="corpus")
def planted_rate(case: Case, tools: Tools) -> Measurement:
    """A rate."""
    return value(1.0)


def test_a_page_says_everything() -> None:
    page = pages([planted_rate, planted_wait_s])["planted_wait_s.md"]
    assert page.startswith(MADE)
    lines = page.splitlines()
    assert "# planted_wait_s" in lines
    assert "How long *somebody* waits, `quiet` or not." in lines
    facts = dict(
        line.removeprefix("| ").removesuffix(" |").split(" | ", 1)
        for line in lines
        if line.startswith("| ") and line != "| | |"
    )
    assert facts.pop("level").startswith("one value a turn; of a corpus, the Kaplan–Meier median")
    assert facts.pop("source").startswith("`test_metric_pages`")
    assert facts == {
        "family": "Turn-taking",
        "unit": "s",
        "range": "0 or more",
        "better": "lower",
        "needs": "`judge_asr`",
        "reference": "a book \\| a paper",
        "version": "7",
    }


def test_formula_definition_and_edge_cases_are_apart() -> None:
    page = pages([planted_rate, planted_wait_s])["planted_wait_s.md"]
    formula, definition, edges = (
        page[page.index(f"## {name}") :] for name in ("Formula", "Definition", "Edge cases")
    )
    assert formula.splitlines()[2] == "wait = end - start, both in seconds."
    link = "[`planted_rate`](planted_rate.md)"
    assert definition.splitlines()[2] == f"See {link}, unlike {link} and `Planted`."
    assert edges.splitlines()[2] == "- Where nobody waits it is skipped: nothing 0."
    other = pages([planted_rate])["planted_rate.md"]
    for name in ("Formula", "Definition", "Edge cases"):
        assert f"## {name}" not in other
    assert "| range | \u22121 to 1.5 |" in other
    assert "| reference | this project |" in other
    assert "| level | one value a corpus |" in other


def test_the_index_lists_every_metric_by_family() -> None:
    index = pages([planted_rate, planted_wait_s])["index.md"]
    waits = "| [`planted_wait_s`](planted_wait_s.md) | s | lower | turn | How long"
    assert index.index("## Turn-taking") < index.index(waits) < index.index("## Planted")
    assert "`test_metric_pages`: Pages of metrics: what a metric says" in index


def test_pages_of_lost_metrics_go_and_other_files_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(metric_pages, "built_in_metrics", lambda: [planted_rate, planted_wait_s])
    write_pages(tmp_path)
    (tmp_path / "notes.md").write_text("by hand")
    monkeypatch.setattr(metric_pages, "built_in_metrics", lambda: [planted_rate])
    assert main([str(tmp_path)]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "index.md",
        "notes.md",
        "planted_rate.md",
    ]
    assert str(tmp_path / "planted_rate.md") in capsys.readouterr().out
    assert main([]) == 2


def test_the_committed_pages_are_those_of_the_metrics() -> None:
    made = pages(built_in_metrics())
    there = {path.name: path.read_text(encoding="utf-8") for path in COMMITTED.glob("*.md")}
    differing = sorted(
        name for name in made.keys() | there.keys() if made.get(name) != there.get(name)
    )
    if differing:
        pytest.fail(
            f"{', '.join(differing)}: run `python -m cascadence.reports.metric_pages docs/metrics`",
            pytrace=False,
        )


def test_every_built_in_metric_has_one() -> None:
    names = {metric.spec.name for metric in built_in_metrics()}
    assert {"response_gap_s", "task_success", "style_preservation"} <= names
    assert {f"{name}.md" for name in names} | {"index.md"} == set(pages(built_in_metrics()))
