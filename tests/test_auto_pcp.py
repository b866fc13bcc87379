"""AutoPCP by a model that the user brings, here tiny ones made on the spot that hear two sounds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascadence.audio import Audio, silence
from cascadence.measurement import Case, Measurement
from cascadence.metrics import prosody_consistency
from cascadence.metrics.backends import AutoPcp, BackendFailed, pair_question
from cascadence.metrics.prosody_consistency import auto_pcp
from cascadence.scoring import CachedTools
from planted_cases import RATE, Planted, Spoken, case_of, channel, measured, noise, numbers, text

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

VARIABLE = "CASCADENCE_AUTO_PCP_ONNX"
WORDS = "set a timer"


def model(path: Path, kind: str, top: float, inputs: int = 2, rank: int = 2) -> Path:
    """Write an ONNX file.

    Of kind ``levels``: ``top - 5 |a - b| + a``, ``a`` and ``b`` being the largest samples of the
    first and the second sound. ``lengths``: ``a + 0.1 b`` in seconds. ``both``: ``(a, b)``.
    ``nan``: not a number.
    """
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    float32 = onnx.TensorProto.FLOAT
    names = [f"sound{i}" for i in range(inputs)]
    first, second = names[0], names[-1]
    peaks = [("ReduceMax", [first], "a"), ("ReduceMax", [second], "b")]
    nodes = {
        "levels": [
            *peaks,
            ("Sub", ["a", "b"], "difference"),
            ("Abs", ["difference"], "size"),
            ("Mul", ["size", "five"], "loss"),
            ("Sub", ["top", "loss"], "rest"),
            ("Add", ["rest", "a"], "y"),
        ],
        "lengths": [
            ("Size", [first], "n"),
            ("Size", [second], "m"),
            ("Cast", ["n"], "a"),
            ("Cast", ["m"], "b"),
            ("Mul", ["b", "tenth"], "c"),
            ("Add", ["a", "c"], "d"),
            ("Div", ["d", "rate"], "y"),
        ],
        "both": [
            *peaks,
            ("Add", ["a", "zero"], "c"),
            ("Add", ["b", "zero"], "d"),
            ("Concat", ["c", "d"], "y"),
        ],
        "nan": [*peaks, ("Sub", ["a", "a"], "z"), ("Div", ["z", "z"], "y")],
    }[kind]
    constants = {"five": 5.0, "top": top, "tenth": 0.1, "rate": float(RATE), "zero": 0.0}
    more: dict[str, dict[str, Any]] = {
        "ReduceMax": {"keepdims": 0},
        "Cast": {"to": float32},
        "Concat": {"axis": 0},
    }
    graph = helper.make_graph(
        [helper.make_node(op, given, [out], **more.get(op, {})) for op, given, out in nodes],
        kind,
        [helper.make_tensor_value_info(n, float32, [1, f"{n}_n"][2 - rank :]) for n in names],
        [helper.make_tensor_value_info("y", float32, None)],
        [numpy_helper.from_array(np.float32([x]), name) for name, x in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(made.SerializeToString())
    return path


Configure = Callable[..., Path]


@pytest.fixture
def pcp_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Configure:
    def configure(kind: str = "levels", top: float = 4.0, **options: Any) -> Path:
        path = model(tmp_path / "pcp.onnx", kind, top, **options)
        monkeypatch.setenv(VARIABLE, str(path))
        return path

    return configure


def square(level: float, duration_s: float = 1.0, rate: int = RATE) -> Audio:
    return Audio(np.full(round(duration_s * rate), level, dtype=np.float32), rate)


def said_again(clip: Audio, reply: Audio, words: str = WORDS) -> Case:
    """The user says the words; the system says others or the same, and tells them."""
    start_s = clip.duration_s + 0.5
    end_s = start_s + reply.duration_s + 1.0
    return case_of(
        Spoken(0.0, clip.duration_s, clip=clip, text=WORDS),
        system=channel(end_s, (start_s, reply)),
        events=[text(0.1, words)],
        duration_s=end_s,
    )


def compared(case: Case) -> Measurement:
    """The only measurement of a case, by the model that is configured."""
    (found,) = measured(auto_pcp, case, Planted(auto_pcp=AutoPcp()))
    return found


@pytest.mark.parametrize("rank", [1, 2])
def test_the_number_of_the_model_comes_back_averaged_over_both_orders(
    pcp_file: Configure, rank: int
) -> None:
    pcp_file(rank=rank)
    assert AutoPcp()(pair_question(square(0.5), square(0.2))) == {
        "pcp": pytest.approx(4.0 - 5 * 0.3 + 0.35),
        "reference_first": pytest.approx(4.0 - 5 * 0.3 + 0.5),
        "reply_first": pytest.approx(4.0 - 5 * 0.3 + 0.2),
    }


def test_both_sounds_are_given_whole_at_16_khz(pcp_file: Configure) -> None:
    pcp_file("lengths")
    pair = pair_question(square(0.2, 1.5, rate=48_000), square(0.2, 2.0, rate=8_000))
    found = AutoPcp()(pair)
    assert (found["reference_first"], found["reply_first"]) == (1.7, 2.15)


def test_samples_survive_the_question(pcp_file: Configure) -> None:
    pcp_file()
    sound = noise(0.7)
    found = AutoPcp()(pair_question(sound, sound))
    assert found["pcp"] == pytest.approx(4.0 + float(sound.samples.max()), abs=1e-4)


@pytest.mark.parametrize(("top", "told"), [(4.1, "4.6"), (-0.1, "0.4"), (-1.0, "-0.5")])
def test_what_is_on_another_scale_fails(pcp_file: Configure, top: float, told: str) -> None:
    pcp_file(top=top)
    with pytest.raises(BackendFailed, match=f"scale of 1 to 4: {told}"):
        AutoPcp()(pair_question(square(0.5), square(0.5)))


def test_one_order_on_another_scale_is_enough_to_fail(pcp_file: Configure) -> None:
    pcp_file(top=4.65)  # 4.45 and 4.55, on average 4.5
    with pytest.raises(BackendFailed, match=r"scale of 1 to 4: 4\.55"):
        AutoPcp()(pair_question(square(0.3), square(0.4)))


def test_what_is_no_score_fails(pcp_file: Configure) -> None:
    pair = pair_question(square(0.5), square(0.5))
    pcp_file("nan")
    with pytest.raises(BackendFailed, match="not finite"):
        AutoPcp()(pair)
    pcp_file("both")
    with pytest.raises(BackendFailed, match="2 numbers"):
        AutoPcp()(pair)


@pytest.mark.parametrize("inputs", [1, 3])
def test_a_model_of_one_or_three_sounds_is_refused(pcp_file: Configure, inputs: int) -> None:
    pcp_file(inputs=inputs)
    found = " and ".join(["tensor.float. of rank 2"] * inputs)
    told = rf"the model must take two float32 inputs, .*, not {found}\n.*{VARIABLE}"
    with pytest.raises(BackendFailed, match=told):
        AutoPcp()(pair_question(square(0.5), square(0.5)))


def test_the_version_is_that_of_the_file_and_tells_no_path(pcp_file: Configure) -> None:
    path = pcp_file()
    first = AutoPcp().version
    assert str(path.parent) not in first
    pcp_file(top=3.9)
    assert AutoPcp().version != first
    pcp_file()
    assert AutoPcp().version == first


@pytest.mark.parametrize("told", ["", "/nowhere/model.onnx"])
def test_what_is_not_there_is_skipped_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str
) -> None:
    monkeypatch.setenv(VARIABLE, told)
    reason = CachedTools(tmp_path).problem(auto_pcp.spec.needs)
    assert VARIABLE in reason
    assert "nowhere" not in reason
    assert told or "set it to the path of an ONNX file" in reason


def test_answers_are_kept_by_pair_and_order(pcp_file: Configure, tmp_path: Path) -> None:
    pcp_file()
    pair, turned = (pair_question(square(a), square(b)) for a, b in ((0.5, 0.2), (0.2, 0.5)))
    answer = CachedTools(tmp_path / "cache").use("auto_pcp", pair)
    cached = CachedTools(tmp_path / "cache", {"auto_pcp": AutoPcp()})
    assert cached.use("auto_pcp", pair) == answer
    assert cached.use("auto_pcp", turned)["reference_first"] == answer["reply_first"]
    kept = (tmp_path / "cache" / "auto_pcp.jsonl").read_text()
    assert kept.count("\n") == 2
    assert len(kept) < 1000  # no sounds


def test_the_reply_is_compared_with_the_user(pcp_file: Configure) -> None:
    pcp_file()
    found = compared(said_again(square(0.5), square(0.4)))
    assert numbers([found]) == [pytest.approx(4.0 - 5 * 0.1 + 0.45)]
    assert found.details == {
        "reference_first": pytest.approx(4.0),
        "reply_first": pytest.approx(3.9),
    }
    assert numbers([compared(said_again(square(0.4), square(0.4)))]) == [pytest.approx(4.4)]


def test_quiet_around_the_words_is_not_compared(pcp_file: Configure) -> None:
    pcp_file("lengths")
    quiet = silence(0.4, RATE)
    clip = channel(1.8, (0.0, quiet), (0.4, square(0.3)))
    found = compared(said_again(clip, square(0.3, 1.5)))
    assert found.details == {"reference_first": 1.15, "reply_first": 1.6}


def test_where_there_is_no_reference_it_is_skipped(pcp_file: Configure) -> None:
    pcp_file()
    silent = case_of(Spoken(0.0, 1.0))
    for case, why in (
        (said_again(square(0.5), square(0.4), words="hello"), "other words than the user"),
        (silent, "no reply came"),
        (said_again(silence(1.0, RATE), square(0.4)), "the user is inaudible"),
        (said_again(square(0.5), square(0.4, 0.4)), "shorter than 0.5 s"),
        (said_again(square(0.5, 0.4), square(0.4)), "shorter than 0.5 s"),
    ):
        found = compared(case)
        assert (found.status, found.turn) == ("skipped", 0)
        assert why in found.reason


def test_a_long_pair_is_refused_and_not_cut(
    pcp_file: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    pcp_file("lengths")
    monkeypatch.setattr(prosody_consistency, "LONGEST_S", 2.0)
    for clip_s, reply_s in ((2.1, 1.0), (1.0, 2.1)):
        found = compared(said_again(square(0.3, clip_s), square(0.3, reply_s)))
        assert (found.status, found.reason) == (
            "skipped",
            "the user or the reply is longer than 2 s",
        )
    assert compared(said_again(square(0.3, 2.0), square(0.3, 2.0))).status == "ok"


def test_a_broken_model_fails_the_turn(pcp_file: Configure) -> None:
    pcp_file("nan")
    found = compared(said_again(square(0.5), square(0.4)))
    assert found.status == "failed"
    assert "not finite" in found.reason
