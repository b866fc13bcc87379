"""Models that the user brings, here tiny ones made on the spot; and the metrics that need them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascadence.audio import Audio, silence
from cascadence.conversation import Aside, Expect, Style
from cascadence.measurement import Case, Measurement, ToolUnavailable, Value
from cascadence.metrics import backends
from cascadence.metrics.backends import BackendFailed, Emotion, SpeechModel, Utmos
from cascadence.metrics.emotion import emotion_agreement, recall_of, target_emotion, utmos
from cascadence.scoring import CachedTools
from planted_cases import RATE, Planted, Spoken, case_of, measured, noise, numbers

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

EMOTIONS = ["angry", "happy", "neutral", "sad"]


def model(path: Path, kind: str, rank: int = 2, outputs: int = 4) -> Path:
    """Write an ONNX file.

    Of kind ``peak``: one number, ten times the largest sample. ``level``: a number for each of
    ``outputs`` levels 0.1, 0.2 ...: the nearer to the largest sample, the larger. ``length``: one
    number, the samples it was given, in seconds. ``nan``: not a number.
    """
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    float32 = onnx.TensorProto.FLOAT
    levels = 0.1 * np.arange(1, outputs + 1, dtype=np.float32)
    constants = {"ten": np.float32([10]), "rate": np.float32([RATE]), "levels": levels}
    nodes = {
        "peak": [("ReduceMax", ["x"], "m"), ("Mul", ["m", "ten"], "y")],
        "level": [
            ("ReduceMax", ["x"], "m"),
            ("Sub", ["m", "levels"], "d"),
            ("Abs", ["d"], "a"),
            ("Neg", ["a"], "y"),
        ],
        "length": [("Size", ["x"], "n"), ("Cast", ["n"], "f"), ("Div", ["f", "rate"], "y")],
        "nan": [("ReduceMax", ["x"], "m"), ("Sub", ["m", "m"], "z"), ("Div", ["z", "z"], "y")],
    }[kind]
    more: dict[str, dict[str, Any]] = {"ReduceMax": {"keepdims": 0}, "Cast": {"to": float32}}
    graph = helper.make_graph(
        [helper.make_node(op, inputs, [out], **more.get(op, {})) for op, inputs, out in nodes],
        kind,
        [helper.make_tensor_value_info("x", float32, [1, "n"][2 - rank :])],
        [helper.make_tensor_value_info("y", float32, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(made.SerializeToString())
    return path


def square(level: float, duration_s: float = 1.0, rate: int = RATE) -> Audio:
    return Audio(np.full(round(duration_s * rate), level, dtype=np.float32), rate)


Configure = Callable[..., Path]


@pytest.fixture
def utmos_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    def configure(kind: str, **options: Any) -> Path:
        path = model(tmp_path / "model.onnx", kind, **options)
        monkeypatch.setenv("CASCADENCE_UTMOS_ONNX", str(path))
        return path

    return configure


@pytest.fixture
def emotion_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    def configure(labels: Any = EMOTIONS, outputs: int = 4) -> Path:
        path = model(tmp_path / "emotions.onnx", "level", outputs=outputs)
        path.with_suffix(".json").write_text(json.dumps(labels))
        monkeypatch.setenv("CASCADENCE_EMOTION_ONNX", str(path))
        return path

    return configure


@pytest.mark.parametrize("rank", [1, 2])
def test_the_number_of_the_model_comes_back(utmos_file: Configure, rank: int) -> None:
    utmos_file("peak", rank=rank)
    assert Utmos()(square(0.37)) == {"mos": pytest.approx(3.7)}


def test_sound_is_given_at_16_khz(utmos_file: Configure) -> None:
    utmos_file("length")
    assert Utmos()(square(0.2, 2.5, rate=48_000)) == {"mos": pytest.approx(2.5)}


def test_a_long_sound_is_heard_in_equal_parts(
    utmos_file: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    utmos_file("length")
    monkeypatch.setattr(backends, "LONGEST_S", 2.0)
    assert Utmos()(square(0.2, 5.1))["mos"] == pytest.approx(1.7, abs=1e-4)
    assert Utmos()(square(0.2, 2.0))["mos"] == 2.0


def test_silence_is_not_rated(utmos_file: Configure, emotion_file: Configure) -> None:
    utmos_file("nan")
    emotion_file()
    for nothing in (silence(1.0, RATE), silence(0.0, RATE)):
        assert Utmos()(nothing) == {"mos": None}
        assert Emotion()(nothing)["label"] is None


def test_what_is_no_opinion_score_fails(utmos_file: Configure) -> None:
    utmos_file("peak")
    with pytest.raises(BackendFailed, match=r"no opinion score: 6\.1"):
        Utmos()(square(0.61))
    utmos_file("nan")
    with pytest.raises(BackendFailed, match="not finite"):
        Utmos()(square(0.3))
    utmos_file("level")
    with pytest.raises(BackendFailed, match="4 numbers"):
        Utmos()(square(0.3))


def test_what_is_no_model_fails_and_tells_no_path(
    utmos_file: Configure, capfd: pytest.CaptureFixture[str]
) -> None:
    path = utmos_file("peak")
    path.write_bytes(b"\x80\x04N.")
    with pytest.raises(BackendFailed, match="not a model") as caught:
        Utmos()(square(0.3))
    assert path.parent.name not in str(caught.value) + "".join(capfd.readouterr())


def test_the_version_is_that_of_the_file(utmos_file: Configure) -> None:
    path = utmos_file("peak")
    first = Utmos()
    assert "_session" not in vars(first._model)  # known without loading
    assert str(path.parent) not in first.version
    utmos_file("length")
    assert Utmos().version != first.version
    utmos_file("peak")
    assert Utmos().version == first.version


@pytest.mark.parametrize("told", ["", "/nowhere/model.onnx"])
@pytest.mark.parametrize(
    ("tool", "variable"),
    [("utmos", "CASCADENCE_UTMOS_ONNX"), ("emotion", "CASCADENCE_EMOTION_ONNX")],
)
def test_what_is_not_there_is_skipped_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tool: str, variable: str, told: str
) -> None:
    monkeypatch.setenv(variable, told)
    reason = CachedTools(tmp_path).problem([tool])
    assert variable in reason
    assert "nowhere" not in reason


@pytest.mark.parametrize("level", [0.1, 0.2, 0.3, 0.4])
def test_the_largest_output_names_the_emotion(emotion_file: Configure, level: float) -> None:
    emotion_file(["Angry ", "HAPPY", "neutral", "sad"])
    found = Emotion()(square(level))
    assert found["label"] == EMOTIONS[round(10 * level) - 1]
    assert found["outputs"]["angry"] == pytest.approx(0.1 - level, abs=1e-4)
    assert found["labels"] == EMOTIONS


@pytest.mark.parametrize(
    "labels", [{}, [], ["one"], ["a", "A "], ["a", 1], ["a", ""], "ab", [["a"], ["b"]]]
)
def test_labels_that_mean_nothing_are_refused(emotion_file: Configure, labels: Any) -> None:
    emotion_file(labels)
    with pytest.raises(ToolUnavailable, match="CASCADENCE_EMOTION_ONNX"):
        Emotion()


def test_missing_labels_are_refused(emotion_file: Configure) -> None:
    emotion_file().with_suffix(".json").unlink()
    with pytest.raises(ToolUnavailable, match="list of at least two"):
        Emotion()


def test_other_labels_are_another_version(emotion_file: Configure) -> None:
    emotion_file()
    first = Emotion().version
    emotion_file([*EMOTIONS[:3], "bored"])
    assert Emotion().version != first


def test_there_is_an_output_for_each_label(emotion_file: Configure) -> None:
    emotion_file(outputs=5)
    with pytest.raises(BackendFailed, match="5 numbers for 4 labels"):
        Emotion()(square(0.1))


def test_two_inputs_are_no_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = model(tmp_path / "m.onnx", "peak")
    loaded = onnx.load(str(path))
    loaded.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    loaded.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(np.float64([10]), "ten"))
    loaded.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    path.write_bytes(loaded.SerializeToString())
    monkeypatch.setenv("CASCADENCE_UTMOS_ONNX", str(path))
    with pytest.raises(BackendFailed, match="one float32 input"):
        SpeechModel("CASCADENCE_UTMOS_ONNX").outputs(square(0.3))


def test_the_reply_is_rated(utmos_file: Configure) -> None:
    utmos_file("length")
    case = case_of(Spoken(0.0, 1.0), Spoken(6.0, 7.0), system=[(1.5, 4.0)])
    rated, nothing = measured(utmos, case, Planted(utmos=Utmos()))
    assert numbers([rated]) == [pytest.approx(2.5, abs=0.03)]
    assert nothing.reason == "no reply came"
    short = case_of(Spoken(0.0, 1.0), system=[(1.5, 1.8)])
    assert "shorter" in measured(utmos, short, Planted())[0].reason


def test_a_broken_model_fails_turn_by_turn(utmos_file: Configure) -> None:
    utmos_file("nan")
    case = case_of(Spoken(0.0, 1.0), Spoken(6.0, 7.0), system=[(1.5, 4.0), (8.0, 9.0)])
    found = measured(utmos, case, Planted(utmos=Utmos()))
    assert [(m.status, m.turn) for m in found] == [("failed", 0), ("failed", 1)]


def styled(turn: Style, reply: Style | None = None) -> Case:
    case = case_of(Spoken(0.0, 1.0, expect=Expect(reply_style=reply)), system=[(1.5, 3.0)])
    turns = tuple(one.model_copy(update={"style": turn}) for one in case.conversation.turns)
    return Case(case.recording, case.conversation.model_copy(update={"turns": turns}), case.clips)


def test_the_declared_emotion_goes_before_the_users() -> None:
    def target(*styles: Style) -> str | None:
        return target_emotion(styled(*styles).conversation.turns[0])

    assert target(Style(emotion=" Angry")) == "angry"
    assert target(Style(emotion="angry"), Style(emotion="Calm")) == "calm"
    assert target(Style(emotion="angry"), Style(rate=1.0)) == "angry"
    assert target(Style()) is None


CLIP_S, REPLY_S = 1.0, 1.5


def feeling(number: int, user: str, reply: bool = True, **more: Any) -> Case:
    """A conversation whose user has an emotion."""
    expect = more.pop("expect", Expect())
    spoken = Spoken(0.0, CLIP_S, expect=expect, **more)
    span = [(1.5, 1.5 + REPLY_S)] if reply else []
    case = case_of(spoken, system=span, id=f"c{number}")
    turns = (case.conversation.turns[0].model_copy(update={"style": Style(emotion=user)}),)
    return Case(case.recording, case.conversation.model_copy(update={"turns": turns}), case.clips)


def hearing(replies: list[str | None], users: str = "angry") -> Planted:
    """Names the replies in order; every user sounds the same."""
    left = iter(replies)

    def classify(audio: Audio) -> Mapping[str, Any]:
        label = users if audio.duration_s < (CLIP_S + REPLY_S) / 2 else next(left)
        return {"label": label, "outputs": {}, "labels": EMOTIONS}

    return Planted(emotion=classify)


def agreement(cases: list[Case], tools: Planted) -> Measurement:
    return emotion_agreement.measure_corpus(cases, tools)


def test_each_emotion_counts_the_same() -> None:
    wanted = ["angry"] * 4 + ["happy"] * 2 + ["sad"]
    heard: list[str | None] = ["angry", "angry", "angry", "sad", "happy", "neutral", "sad"]
    found = agreement([feeling(i, x) for i, x in enumerate(wanted)], hearing(heard))
    assert found.quantity == Value((3 / 4 + 1 / 2 + 1) / 3)
    assert found.n == 7
    assert found.details["recall"] == {"angry": 0.75, "happy": 0.5, "sad": 1.0}
    assert found.details["heard"]["angry"] == {"angry": 3, "sad": 1}
    assert found.details["chance"] == pytest.approx(1 / 3, abs=1e-4)
    assert found.details["user_agreement"] == pytest.approx(1 / 3, abs=1e-4)
    assert found.interval is not None
    assert found.interval[0] < 0.75 < found.interval[1]


@pytest.mark.parametrize("always", EMOTIONS)
def test_a_constant_voice_is_at_chance(always: str) -> None:
    wanted = [emotion for i, emotion in enumerate(EMOTIONS) for _ in range(3 + 4 * i)]
    cases = [feeling(i, emotion) for i, emotion in enumerate(wanted)]
    found = agreement(cases, hearing([always] * len(wanted)))
    assert found.quantity == Value(0.25)
    assert found.details["chance"] == 0.25


def test_a_constant_voice_is_at_chance_through_the_model(emotion_file: Configure) -> None:
    emotion_file()
    cases = [feeling(i, EMOTIONS[i % 4], clip=square(0.1 * (i % 4 + 1))) for i in range(10)]
    found = agreement(cases, Planted(emotion=Emotion()))
    assert found.quantity == Value(0.25)
    assert found.details["user_agreement"] == 1.0


def test_no_reply_is_no_agreement() -> None:
    cases = [feeling(0, "angry"), feeling(1, "sad", reply=False), feeling(2, "sad")]
    found = agreement(cases, hearing(["angry", "sad"]))
    assert found.quantity == Value((1 + 1 / 2) / 2)
    assert (found.details["missing"], found.details["turns"]) == (1, 3)
    assert found.details["heard"]["sad"] == {"none": 1, "sad": 1}
    silent = agreement([feeling(0, "angry", False), feeling(1, "sad", False)], hearing([]))
    assert (silent.status, silent.reason) == ("skipped", "no reply came")


def test_what_the_model_cannot_name_is_left_out_and_told() -> None:
    cases = [feeling(i, x) for i, x in enumerate(("angry", "sad", "smug"))]
    found = agreement(cases, hearing(["angry", "sad"]))
    assert found.quantity == Value(1.0)
    assert found.details["unknown"] == {"smug": 1}
    assert "smug" in agreement([feeling(0, "smug")], hearing([])).reason


def test_where_nothing_is_wanted_it_is_skipped() -> None:
    for cases, why in (
        ([], "no turn wants"),
        ([case_of(Spoken(0.0, 1.0), system=[(1.5, 3.0)])], "no turn wants"),
        ([feeling(0, "angry"), feeling(1, "angry")], "fewer than two"),
        ([feeling(0, "angry", expect=Expect(stay_silent=True))], "no turn wants"),
        ([feeling(0, "angry", when=Aside())], "no turn wants"),
    ):
        found = agreement(cases, hearing(["angry"] * 2))
        assert found.status == "skipped"
        assert why in found.reason


def test_the_target_is_the_declared_one() -> None:
    calm = Expect(reply_style=Style(emotion="neutral"))
    cases = [feeling(0, "angry", expect=calm), feeling(1, "sad")]
    assert agreement(cases, hearing(["neutral", "sad"])).quantity == Value(1.0)
    assert agreement(cases, hearing(["angry", "sad"])).quantity == Value(0.5)


def test_a_sound_on_which_the_model_breaks_is_counted() -> None:
    def breaks(audio: Audio) -> Mapping[str, Any]:
        raise BackendFailed("planted")

    broken = agreement([feeling(0, "angry"), feeling(1, "sad")], Planted(emotion=breaks))
    assert (broken.status, broken.reason) == ("failed", "planted")
    good = hearing(["angry", "sad"])
    calls = iter([False, False, True, False, False])

    def sometimes(audio: Audio) -> Mapping[str, Any]:
        return breaks(audio) if next(calls) else good.answers["emotion"](audio)

    cases = [feeling(i, x) for i, x in enumerate(("angry", "happy", "sad"))]
    found = agreement(cases, Planted(emotion=sometimes))
    assert found.quantity == Value(1.0)
    assert (found.details["failed"], found.details["turns"]) == (1, 2)


def test_independent_voices_cover_chance() -> None:
    random = np.random.default_rng(5)
    covered = 0
    for _ in range(40):
        drawn = [(f"c{i}", EMOTIONS[i % 4], EMOTIONS[random.integers(4)]) for i in range(80)]
        low, high = recall_of(drawn).interval("test") or (1.0, 0.0)
        covered += low <= 0.25 <= high
    assert covered >= 34  # at the nominal rate, fewer come up 3 times in 1000


def test_noise_is_a_sound_like_any_other(utmos_file: Configure) -> None:
    utmos_file("peak")
    assert numbers(
        measured(utmos, case_of(Spoken(0.0, 1.0), system=[(1.5, 3.0)]), Planted(utmos=Utmos()))
    ) == [pytest.approx(10 * float(noise(1.5).samples.max()), abs=0.01)]
