"""Comparing runs: planted differences come back, and runs that cannot be compared are refused."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cascadence.compared_cells import NotComparable
from cascadence.comparing import Asked, Compared, Runs, compare_runs, to_json
from cascadence.comparison import compare, holm
from cascadence.errors import CascadenceError
from cascadence.estimators import Observation
from cascadence.measurement import Measurement, censored, failed, ratio, value
from cascadence.reports.compared_runs import to_text
from cascadence.results import Row, row_to_json
from cascadence.run_directory import RunDirectory, write_lines
from corpus_folder import conversation, write_corpus
from planted_run import SPECS, about

COUNT = 12
EVERYWHERE = frozenset(range(COUNT))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Twelve conversations, the first two of one contrast set."""
    folder = tmp_path / "corpus"
    lines = [
        conversation(folder, f"c{i}", **({"group": "set"} if i < 2 else {})) for i in range(COUNT)
    ]
    return write_corpus(folder, lines)


def plant(
    corpus: Path,
    name: str,
    gap_s: Callable[[int], float | None],
    *,
    right: frozenset[int] = EVERYWHERE,
    system: str = "alpha",
    **changes: Any,
) -> Path:
    """A run with one system: a gap for each conversation, and those in which it is right.

    Changes are ``repeats``, ``contended``, ``played``, ``signature`` (by metric), ``rows`` (more of
    them), and fields of ``cell`` and ``about``.
    """
    cell, content = f"{system}--corpus", about(corpus)
    record = {**content["cells"][0], "name": cell, "system_name": system}
    manifest = hashlib.sha256((corpus / "conversations.jsonl").read_bytes())
    record["corpus_sha256"] = manifest.hexdigest()
    content["cells"] = [{**record, **changes.get("cell", {})}]
    directory = RunDirectory(corpus.parent / name)
    rows, results = list(changes.get("rows", ())), []
    signature = {"response_gap_s": "response_gap_s@1", "task_success": "task_success@2+judge:1"}
    signature |= changes.get("signature", {})
    for number in sorted(changes.get("played", EVERYWHERE)):
        for repeat in range(changes.get("repeats", 1)):
            key = {"cell": cell, "conversation_id": f"c{number}", "repeat": repeat}
            status = {"status": "ok", "contended": changes.get("contended", False)}
            results.append({**key, **status, "fingerprint": "f"})
            gap = gap_s(number)
            found = censored(10.0) if gap is None else value(gap + 0.01 * repeat)
            for metric, measurement in (
                ("response_gap_s", found),
                ("task_success", ratio(number in right, 1)),
            ):
                on_turn = measurement.on_turn(0)
                rows.append(Row(*key.values(), metric, signature[metric], "f", on_turn))
    with directory:
        directory.write_run({**content, **changes.get("about", {})})
        write_lines(directory.results_path, results)
        write_lines(directory.measurements_path, map(row_to_json, rows))
    return directory.path


def by_metric(found: Runs) -> dict[str, Compared]:
    return {row.spec.name: row for row in found.rows}


def slow(number: int) -> float:
    return 1.0 + 0.05 * number


def quick(number: int) -> float:
    return 0.7 + 0.05 * number + 0.001 * (number % 3)


def test_what_was_planted_comes_back_paired(corpus: Path) -> None:
    one = plant(corpus, "one", slow, right=frozenset(range(3)))
    two = plant(corpus, "two", quick)
    rows = by_metric(compare_runs([one, two]))
    gap, success = rows["response_gap_s"], rows["task_success"]
    assert gap.comparison.difference == pytest.approx(-0.299, abs=0.001)
    assert gap.comparison.low is not None
    assert gap.comparison.high is not None
    assert gap.comparison.low <= -0.299 <= gap.comparison.high < -0.29
    assert (gap.verdict, success.verdict) == ("better", "better")
    assert (gap.comparison.n, gap.comparison.clusters) == (12, 11)
    assert success.first.summary.value == pytest.approx(0.25)
    assert success.second.summary.value == pytest.approx(1.0)
    assert success.comparison.difference == pytest.approx(0.75)
    assert gap.setting == "corpus"
    turned = by_metric(compare_runs([two, one]))["response_gap_s"]
    assert turned.comparison.difference == pytest.approx(0.299, abs=0.001)
    assert turned.verdict == "worse"


def test_the_statistics_are_those_of_a_report(corpus: Path) -> None:
    one, two = plant(corpus, "one", slow, right=frozenset(range(9))), plant(corpus, "two", quick)
    rows = by_metric(compare_runs([one, two]))

    def observed(gap_s: Callable[[int], float]) -> list[Observation]:
        names = ["set" if i < 2 else f"c{i}" for i in range(COUNT)]
        return [Observation(names[i], value(gap_s(i)).on_turn(0), f"c{i}/0") for i in range(COUNT)]

    label = "alpha--corpus alpha--corpus"
    spec = next(spec for spec in SPECS if spec.name == "response_gap_s")
    assert rows["response_gap_s"].comparison == compare(
        spec, observed(quick), observed(slow), label
    )
    p_values = [row.comparison.p or 0.0 for row in rows.values()]
    assert [row.p for row in rows.values()] == pytest.approx(holm(p_values))
    assert rows["response_gap_s"].p != rows["response_gap_s"].comparison.p


def test_repeats_are_paired_one_by_one(corpus: Path) -> None:
    one = plant(corpus, "one", slow, repeats=2)
    two = plant(corpus, "two", quick, repeats=3)
    found = compare_runs([one, two])
    gap = by_metric(found)["response_gap_s"]
    assert gap.comparison.difference == pytest.approx(-0.299, abs=0.001)
    assert (gap.comparison.n, gap.comparison.unpaired) == (24, 0)
    assert any("12 conversations or repeats" in note for note in found.notes)


def test_values_are_over_what_both_played(corpus: Path) -> None:
    one = plant(corpus, "one", slow)
    two = plant(corpus, "two", slow, played=frozenset(range(10)), right=frozenset(range(5)))
    rows = by_metric(compare_runs([one, two]))
    sides = [rows["response_gap_s"].first.summary, rows["response_gap_s"].second.summary]
    assert [side.n for side in sides] == [10, 10]
    assert sides[0].value == sides[1].value
    assert rows["task_success"].comparison.difference == pytest.approx(-0.5)


def test_a_reply_that_never_came_counts_against_a_run(corpus: Path) -> None:
    one = plant(corpus, "one", slow)
    two = plant(corpus, "two", lambda i: 0.2 if i % 3 == 0 else None)
    gap = by_metric(compare_runs([one, two]))["response_gap_s"]
    assert gap.comparison.statistic == "restricted_mean"
    assert gap.verdict == "worse"
    assert gap.second.summary.value is None


def test_failures_are_counted_and_enter_nothing(corpus: Path) -> None:
    more = [
        Row("alpha--corpus", f"c{i}", 0, "reply_wer", "reply_wer@1", "f", measurement.on_turn(0))
        for i, measurement in enumerate([ratio(1, 4), failed("broke"), ratio(1, 2)])
    ]
    one = plant(corpus, "one", slow, rows=[*more[:1], *more[2:]])
    two = plant(corpus, "two", slow, rows=more)
    assert compare_runs([one, plant(corpus, "three", slow)]).notes == (
        f"Measured in {one} and not in {corpus.parent / 'three'}: reply_wer.",
    )
    row = by_metric(compare_runs([one, two]))["reply_wer"]
    assert (row.first.summary.failed, row.second.summary.failed) == (0, 1)
    assert row.comparison.n == 2
    assert "0 / 1" in to_text(compare_runs([one, two], Asked(metrics=("reply_wer",))))


def test_systems_of_other_names_are_compared_when_named(corpus: Path) -> None:
    one = plant(corpus, "one", slow)
    two = plant(corpus, "two", quick, system="beta")
    with pytest.raises(CascadenceError, match="do not both have any system") as caught:
        compare_runs([one, two])
    assert re.search(r"alpha--corpus.*beta--corpus", caught.value.where)
    rows = by_metric(compare_runs([one, two], Asked(systems=(("alpha", "beta"),))))
    assert rows["response_gap_s"].verdict == "better"
    assert rows["response_gap_s"].first.system == "alpha"
    assert rows["response_gap_s"].second.system == "beta"
    with pytest.raises(CascadenceError, match="alpha and gamma"):
        compare_runs([one, two], Asked(systems=(("alpha", "gamma"),)))


def test_every_run_is_compared_with_the_first(corpus: Path) -> None:
    paths = [plant(corpus, "one", slow), plant(corpus, "two", quick), plant(corpus, "three", slow)]
    found = compare_runs(paths, Asked(metrics=("response_gap_s",)))
    assert [(row.first.run, row.second.run, row.verdict) for row in found.rows] == [
        (0, 1, "better"),
        (0, 2, "undecided"),
    ]
    assert (found.rows[1].comparison.difference, found.rows[1].p) == (0.0, 1.0)


NEWER = {"task_success": "task_success@3+judge:1"}


@pytest.mark.parametrize("signature", [NEWER, {"task_success": "task_success@2+judge:2"}])
def test_other_versions_are_refused_unless_asked_for(
    corpus: Path, signature: dict[str, str]
) -> None:
    one = plant(corpus, "one", slow, right=frozenset(range(3)))
    two = plant(corpus, "two", slow, signature=signature)
    with pytest.raises(NotComparable, match="different versions: task_success") as caught:
        compare_runs([one, two])
    assert "task_success@2+judge:1" in caught.value.where
    assert signature["task_success"] in caught.value.where
    assert "--allow-different-versions" in caught.value.mend
    found = compare_runs([one, two], Asked(allow_different_versions=True))
    rows = by_metric(found)
    assert [row.same_versions for row in rows.values()] == [True, False]
    assert rows["task_success"].verdict == "better"
    text = to_text(found)
    assert "task_success ↑ !" in text
    assert f"! different versions: task_success@2+judge:1 and {signature['task_success']}" in text
    assert "response_gap_s ↓ !" not in text
    without = compare_runs([one, two], Asked(metrics=("response_gap_s",)))
    assert [row.spec.name for row in without.rows] == ["response_gap_s"]


def test_another_unit_is_refused_whatever_is_allowed(corpus: Path) -> None:
    specs = about(corpus)["metrics"]
    changed = [
        {**spec, "unit": "ms"} if spec["name"] == "response_gap_s" else spec for spec in specs
    ]
    one = plant(corpus, "one", slow)
    two = plant(corpus, "two", slow, about={"metrics": changed})
    with pytest.raises(NotComparable, match="response_gap_s is not one quantity"):
        compare_runs([one, two], Asked(allow_different_versions=True))


def copied(corpus: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Path:
    """The corpus elsewhere under the same name, its lines changed."""
    folder = corpus.parent / "elsewhere" / "corpus"
    shutil.copytree(corpus, folder)
    lines = [json.loads(line) for line in (corpus / "conversations.jsonl").open()]
    write_corpus(folder, change(lines))
    return folder


def other_words(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines[3]["turns"][0]["text"] = "something else"
    return lines


def test_other_conversations_are_refused(corpus: Path) -> None:
    one = plant(corpus, "one", slow)
    two = plant(copied(corpus, other_words), "two", slow)
    with pytest.raises(NotComparable, match=r"1 of 12 conversations are.*c3") as caught:
        compare_runs([one, two], Asked(allow_different_versions=True))
    assert str(two) in caught.value.where
    assert caught.value.mend


def test_a_manifest_that_only_grew_or_changed_elsewhere_is_no_obstacle(corpus: Path) -> None:
    one = plant(corpus, "one", slow)
    grown = copied(corpus, lambda lines: [*reversed(lines), {**lines[0], "id": "c99"}])
    two = plant(grown, "two", quick)
    assert by_metric(compare_runs([one, two]))["response_gap_s"].verdict == "better"
    shutil.rmtree(corpus.parent / "elsewhere")
    changed = copied(corpus, other_words)
    unlike = plant(changed, "three", quick, played=EVERYWHERE - {3})
    assert by_metric(compare_runs([one, unlike]))["response_gap_s"].comparison.n == 11


def test_a_manifest_that_differs_and_is_gone_is_refused(corpus: Path) -> None:
    one = plant(corpus, "one", slow)
    elsewhere = copied(corpus, lambda lines: lines[::-1])
    two = plant(elsewhere, "two", slow)
    compare_runs([one, two])
    write_corpus(elsewhere, [])
    with pytest.raises(NotComparable, match="cannot be told"):
        compare_runs([one, two])


def test_the_contrast_set_is_known_though_one_corpus_is_gone(corpus: Path) -> None:
    one = plant(corpus, "one", slow)
    moved = copied(corpus, lambda lines: lines)
    shutil.copy(corpus / "conversations.jsonl", moved)
    two = plant(moved, "two", quick)
    shutil.rmtree(moved)
    gap = by_metric(compare_runs([two, one]))["response_gap_s"]
    assert (gap.comparison.n, gap.comparison.clusters) == (12, 11)


def noise(snr_db: float) -> dict[str, Any]:
    return {"condition": {"name": "noisy", "noise": {"kind": "babble", "snr_db": snr_db}}}


def test_conditions_are_paired_and_must_be_the_same(corpus: Path) -> None:
    paths = [plant(corpus, name, slow, cell=noise(10.0)) for name in ("one", "two")]
    assert {row.setting for row in compare_runs(paths).rows} == {"corpus, noisy"}
    louder = plant(corpus, "three", slow, cell=noise(0.0))
    with pytest.raises(NotComparable, match="condition 'noisy'"):
        compare_runs([paths[0], louder])
    with pytest.raises(CascadenceError, match="on one corpus under one condition"):
        compare_runs([paths[0], plant(corpus, "four", slow)])


def test_other_refusals(corpus: Path, tmp_path: Path) -> None:
    one = plant(corpus, "one", slow, played=frozenset(range(4)))
    two = plant(corpus, "two", slow, played=frozenset(range(4, 9)))
    with pytest.raises(CascadenceError, match="one run alone"):
        compare_runs([one])
    with pytest.raises(NotComparable, match="no conversation was played in both"):
        compare_runs([one, two])
    with pytest.raises(CascadenceError, match="not a run"):
        compare_runs([one, tmp_path / "nowhere"])
    with pytest.raises(CascadenceError, match="no values of 'rtf'"):
        compare_runs([one, one], Asked(metrics=("rtf",)))


def test_contended_latencies_and_corpus_values_are_shown_and_not_tested(corpus: Path) -> None:
    gain = Measurement("ok", value(0.47).quantity, interval=(0.31, 0.63), n=12)
    more = [Row("alpha--corpus", "", 0, "contrast_gain_f0", "contrast_gain_f0@1", "f", gain)]
    one = plant(corpus, "one", slow, rows=more)
    two = plant(corpus, "two", quick, rows=more, contended=True)
    rows = by_metric(compare_runs([one, two]))
    assert rows["response_gap_s"].untested == "contended"
    assert rows["contrast_gain_f0"].untested == "one value a corpus"
    assert rows["contrast_gain_f0"].second.summary.low == 0.31
    assert rows["task_success"].untested == ""
    for name in ("response_gap_s", "contrast_gain_f0"):
        assert rows[name].comparison.difference is None
        assert (rows[name].p, rows[name].verdict) == (None, "undecided")


def test_what_else_differs_is_noted(corpus: Path) -> None:
    one = plant(corpus, "one", slow)
    sweep = {"seed": 8, "repeats": 1, "user": {"patience_s": 5.0}}
    machine = {"processor": "another"}
    two = plant(
        corpus, "two", slow, about={"sweep": sweep, "machine": machine}, cell={"clock": "real_time"}
    )
    notes = "\n".join(compare_runs([one, two]).notes)
    for words in ("seeds", "patience", "different machines", "different clocks"):
        assert words in notes
    assert compare_runs([one, one]).notes == ()


def test_text_has_every_column_and_fits(corpus: Path) -> None:
    one = plant(corpus, "one", slow, right=frozenset(range(3)))
    text = to_text(compare_runs([one, plant(corpus, "two", quick)]))
    lines = text.splitlines()
    assert lines[0] == f"A: {one} (planted)"
    assert max(map(len, lines[2:])) <= 120
    heads = next(line for line in lines if line.startswith("metric"))
    assert " ".join(heads.split()) == "metric A B B - A p (Holm) B is n failed"
    row = next(line for line in lines if line.startswith("task_success"))
    assert row.split()[:5] == ["task_success", "↑", "0.25", "1.00", "+0.75"]
    assert row.split()[-6:] == ["12", "in", "11", "0", "/", "0"]
    assert "better" in row
    assert "2 in all" in text


def test_json_holds_the_same(corpus: Path) -> None:
    one, two = plant(corpus, "one", slow), plant(corpus, "two", quick)
    found = compare_runs([one, two])
    content = json.loads(json.dumps(to_json(found), allow_nan=False))
    row = content["rows"][0]
    assert content["runs"][1]["path"] == str(two)
    assert (row["metric"], row["verdict"], row["same_versions"]) == (
        "response_gap_s",
        "better",
        True,
    )
    assert row["difference"] == pytest.approx(-0.299, abs=0.001)
    assert row["first"]["signatures"] == ["response_gap_s@1"]
    assert {"p_holm", "low", "high", "n", "unpaired"} <= row.keys()


def cascadence(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cascadence.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


def test_the_command(corpus: Path, tmp_path: Path) -> None:
    one = plant(corpus, "one", slow)
    two = plant(corpus, "two", quick, signature=NEWER, system="beta")
    named = ("compare", one, two, "--system", "alpha=beta")
    refused = cascadence(*named, cwd=tmp_path)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert re.search(r"different versions.*\n *where:.*\n *mend:", refused.stderr)
    assert "Traceback" not in refused.stderr
    shown = cascadence(*named, "--allow-different-versions", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    assert "alpha (A) and beta (B) on corpus" in shown.stdout
    data = cascadence(*named, "--metric", "response_gap_s", "--json", cwd=tmp_path).stdout
    assert json.loads(data)["rows"][0]["verdict"] == "better"
