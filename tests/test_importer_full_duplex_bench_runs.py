"""Full-Duplex-Bench outputs, from the folder to the report: planted times come back."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import soundfile

from cascadence import experiment
from cascadence.corpus import open_corpus
from cascadence.experiment import score_run, write_report
from cascadence.importing import BadDataset, import_named
from cascadence.measurement import Ratio
from cascadence.results import Run, load_run
from cascadence.scoring import CachedTools
from cascadence.validation import validate
from planted_run import speech
from test_importer_full_duplex_bench import PAUSE_S, plant

RATE = 24_000
NEAR_S = 0.02
GAP_S, INTERRUPTED_GAP_S, YIELD_S = 0.4, 0.7, 0.35
METRICS = (
    "response_gap_s",
    "takeover_rate_turn_end",
    "takeover_rate_pause",
    "takeover_rate_barge_in",
    "takeover_rate_aside",
    "aside_error_rate",
    "backchannel_error_rate",
    "cutoff_rate",
    "yield_rate",
    "yield_latency_s",
    "first_token_s",
    "endpointing_delay_s",
    "heard_wer",
    "reply_wer",
    "rtf",
)
REPLY = (3.5, 8.0 + YIELD_S)
OUTPUTS: Mapping[str, Mapping[str, list[tuple[float, float]]]] = {
    "v1_0/synthetic_pause_handling/1": {
        "": [],
        "eager_": [(PAUSE_S[0] + 0.2, PAUSE_S[0] + 1.5)],
    },
    "v1_0/candor_turn_taking/2": {"": [(2.0 + GAP_S, 4.0)], "eager_": [(1.0, 4.0)]},
    "v1_0/icc_backchannel/0": {"": [(2.0, 2.4)], "eager_": [(1.0, 6.0)]},
    "v1_0/synthetic_user_interruption/10": {
        "": [REPLY, (9.5 + INTERRUPTED_GAP_S, 12.0)],
        "eager_": [(3.5, 16.0)],
    },
    "v1_5/talking_to_other/3": {"": [(3.5, 11.0)], "eager_": [(3.5, 8.3), (9.4, 11.0)]},
    "v1_5/user_backchannel/3": {"": [(3.5, 11.0)], "eager_": [(3.5, 8.3)]},
    "v1_5/user_interruption/3": {"": [REPLY]},
}
"""When each model speaks; the nameless one behaves, and the eager one has no last file."""


class Judge:
    """Hears two words in everything."""

    version = "planted"

    def __call__(self, about: Any, /) -> Mapping[str, Any]:
        return {"text": "two words"}


class Quiet:
    def scoring(self, done: int, total: int, what: str) -> None:
        pass

    def note(self, text: str) -> None:
        raise AssertionError(text)


def plant_outputs(folder: Path) -> Path:
    source = plant(folder)
    for place, models in OUTPUTS.items():
        for model, spans_s in models.items():
            length_s = soundfile.info(str(source / place / "input.wav")).duration
            sound = speech(spans_s, length_s, RATE, 220.0)
            soundfile.write(str(source / place / f"{model}output.wav"), sound.samples, RATE)
    task = source / "v1_0" / "candor_turn_taking"
    shutil.copytree(task / "2", task / "3")
    (task / "3" / "eager_output.wav").unlink()
    return source


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("fdb")
    done = import_named("full_duplex_bench_runs", plant_outputs(folder / "data"), folder / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            experiment, "CachedTools", lambda path: CachedTools(path, {"judge_asr": Judge()})
        )
        score_run(done.folder, METRICS, Quiet())  # type: ignore[arg-type]
    return load_run(done.folder)


def value_of(run: Run, model: str, metric: str, sample: str, turn: int) -> float:
    """The one value of a turn; a ratio as a share."""
    (found,) = (
        row.measurement
        for row in run.rows_of(f"{model}--corpus", metric)
        if row.conversation_id == sample and row.measurement.turn == turn
    )
    assert found.status == "ok", found.reason
    quantity = found.quantity
    if isinstance(quantity, Ratio):
        return quantity.numerator / quantity.denominator
    return quantity.x  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("metric", "sample", "turn", "expected_s"),
    [
        ("response_gap_s", "candor_turn_taking-2", 0, GAP_S),
        ("response_gap_s", "synthetic_user_interruption-10", 0, 0.5),
        ("response_gap_s", "synthetic_user_interruption-10", 1, INTERRUPTED_GAP_S),
        ("yield_latency_s", "synthetic_user_interruption-10", 1, YIELD_S),
        ("yield_latency_s", "user_interruption-3", 1, YIELD_S),
    ],
)
def test_planted_times_come_back(
    run: Run, metric: str, sample: str, turn: int, expected_s: float
) -> None:
    found_s = value_of(run, "recorded", metric, sample, turn)
    assert found_s == pytest.approx(expected_s, abs=NEAR_S)


@pytest.mark.parametrize(
    ("metric", "sample", "turn", "behaved", "eager"),
    [
        ("takeover_rate_pause", "synthetic_pause_handling-1", 0, 0.0, 1.0),
        ("takeover_rate_turn_end", "candor_turn_taking-2", 0, 1.0, 1.0),
        ("takeover_rate_barge_in", "synthetic_user_interruption-10", 1, 1.0, 0.0),
        ("takeover_rate_aside", "talking_to_other-3", 1, 0.0, 1.0),
        ("aside_error_rate", "talking_to_other-3", 1, 0.0, 1.0),
        ("backchannel_error_rate", "user_backchannel-3", 1, 0.0, 1.0),
        ("cutoff_rate", "candor_turn_taking-2", 0, 0.0, 1.0),
        ("cutoff_rate", "icc_backchannel-0", 0, 0.0, 1.0),
        ("yield_rate", "synthetic_user_interruption-10", 1, 1.0, 0.0),
    ],
)
def test_who_took_the_floor(
    run: Run, metric: str, sample: str, turn: int, behaved: float, eager: float
) -> None:
    assert value_of(run, "recorded", metric, sample, turn) == behaved
    assert value_of(run, "eager", metric, sample, turn) == eager


def test_what_nobody_logged_is_skipped(run: Run) -> None:
    for metric in ("first_token_s", "endpointing_delay_s", "heard_wer", "reply_wer", "rtf"):
        rows = [row.measurement for row in run.rows_of("recorded--corpus", metric)]
        played = [m for m in rows if m.status != "failed"]
        assert played
        assert {m.status for m in played} == {"skipped"}, metric


def test_no_answer_is_asked_for_where_the_recording_ends(run: Run) -> None:
    corpus = open_corpus(run.cells[0]["corpus_path"])
    silent = {one.id: one.turns[-1].expect.stay_silent for one in corpus}
    assert silent["synthetic_pause_handling-1"]
    assert silent["icc_backchannel-0"]
    assert not silent["candor_turn_taking-2"]
    assert not silent["synthetic_user_interruption-10"]
    asked = {
        row.conversation_id for row in run.rows_of("recorded--corpus", "takeover_rate_turn_end")
    }
    assert "synthetic_pause_handling-1" not in asked


def test_a_missing_output_counts_as_failed_for_its_model_alone(run: Run) -> None:
    failed = {key[:2] for key, row in run.results.items() if row["status"] == "failed"}
    assert failed == {("eager--corpus", "candor_turn_taking-3")}


def test_a_task_that_was_not_run_is_left_out_and_said(run: Run, tmp_path: Path) -> None:
    assert not any(name.startswith("background_speech") for _, name, _ in run.results)
    assert ("eager--corpus", "user_interruption-3", 0) not in run.results
    done = import_named("full_duplex_bench_runs", plant_outputs(tmp_path / "a"), tmp_path / "b")
    assert [Path(p.file).name for p in done.problems if p.severity == "warning"] == [
        "background_speech"
    ]


def test_the_corpus_is_sound_and_the_report_is_written(run: Run) -> None:
    corpus = open_corpus(run.cells[0]["corpus_path"])
    assert not [problem for problem in validate(corpus, audio=True) if problem.severity == "error"]
    page = write_report(run.directory.path).read_text(encoding="utf-8")
    assert "response_gap_s" in page
    assert "eager" in page


def test_torn_and_stereo_outputs(tmp_path: Path) -> None:
    import numpy as np

    source = plant(tmp_path / "fdb") / "v1_0" / "candor_turn_taking"
    sound = speech([(2.4, 4.0)], 8.0, RATE, 220.0)
    both = np.stack([sound.samples, sound.samples], axis=1)
    soundfile.write(str(source / "2" / "stereo_output.wav"), both, RATE)
    (source / "2" / "torn_output.wav").write_bytes(b"RIFF")
    (source / "2" / "output.wav").symlink_to("/etc/hostname")
    done = import_named("full_duplex_bench_runs", source, tmp_path / "run")
    assert done.count == 1
    assert len(done.problems) == 2
    found = load_run(done.folder).results
    assert {cell: row["status"] for (cell, _, _), row in found.items()} == {
        "recorded--corpus": "failed",
        "stereo--corpus": "ok",
        "torn--corpus": "failed",
    }


def test_input_folders_without_outputs_are_no_recordings(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match=r"output\.wav"):
        import_named("full_duplex_bench_runs", plant(tmp_path / "fdb"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
