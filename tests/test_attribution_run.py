"""A sweep with `attribution: true`, played for real: each stage's planted faults come back."""

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascadence import scoring
from cascadence.attribution_game import all_coalitions, shapley
from cascadence.audio import Audio, audible_runs, write_audio
from cascadence.estimators import Observation
from cascadence.experiment import run_experiment, score_run
from cascadence.measurement import ratio, skipped
from cascadence.registry import load
from cascadence.reports.attribution import (
    DEFERRING_STAGE,
    LEGEND,
    AttributedCell,
    _misled,
    attributed,
    attribution_text,
    write_attribution,
)
from cascadence.reports.contents import Contents
from cascadence.reports.page import write_report
from cascadence.reports.tables import to_text
from cascadence.results import Run, load_run
from cascadence.run_directory import read_lines, write_lines
from cascadence.sweep import Sweep, read_sweep
from cascadence.weights import locate
from corpus_folder import tone, write_corpus
from planted_run import plant_run

PARTS = '''\
"""Three stages, each with faults of its own; words are tones, so that a test can read them."""

import numpy as np

from cascadence.audio import Audio
from cascadence.protocols import PartInfo
from cascadence.systems.oracles import OracleAsr

NUMBERS = "zero one two three four five six seven eight nine".split()
TONES_HZ = {word: 300.0 + 70.0 * i for i, word in enumerate(["playing", "sorry", *NUMBERS])}
RATE = 16_000


class Ears(OracleAsr):
    """Takes every number of a mumbled request for a zero."""

    def transcribe(self, turn, context):
        for text in super().transcribe(turn, context):
            words = text.split()
            numbers = NUMBERS if "mumbled" in words else ()
            yield " ".join("zero" if word in numbers else word for word in words)


class Mind:
    """Does not know requests that are made rarely."""

    info = PartInfo("mind", "CC0-1.0", "1")

    def __enter__(self):
        return self

    def __exit__(self, *exit_information):
        pass

    def respond(self, text, history, context):
        words = text.split()
        number = next((word for word in words if word in NUMBERS), "zero")
        yield "sorry" if "rarely" in words else f"playing {number}"


class Voice(Mind):
    """Cannot say six, nor nine."""

    info = PartInfo("voice", "CC0-1.0", "1")
    output_rate = RATE

    def synthesize(self, text, context):
        times_s = np.arange(round(0.2 * RATE)) / RATE
        for word in text.split():
            if word not in ("six", "nine"):
                tone = 0.3 * np.sin(2 * np.pi * TONES_HZ[word] * times_s)
                yield Audio(np.pad(tone, (0, RATE // 20)).astype(np.float32), RATE)
'''
FAULTS = [
    *([{"asr"}] * 3),
    *([{"llm"}] * 2),
    *([{"tts"}] * 2),
    {"asr", "llm"},
    {"asr", "tts"},
    {"asr", "llm", "tts"},
    *([set()] * 4),
]
"""Which stages fail in which conversation."""
STAGES = ("asr", "llm", "tts")
METRICS = ("task_success", "heard_wer", "reply_wer", "response_gap_s", "style_preservation")


class Quiet:
    """Progress that nobody watches."""

    def cell(self, name: str, total: int, done: int) -> None: ...
    def loading(self, name: str) -> None: ...
    def scoring(self, done: int, total: int, what: str) -> None: ...
    def fetching(self, artefact: object, done: int, total: int | None) -> None: ...
    def conversation(self, cell: str, status: str, reason: str) -> None: ...
    def note(self, text: str) -> None: ...


class TonesRead:
    """A judge ASR that knows which tone stands for which word."""

    version = "1"

    def __init__(self, tones_hz: Mapping[str, float]) -> None:
        self.tones_hz = tones_hz

    def __call__(self, audio: Audio) -> Mapping[str, Any]:
        words = [self.word(audio.span(*run)) for run in audible_runs(audio)]
        return {"text": " ".join(words), "words": words}

    def word(self, audio: Audio) -> str:
        spectrum = np.abs(np.fft.rfft(audio.samples, 16_384))
        pitch_hz = np.argmax(spectrum) * audio.sample_rate / 16_384
        return min(self.tones_hz, key=lambda word: abs(self.tones_hz[word] - pitch_hz))


def request(faults: set[str]) -> tuple[str, str]:
    """A number, and a request for it that brings these faults out."""
    number = "six" if "tts" in faults else "seven"
    how = "mumbled" if "asr" in faults else "spoken"
    return number, f"play {number} {how} {'rarely' if 'llm' in faults else 'often'}"


def plant_corpus(folder: Path) -> Path:
    lines = []
    for index, faults in enumerate(FAULTS):
        number, text = request(faults)
        path = f"audio/c{index}.flac"
        write_audio(folder / path, tone(200.0 + index))
        expect = {"slots": {"number": [number]}, "reply_text": f"playing {number}"}
        audio = {"path": path}
        turn = {"text": text, "audio": audio, "speech_s": [0.2, 1.0], "expect": expect}
        about = {"licence": "CC0-1.0", "source": "made by a test"}
        lines.append({"id": f"c{index}", **about, "turns": [turn]})
    return write_corpus(folder, lines)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("attribution")
    plant_corpus(folder / "corpus")
    (folder / "parts.py").write_text(PARTS)
    parameters = {"asr": "parts.py:Ears", "llm": "parts.py:Mind", "tts": "parts.py:Voice"}
    parameters["turn_taking"] = {"vad": "energy", "silence_s": 0.3}  # type: ignore[assignment]
    cascade = {"name": "planted", "system": "cascade", "parameters": parameters}
    content = {"name": "r", "corpora": ["corpus"], "systems": [cascade], "attribution": True}
    asked = Sweep.model_validate({**content, "metrics": METRICS})
    finished = run_experiment(asked, folder, folder / "runs", Quiet(), measure=False)
    tones_hz = load("tts", f"{folder / 'parts.py'}:TONES_HZ")
    with pytest.MonkeyPatch.context() as patch:
        found = {"judge_asr": lambda: TonesRead(tones_hz)}
        patch.setattr(scoring, "load", lambda group, name: found.get(name) or load(group, name))
        score_run(finished.directory, [], Quiet())
    return load_run(finished.directory)


@pytest.fixture(scope="module")
def cell(run: Run) -> AttributedCell:
    [found] = attributed(Contents(run))
    return found


def shares(cell: AttributedCell, metric: str) -> dict[str, float]:
    [loss] = [loss for spec, loss in cell.losses if spec.name == metric]
    assert loss.reason == ""
    assert loss.failed == loss.left_out == 0
    found = {one.stage: one.share.value for one in loss.shares}
    assert loss.loss is not None
    assert sum(found.values()) == pytest.approx(loss.loss.value, abs=1e-9)  # type: ignore[arg-type]
    return found  # type: ignore[return-value]


def test_run_json_says_which_cells_are_replays(run: Run) -> None:
    free, *replays = run.cells
    assert len(replays) == 7
    assert "attribution" not in free
    assert replays[3]["attribution"] == {"of": "planted--corpus", "oracles": ["asr", "llm"]}
    assert {record["attribution"]["of"] for record in replays} == {free["name"]}
    assert all(row["status"] == "ok" for row in run.results.values())


def test_every_coalition_hears_the_same_user(run: Run) -> None:
    for (name, conversation_id, repeat), row in run.results.items():
        twin = run.results[("planted--corpus", conversation_id, repeat)]
        assert row["turns"][0] == twin["turns"][0]
        end = round(row["turns"][0]["speech_end_s"] * 16_000)
        mine, theirs = (run.directory.recording(each).user.samples for each in (row, twin))
        np.testing.assert_array_equal(mine[:end], theirs[:end], err_msg=name)


def test_each_stage_is_given_its_planted_loss_of_task_success(cell: AttributedCell) -> None:
    expected = {
        stage: sum(1 / len(faults) for faults in FAULTS if stage in faults) / len(FAULTS)
        for stage in STAGES
    }
    assert shares(cell, "task_success") == pytest.approx(expected, abs=1e-9)
    task = dict((spec.name, loss) for spec, loss in cell.losses)["task_success"]
    assert task.values[""] == pytest.approx(4 / 14)
    assert task.values["asr+llm+tts"] == 1.0
    for one in task.shares:
        assert one.share.low is not None
        assert one.share.high is not None
        assert one.share.low < expected[one.stage] < one.share.high


def test_what_is_misheard_is_the_asrs_alone(cell: AttributedCell) -> None:
    misheard = sum("asr" in faults for faults in FAULTS)
    expected = {"asr": misheard / (4 * len(FAULTS)), "llm": 0.0, "tts": 0.0}
    assert shares(cell, "heard_wer") == pytest.approx(expected, abs=1e-9)


def said(faults: set[str], chosen: frozenset[str]) -> str:
    """What the planted cascade means to say in a conversation, by its rules."""
    number, _ = request(faults)
    if "llm" in chosen:
        return f"playing {number}"
    heard = "zero" if "asr" in faults - chosen else number
    return "sorry" if "llm" in faults else f"playing {heard}"


def test_what_is_said_badly_is_shared_as_by_hand(cell: AttributedCell) -> None:
    def errors(chosen: frozenset[str]) -> float:
        texts = [said(faults, chosen) for faults in FAULTS]
        dropped = 0 if "tts" in chosen else sum("six" in text for text in texts)
        return dropped / sum(len(text.split()) for text in texts)

    game = np.array([errors(chosen) for chosen in all_coalitions(STAGES)])
    expected = dict(zip(STAGES, -shapley(game), strict=True))
    assert shares(cell, "reply_wer") == pytest.approx(expected, abs=1e-9)
    # Whoever misheard six spared the voice a word that it cannot say.
    assert expected["asr"] < 0.0 < expected["tts"]


def test_waiting_is_shared_out_too(cell: AttributedCell) -> None:
    assert set(shares(cell, "response_gap_s")) == set(STAGES)


def test_a_metric_without_values_says_why(cell: AttributedCell) -> None:
    style = dict((spec.name, loss) for spec, loss in cell.losses)["style_preservation"]
    assert style.reason.startswith("no value without oracles: ")
    assert style.loss is None


def test_without_what_was_misheard_an_oracle_mind_repairs_it(run: Run, tmp_path: Path) -> None:
    """What the deferring is for: without it, the LLM would answer for half of the ASR's errors."""
    lines = read_lines(run.directory.measurements_path)
    (tmp_path / "run.json").write_bytes((run.directory.path / "run.json").read_bytes())
    (tmp_path / "conversations.jsonl").write_bytes(run.directory.results_path.read_bytes())
    write_lines(
        tmp_path / "measurements.jsonl", [li for li in lines if li["metric"] != "heard_wer"]
    )
    poorer = load_run(tmp_path)
    [found] = attributed(Contents(poorer))
    # Misheard alone: mended by either oracle. Misheard and unknown: by the LLM's. With the voice's
    # fault besides, that has to be mended too.
    expected = {"asr": 3 / 2 + 1 / 6, "llm": 3 / 2 + 2 + 1 + 1 / 6 + 1 / 2}
    expected["tts"] = 10 - sum(expected.values())
    of_all = {stage: x / len(FAULTS) for stage, x in expected.items()}
    assert shares(found, "task_success") == pytest.approx(of_all, abs=1e-9)
    assert f"an oracle {DEFERRING_STAGE} then repairs" in attribution_text(poorer)
    assert "repairs" not in attribution_text(run)


def test_what_was_misheard_misleads_the_rest_of_its_conversation() -> None:
    def turns(item: str, *wrong: int) -> list[Observation]:
        return [Observation("c", ratio(x, 4).on_turn(i), item) for i, x in enumerate(wrong)]

    heard = [*turns("c/0", 0, 1, 0), *turns("c/1", 0, 0, 0)]
    heard.append(Observation("c", skipped("the reference has no words").on_turn(3), "c/1"))
    judged = [*turns("c/0", 1, 1, 1), *turns("c/1", 1, 1, 1, 1)]
    assert _misled(judged, heard) == {("c", "c/0", 1), ("c", "c/0", 2)}


def test_replays_stand_in_no_ordinary_table(run: Run) -> None:
    assert [shown.name for shown in Contents(run).cells] == ["planted--corpus"]
    text = to_text(run)
    assert attribution_text(run) in text
    assert "planted~" not in text
    page = write_report(run).read_text(encoding="utf-8")
    assert "planted~" not in page
    assert "What planted loses on corpus, and where" in page
    assert 'href="tables/attribution.csv"' in page


def test_the_text_fits_a_terminal(run: Run) -> None:
    text = attribution_text(run)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 120
    assert lines[0] == "What planted loses on corpus, and where"
    assert lines[2].split() == ["metric", "free", "oracles", "loss", *STAGES, "n"]
    success = next(line for line in lines if line.startswith("task_success"))
    assert success.split()[2:] == ["0.29", "1.00", "0.71", "0.31", "0.20", "0.20", "14"]
    assert text.endswith(LEGEND)
    assert "nan" not in text.lower()


def test_files_hold_the_same(cell: AttributedCell, tmp_path: Path) -> None:
    paths = write_attribution([cell], tmp_path / "tables")
    assert [path.name for path in paths] == ["attribution.csv", "attribution.json"]
    rows = list(csv.DictReader(io.StringIO(paths[0].read_text(encoding="utf-8"))))
    assert len(rows) == len(METRICS) * len(STAGES)
    mine = {row["stage"]: float(row["share"]) for row in rows if row["metric"] == "task_success"}
    assert mine == pytest.approx(shares(cell, "task_success"))
    style = next(row for row in rows if row["metric"] == "style_preservation")
    assert (style["share"], style["loss"], style["n"]) == ("", "", "0")
    assert style["reason"]
    [told] = json.loads(paths[1].read_text(encoding="utf-8"))
    assert (told["system"], told["cell"]) == ("planted", "planted--corpus")
    success = told["metrics"][0]
    assert len(success["values"]) == 8
    total = sum(one["share"]["value"] for one in success["shares"])
    assert total == pytest.approx(
        success["values"]["asr+llm+tts"] - success["values"][""], abs=1e-9
    )


def test_latencies_of_cells_that_ran_beside_others_are_not_shared_out(
    run: Run, tmp_path: Path
) -> None:
    for name in ("run.json", "measurements.jsonl"):
        (tmp_path / name).write_bytes((run.directory.path / name).read_bytes())
    rows = [dict(row) for row in run.results.values()]
    rows[-1]["contended"] = True
    write_lines(tmp_path / "conversations.jsonl", rows)
    [found] = attributed(Contents(load_run(tmp_path)))
    reasons = {spec.name: loss.reason for spec, loss in found.losses}
    assert "beside others" in reasons["response_gap_s"]
    assert reasons["task_success"] == ""


def test_a_run_without_attribution_has_no_table(tmp_path: Path) -> None:
    run = load_run(plant_run(tmp_path))
    assert attribution_text(run) == ""
    assert write_attribution(attributed(Contents(run)), tmp_path / "tables") == []
    assert not (tmp_path / "tables").exists()


_HAS_WHISPER = locate("whisper-tiny-en-ct2") is not None
needs_whisper = pytest.mark.skipif(
    not _HAS_WHISPER, reason="whisper-tiny-en-ct2 is not in the store"
)
NOISE = "babble_5db"
SWEEP = f"""\
name: noisy
corpora: [{{corpus: assistant, limit: 12}}]
conditions: [clean, {NOISE}]
systems:
  - name: cascade
    system: cascade
    parameters: {{asr: faster_whisper, llm: policy, tts: oracle}}
    attribution: true
metrics: [task_success, heard_wer]
"""


@pytest.mark.slow
@needs_whisper
def test_with_noise_the_asr_has_more_to_answer_for(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    pytest.importorskip("silero_vad")
    (tmp_path / "noisy.yaml").write_text(SWEEP)
    asked, folder = read_sweep(str(tmp_path / "noisy.yaml"))
    finished = run_experiment(asked, folder, tmp_path / "runs", Quiet(), measure=False)
    assert finished.failed == 0
    score_run(finished.directory, [], Quiet())
    clean, noisy = attributed(Contents(load_run(finished.directory)))
    assert (clean.cell.condition, noisy.cell.condition) == ("clean", NOISE)
    assert clean.stages == ("asr", "llm"), "the voice is an oracle already"
    for metric in ("task_success", "heard_wer"):
        assert shares(noisy, metric)["asr"] > shares(clean, metric)["asr"]
