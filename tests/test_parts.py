"""The real parts, as users run them: a conversation through all three, and each at its edges."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from cascadence.audio import Audio, audible_runs, concatenate, silence
from cascadence.clock import VirtualClock
from cascadence.protocols import INPUT_RATE, Context, Exchange, Turn
from cascadence.require import MissingExtra
from cascadence.simulator import UserBehaviour
from cascadence.systems.asr.faster_whisper import FasterWhisper, _Hypothesis
from cascadence.systems.cascade import Cascade
from cascadence.systems.llm.policy import PolicyLlm
from cascadence.systems.llm.spoken import PlainWords, Sentences, plain
from cascadence.systems.llm.transformers_llm import TransformersLlm
from cascadence.systems.tts.piper import Piper
from cascadence.systems.vad import make_vad
from cascadence.weights import WeightsError
from planted import Said, gap_s, played, times_s
from planted_reading import reply_audio


class NothingPlayed:
    played_s = 0.0
    remaining_s = 0.0


CONTEXT = Context(language="en", seed=1, playout=NothingPlayed())
REQUEST = "Set an alarm for seven thirty tomorrow."


def turn_of(audio: Audio) -> Turn:
    return Turn(audio, 0.0, audio.duration_s)


def exchange(heard: str, said: str) -> Exchange:
    return Exchange(turn_of(silence(1.0, INPUT_RATE)), heard, said)


@pytest.fixture(scope="module")
def piper() -> Iterator[Piper]:
    try:
        with Piper() as part:
            yield part
    except (MissingExtra, WeightsError) as error:
        pytest.skip(f"no voice: {error}")


@pytest.fixture(scope="module")
def whisper() -> Iterator[FasterWhisper]:
    try:
        with FasterWhisper() as part:
            yield part
    except (MissingExtra, WeightsError) as error:
        pytest.skip(f"no recogniser: {error}")


@pytest.fixture(scope="module")
def request_clip(piper: Piper) -> Audio:
    """A user who speaks with Piper's voice, more slowly than the assistant."""
    spoken = concatenate(piper.synthesize(REQUEST, CONTEXT), piper.output_rate).at_rate(INPUT_RATE)
    [(start_s, end_s)] = audible_runs(spoken, bridge_s=1.0)
    return spoken.span(start_s, end_s)


def test_a_request_goes_through_all_three_real_parts(
    whisper: FasterWhisper, piper: Piper, request_clip: Audio
) -> None:
    pytest.importorskip("onnxruntime")
    quiet = silence(0.2, INPUT_RATE)
    clip = concatenate([quiet, request_clip, quiet], INPUT_RATE)
    said = Said(text=REQUEST, clip=clip, speech_s=(0.2, 0.2 + request_clip.duration_s))
    vad = make_vad("silero")
    vad.load()
    system = Cascade(whisper, PolicyLlm(), piper, vad=vad)
    recording = played(
        system, said, said, clock=VirtualClock(), behaviour=UserBehaviour(patience_s=60.0)
    )
    for spoken in recording.turns:
        heard = recording.text_for(spoken, "heard") or ""
        assert "alarm" in heard.lower()
        assert recording.text_for(spoken) == "Your alarm is set for seven thirty tomorrow."
        reply = reply_audio(recording, spoken)
        assert reply is not None
        assert 1.0 < reply.duration_s < 5.0
    assert gap_s(recording) > 0.5
    order = [(e.data["stage"], e.data["edge"]) for e in recording.events if e.kind == "mark"]
    assert order[: len(order) // 2] == [
        ("endpoint", "end"),
        ("asr", "start"),
        ("asr", "first"),
        ("asr", "end"),
        ("llm", "start"),
        ("llm", "first"),
        ("llm", "end"),
        ("tts", "start"),
        ("tts", "first"),
        ("tts", "end"),
    ]
    first_audio_s = times_s(recording, "audio")[0] - recording.turns[0].speech_end_s
    # What remains between the first chunk and the first audible sample is the voice's own silence.
    assert 0.0 <= gap_s(recording) - first_audio_s < 0.15
    assert recording.compute_s > 0.1


def test_whisper_hears_nothing_in_silence_and_in_hiss(whisper: FasterWhisper) -> None:
    hiss = 0.003 * np.random.default_rng(5).standard_normal(2 * INPUT_RATE).astype(np.float32)
    for audio in (silence(2.0, INPUT_RATE), Audio(hiss.astype(np.float32), INPUT_RATE)):
        assert len(" ".join(whisper.transcribe(turn_of(audio), CONTEXT)).split()) <= 1


def test_whisper_hears_more_than_its_window(whisper: FasterWhisper, request_clip: Audio) -> None:
    pause = silence(0.6, INPUT_RATE)
    long = concatenate([request_clip, pause] * 4, INPUT_RATE)
    assert long.duration_s > whisper.info.parameters["window_s"]
    [heard] = whisper.transcribe(turn_of(long), CONTEXT)
    assert heard.lower().count("alarm") >= 3


def test_whisper_knows_a_loop_from_a_sentence() -> None:
    fine = _Hypothesis("Set an alarm for seven thirty.", -0.3, 0.01, cut=False)
    assert (fine.loops, fine.poor, fine.is_silence) == (False, False, False)
    assert dataclasses.replace(fine, text="again and " * 30).loops
    assert dataclasses.replace(fine, cut=True).loops
    poor = dataclasses.replace(fine, log_probability=-1.5)
    assert (poor.poor, poor.is_silence) == (True, False)
    assert dataclasses.replace(poor, no_speech_probability=0.9).is_silence


def test_piper_says_the_same_words_the_same_way(piper: Piper) -> None:
    once, twice = (list(piper.synthesize(REQUEST, CONTEXT)) for _ in range(2))
    assert [len(chunk) for chunk in once] == [len(chunk) for chunk in twice]
    assert np.array_equal(once[0].samples, twice[0].samples)
    once[0].check()
    assert 0.3 < np.abs(once[0].samples).max() < 0.9
    assert once[0].sample_rate == piper.output_rate
    assert list(piper.synthesize("...", CONTEXT)) == [] or len(once) == 1


@pytest.mark.parametrize("part", [FasterWhisper(), Piper(), TransformersLlm(), PolicyLlm()])
def test_parts_say_what_they_are_before_they_are_loaded(part: FasterWhisper) -> None:
    info = part.info
    assert info.licence
    assert info.revision
    assert not info.sees_answers
    assert info == type(part)().info


def test_the_policy_has_no_memory_but_the_history() -> None:
    timer = [exchange("set a timer for five minutes", "Your timer is set for five minutes.")]
    with PolicyLlm() as policy:
        fresh = "".join(policy.respond("no, for ten minutes", (), CONTEXT))
        corrected = "".join(policy.respond("no, for ten minutes", timer, CONTEXT))
        again = "".join(policy.respond("no, for ten minutes", (), CONTEXT))
    assert "ten minutes" in corrected
    assert "timer" in corrected
    assert fresh == again != corrected


@pytest.mark.slow
def test_the_language_model_streams_the_same_answer_and_stops() -> None:
    try:
        part = TransformersLlm(threads=1, max_new_tokens=12).__enter__()
    except (MissingExtra, WeightsError) as error:
        pytest.skip(f"no language model: {error}")
    question = "What is the capital of France?"
    pieces = list(part.respond(question, (), CONTEXT))
    answer = "".join(pieces)
    assert len(pieces) > 2
    assert "Paris" in answer
    assert plain(answer) == answer.strip()
    # Without the prompt's remembered state the answer is the same.
    part._prefix = ([], None)
    assert "".join(part.respond(question, (), CONTEXT)) == answer
    instructed = dataclasses.replace(CONTEXT, instructions="Answer every question with a number.")
    assert part._ids(instructed.instructions or "", "Hi", ()) != part._ids("", "Hi", ())
    told = part._tokenizer.decode(part._ids("Be kind.", "And you?", [exchange("Hi", "Good")]))
    assert [told.index(word) for word in ("Be kind.", "Hi", "Good", "And you?")] == sorted(
        told.index(word) for word in ("Be kind.", "Hi", "Good", "And you?")
    )


def sentences_of(*pieces: str) -> list[str]:
    cutter = Sentences()
    found = [sentence for piece in pieces for sentence in cutter.feed(piece)]
    return [*found, *cutter.flush()]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (("Hello there. How are", " you? Fine"), ["Hello there.", "How are you?", "Fine"]),
        (("It is 3.", "5 degrees. Bye."), ["It is 3.5 degrees.", "Bye."]),
        (("Dr. Who met Mrs. Hudson. Yes.",), ["Dr. Who met Mrs. Hudson.", "Yes."]),
        (("One\ntwo\n\nthree",), ["One", "two", "three"]),
        (("Really?! Wow...",), ["Really?!", "Wow..."]),
        (('He said "no." Then left.',), ['He said "no."', "Then left."]),
        (("", "  "), []),
    ],
)
def test_sentences_are_cut_where_they_end(pieces: tuple[str, ...], expected: list[str]) -> None:
    assert sentences_of(*pieces) == expected
    assert sentences_of(*"".join(pieces)) == expected


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("**Sure!** Here's `code`", "Sure! Here's code"),
        ("Hello \U0001f600\u200d world ✨", "Hello world"),
        ("See [the docs](https://example.org/a) now", "See the docs now"),
        ("Go to https://example.org please", "Go to please"),
        ("# Title\n- one\n2. two", "Title one two"),
        ("It costs 5 dollars, 20% off: 3.5°C", "It costs 5 dollars, 20% off: 3.5C"),
        ("\U0001f600", ""),
        ("---", ""),
    ],
)
def test_only_what_can_be_said_is_left(written: str, spoken: str) -> None:
    assert plain(written) == spoken


def test_words_are_cleaned_as_they_stream() -> None:
    words = PlainWords()
    written = "**Sure**, here:\n- one \U0001f600 tw"
    streamed = [word for letter in written for word in words.feed(letter)]
    assert "".join([*streamed, *words.flush()]) == "Sure, here:\none tw"
