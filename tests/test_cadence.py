"""Cadence: the stream is the whole, loud is answered louder, silence is not answered."""

import dataclasses
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import torch

from cascadence.audio import Audio
from cascadence.errors import CascadenceError
from cascadence.events import AudioOut, Event, Mark, TextOut
from cascadence.protocols import Context, Exchange, Turn
from cascadence.systems.cadence.beam import BeamWriter
from cascadence.systems.cadence.bundle import (
    load_bundle,
    read_config,
    save_bundle,
)
from cascadence.systems.cadence.encoder import LogMel
from cascadence.systems.cadence.evaluate import wilson
from cascadence.systems.cadence.lexicon import Lexicon
from cascadence.systems.cadence.memory import EarlierTurn, build_memory
from cascadence.systems.cadence.model import Decoder, Ears, Writer
from cascadence.systems.cadence.ragged import load_ragged, save_ragged
from cascadence.systems.cadence.spelling import align_words, write_words
from cascadence.systems.cadence.style import (
    NEUTRAL,
    StyleStatistics,
    UserStyle,
    mirrored,
)
from cascadence.systems.cadence.symbols import SymbolTable, merge_phonemes
from cascadence.systems.cadence.system import OWN_TURN_TAKING, Cadence, CadenceReplier
from cascadence.systems.cadence.train_ears import edit_distance, greedy_ctc
from cascadence.systems.cadence.turn_end import end_features
from cascadence.systems.cadence.vocoder import (
    ReplyStyle,
    Vocoder,
    VocoderStream,
)
from cascadence.weights import locate

# "Set a timer for ten minutes.", as the reply voice's phonemizer writes it.
REQUEST = "sˈɛt ɐ tˈaɪmɚ fɔːɹ tˈɛn mˈɪnɪts."
_HAS_WHISPER = locate("whisper-tiny-en-ct2") is not None
needs_whisper = pytest.mark.skipif(
    not _HAS_WHISPER, reason="whisper-tiny-en-ct2 is not in the store"
)


class _Playout:
    played_s = 0.0
    remaining_s = 0.0


CONTEXT = Context(language="en", seed=0, playout=_Playout())


def spoken_request(gain_db: float = 0.0) -> Audio:
    """The request in the shipped vocoder's own voice: a user without any synthesiser installed."""
    folder = Path(__import__("cascadence.systems.cadence", fromlist=["x"]).__file__).parent
    bundle = load_bundle(folder)
    stream = VocoderStream(bundle.vocoder, ReplyStyle(shift_semitones=3.0))
    samples = stream.push(bundle.table.encode(merge_phonemes(REQUEST)), final=True)
    quiet = np.zeros(4000, np.float32)
    whole = np.concatenate([quiet, samples * np.float32(10 ** (gain_db / 20)), quiet])
    return Audio(whole, 16000)


def turn(audio: Audio, start_s: float = 0.0) -> Turn:
    return Turn(audio, start_s, start_s + audio.duration_s)


def joined(events: list[Event]) -> np.ndarray:
    chunks = [e.samples for e in events if isinstance(e, AudioOut)]
    return np.concatenate(chunks) if chunks else np.zeros(0, np.float32)


@pytest.fixture(scope="module")
def cadence() -> Iterator[CadenceReplier]:
    if not _HAS_WHISPER:
        pytest.skip("whisper-tiny-en-ct2 is not in the store")
    with CadenceReplier() as replier:
        yield replier


def test_phonemes_merge_and_join_again() -> None:
    symbols = merge_phonemes("jʊɹ tˈaɪmɚ ɪz sˈɛt.")
    assert "".join(symbols) == "jʊɹ tˈaɪmɚ ɪz sˈɛt."
    assert "ˈaɪ" in symbols
    assert symbols.count(" ") == 3


def test_symbol_table_numbers_from_three_and_drops_what_neighbours_decide() -> None:
    table = SymbolTable(["a", "iː"])
    assert table.encode(["iːʲ", "a"]) == [4, 3]
    assert table.decode([0, 4, 3, 2]) == ["iː", "a"]
    with pytest.raises(ValueError, match="twice"):
        SymbolTable(["a", "a"])


def test_step_by_step_decoding_agrees_with_training_scores() -> None:
    torch.manual_seed(0)
    ears, decoder = Ears(30, 10, dim=32).eval(), Decoder(30, dim=32).eval()
    earlier = EarlierTurn(torch.randn(4, 32), torch.tensor([5, 6, 7]))
    with torch.inference_mode():
        memory = build_memory(ears, decoder, [torch.randn(9, 32)], [[earlier]])
        assert memory.states.shape == (1, 9 + 4 + 3, 32)
        writer = Writer(decoder, memory)
        made = [int(writer.step()) for _ in range(12)]
        scores = decoder(torch.tensor([[SymbolTable.BEGIN, *made[:-1]]]), memory)
        settled = list(BeamWriter(decoder, memory, None, width=1, lag=3).symbols(12))
    scores = scores.clone()
    scores[..., : SymbolTable.END] = -np.inf
    assert scores[0].argmax(-1).tolist() == made
    until_end = made.index(SymbolTable.END) if SymbolTable.END in made else len(made)
    assert settled == made[:until_end]


def test_wider_beams_are_at_least_as_likely() -> None:
    torch.manual_seed(1)
    ears, decoder = Ears(12, 5, dim=32).eval(), Decoder(12, dim=32).eval()
    table = SymbolTable([" ", ".", "a", "b", "s", "t", "m", "n", "l"])
    lexicon = Lexicon(["ab", "as", "bat", "sat", "man", "lab"], table)

    def likelihood(width: int) -> float:
        with torch.inference_mode():
            memory = build_memory(ears, decoder, [torch.randn(6, 32)], [[]])
            writer = BeamWriter(decoder, memory, lexicon, width=width, lag=99)
            made = list(writer.symbols(30))
            scores = decoder(torch.tensor([[SymbolTable.BEGIN, *made]]), memory)[0]
        wanted = torch.tensor([*made, SymbolTable.END])
        return float(scores[torch.arange(len(wanted)), wanted].sum())

    torch.manual_seed(5)
    greedy = likelihood(1)
    torch.manual_seed(5)
    assert likelihood(6) >= greedy - 1e-5


def test_pointer_copies_what_is_only_in_the_history() -> None:
    torch.manual_seed(0)
    ears, decoder = Ears(30, 10, dim=32).eval(), Decoder(30, dim=32).eval()
    decoder.gate.bias.data.fill_(-30.0)
    decoder.gate.weight.data.zero_()
    ears.phone_head.weight.data.zero_()
    ears.phone_head.bias.data.fill_(-20.0)
    ears.phone_head.bias.data[0] = 20.0
    earlier = EarlierTurn(torch.randn(2, 32), torch.tensor([17, 17, 17]))
    with torch.inference_mode():
        memory = build_memory(ears, decoder, [torch.randn(3, 32)], [[earlier]])
        assert int(Writer(decoder, memory).step()) == 17


def test_lexicon_lets_only_its_words_be_written() -> None:
    table = SymbolTable([" ", ".", "a", "b", "s"])
    a, b, space, stop = (table.encode([symbol])[0] for symbol in ("a", "b", " ", "."))
    lexicon = Lexicon(["ab", "as"], table)

    def walk(ids: list[int]) -> int:
        state = Lexicon.START
        for symbol in ids:
            state = lexicon.follow(state, symbol)
        return state

    assert lexicon.allowed(walk([a])).nonzero().flatten().tolist() == sorted(
        table.encode(["b", "s"])
    )
    assert bool(lexicon.allowed(walk([a, b]))[space])
    assert not bool(lexicon.allowed(walk([a, b]))[SymbolTable.END])
    assert bool(lexicon.allowed(walk([a, b, stop]))[SymbolTable.END])
    assert walk([a, b, stop, SymbolTable.END]) == Lexicon.START
    with pytest.raises(KeyError):
        walk([b])


def test_ctc_joins_repeats_and_drops_blanks() -> None:
    path = [0, 4, 4, 0, 4, 7, 7, 0]
    logits = torch.nn.functional.one_hot(torch.tensor(path), 9).float()
    assert greedy_ctc(logits) == [4, 4, 7]


def test_edit_distance() -> None:
    assert edit_distance("kitten", "sitting") == 3


def test_wilson_interval() -> None:
    low, high = wilson(95, 100)
    assert low == pytest.approx(0.8882, abs=1e-3)
    assert high == pytest.approx(0.9785, abs=1e-3)


def test_ragged_round_trip(tmp_path: Path) -> None:
    items = [np.arange(6, dtype=np.float16).reshape(3, 2), np.ones((1, 2), np.float16)]
    save_ragged(tmp_path / "a.safetensors", {"x": items}, {"texts": ["ä"]})
    fields, note = load_ragged(tmp_path / "a.safetensors")
    assert note == {"texts": ["ä"]}
    assert [fields["x"][i].tolist() for i in range(2)] == [item.tolist() for item in items]


def test_log_mel_finds_a_tone_in_its_band() -> None:
    tone = torch.sin(2 * np.pi * 1000 * torch.arange(16000) / 16000)
    mel = LogMel()(tone)
    assert mel.shape == (80, 100)
    # Slaney's scale: 1000 Hz is mel 15 of 45.245, and 80 bands share the scale.
    assert int(mel.mean(1).argmax()) == round(15 / 45.245 * 81) - 1


def test_spelling_finds_words_that_the_phonemizer_joins() -> None:
    alone = {"it": "ɪt", "is": "ɪz", "in": "ɪn", "the": "ðə", "shed": "ʃˈɛd"}
    symbols = merge_phonemes("ɪts ɪnðə ʃˈɛd.")
    with_is = dict(alone, **{"it's": "ɪts"})
    pairs = align_words("It's in the shed.", symbols, lambda w: merge_phonemes(with_is[w.lower()]))
    assert pairs == [("ɪts", "It's"), ("ɪnðə", "in the"), ("ʃˈɛd", "shed")]
    assert write_words(symbols, dict(pairs)) == "It's in the shed."
    assert write_words(merge_phonemes("zˈuː"), dict(pairs)) == "/zˈuː/"


def test_mirroring_follows_within_limits() -> None:
    statistics = StyleStatistics.of([12.0, 0.0, 2.0, -26.0], [2.0, 4.0, 0.8, 5.0])
    usual = mirrored(UserStyle(12.0, 0.0, 2.0, -26.0), statistics)
    assert usual == ReplyStyle(rate=NEUTRAL.rate, shift_semitones=2.5)
    wild = mirrored(UserStyle(30.0, 30.0, 9.0, 10.0), statistics)
    assert (wild.rate, wild.range_factor, wild.gain_db) == (1.2 * NEUTRAL.rate, 1.8, 6.0)
    assert wild.shift_semitones == pytest.approx(8.0, abs=0.1)
    deep = mirrored(UserStyle(12.0, -30.0, 2.0, -26.0), statistics)
    assert deep.shift_semitones == pytest.approx(-1.5, abs=0.1)


def test_switches_are_checked() -> None:
    with pytest.raises(ValueError, match="style must be on or off"):
        CadenceReplier(style="loud")  # type: ignore[arg-type]
    assert CadenceReplier(style="off").info.parameters["style"] == "off"


def test_whose_rules_decide_the_end_of_a_turn() -> None:
    assert Cadence(turn_taking="own").turn_taking == OWN_TURN_TAKING
    assert Cadence(turn_taking="shared").turn_taking.end == "silence"
    assert Cadence(turn_taking={"end": "own", "silence_s": 2.0}).turn_taking.silence_s == 2.0
    with pytest.raises(CascadenceError, match="shared, own"):
        Cadence(turn_taking="mine")  # type: ignore[arg-type]


def test_the_end_of_a_turn_is_pooled_from_what_was_spoken_last() -> None:
    states = torch.arange(40.0)[:, None].expand(40, 2)
    spoken = torch.zeros(40, dtype=torch.bool)
    spoken[10:30] = True
    assert end_features(states, spoken)[::2].tolist() == [27.5, 21.5, 19.5]
    assert end_features(states, torch.zeros(40, dtype=torch.bool)).tolist() == [0.0] * 6


def test_tampered_weights_are_refused(tmp_path: Path) -> None:
    folder = Path(load_bundle.__code__.co_filename).parent
    for name in ("cadence.safetensors", "cadence.json"):
        shutil.copy(folder / name, tmp_path / name)
    raw = bytearray((tmp_path / "cadence.safetensors").read_bytes())
    raw[-1] ^= 1
    (tmp_path / "cadence.safetensors").write_bytes(raw)
    with pytest.raises(ValueError, match="not the file"):
        load_bundle(tmp_path)


def test_weights_of_another_shape_are_named(tmp_path: Path) -> None:
    shipped = load_bundle(Path(load_bundle.__code__.co_filename).parent)
    save_bundle(tmp_path, dataclasses.replace(shipped, vocoder=Vocoder(len(shipped.table) - 1)))
    with pytest.raises(ValueError, match="a vocoder of another shape"):
        load_bundle(tmp_path)


def test_shipped_weights_are_small() -> None:
    folder = Path(load_bundle.__code__.co_filename).parent
    assert (folder / "cadence.safetensors").stat().st_size <= 30_000_000
    assert len(read_config(folder)["sha256"]) == 64


@needs_whisper
def test_a_request_is_answered_in_a_stream(cadence: CadenceReplier) -> None:
    events = list(cadence.reply(turn(spoken_request()), [], CONTEXT))
    chunks = [e for e in events if isinstance(e, AudioOut)]
    text = "".join(e.text for e in events if isinstance(e, TextOut))
    assert len(chunks) > 1
    assert all(chunk.sample_rate == 16000 for chunk in chunks)
    assert len(joined(events)) > 8000
    assert np.abs(joined(events)).max() <= 1.0
    assert len(text.split()) >= 2
    marks = [(e.stage, e.edge) for e in events if isinstance(e, Mark)]
    assert marks[:2] == [("encode", "start"), ("encode", "end")]
    assert ("decode", "first") in marks


@needs_whisper
def test_the_first_piece_lasts_until_the_next_is_made(
    cadence: CadenceReplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Trickle:
        def __init__(self, *_: object) -> None:
            pass

        def push(self, ids: list[int], *, final: bool = False) -> np.ndarray:
            return np.full(100 * len(ids) + final, 0.1, np.float32)

    monkeypatch.setattr("cascadence.systems.cadence.system.VocoderStream", Trickle)
    events = list(cadence.reply(turn(spoken_request()), [], CONTEXT))
    first, second, *_ = [len(e.samples) for e in events if isinstance(e, AudioOut)]
    assert first == 1200, "two pieces of 400 samples are too short a beginning"
    assert second == 800
    said = next(iter(cadence._past.values()))[1]
    assert len(joined(events)) == 100 * len(said) + 1


@needs_whisper
def test_streamed_reply_equals_the_whole(cadence: CadenceReplier) -> None:
    events = list(cadence.reply(turn(spoken_request()), [], CONTEXT))
    said = next(iter(cadence._past.values()))[1]
    assert cadence._bundle is not None
    assert cadence._listener is not None
    heard = cadence._listener.hear(spoken_request().samples)
    assert heard is not None
    stream = VocoderStream(cadence._bundle.vocoder, cadence._style(heard))
    whole = stream.push(said, final=True)
    assert joined(events).shape == whole.shape
    assert np.abs(joined(events) - whole).max() < 1e-3


@needs_whisper
def test_silence_and_faint_noise_are_not_answered(cadence: CadenceReplier) -> None:
    noise = np.random.default_rng(0).standard_normal(32000).astype(np.float32)
    for samples in (np.zeros(16000, np.float32), noise * np.float32(1e-3), np.zeros(0, np.float32)):
        events = list(cadence.reply(turn(Audio(samples, 16000)), [], CONTEXT))
        assert not [e for e in events if isinstance(e, AudioOut | TextOut)]


@needs_whisper
def test_level_is_mirrored_and_style_off_is_neutral(cadence: CadenceReplier) -> None:
    def level_db(replier: CadenceReplier, gain_db: float) -> float:
        events = list(replier.reply(turn(spoken_request(gain_db)), [], CONTEXT))
        return float(10 * np.log10(np.mean(joined(events).astype(np.float64) ** 2)))

    assert level_db(cadence, 0.0) - level_db(cadence, -8.0) > 2.0
    with CadenceReplier(style="off") as neutral:
        assert neutral._style(dataclasses.replace(_heard(neutral), style=[2.0] * 4)) == NEUTRAL
        assert abs(level_db(neutral, 0.0) - level_db(neutral, -8.0)) < 1.0


def _heard(replier: CadenceReplier):  # type: ignore[no-untyped-def]
    assert replier._listener is not None
    return replier._listener.hear(spoken_request().samples)


@needs_whisper
def test_a_whole_turn_is_over_and_a_broken_one_is_not(cadence: CadenceReplier) -> None:
    whole = spoken_request()
    assert cadence.turn_end(whole) > 0.5
    broken = Audio(np.concatenate([whole.samples[:12000], np.zeros(4000, np.float32)]), 16000)
    assert cadence.turn_end(broken) < cadence.turn_end(whole)
    assert cadence.turn_end(Audio(np.zeros(16000, np.float32), 16000)) == 0.0


@needs_whisper
def test_what_was_heard_in_the_last_pause_is_not_heard_again(cadence: CadenceReplier) -> None:
    so_far = spoken_request()
    more = Audio(np.concatenate([so_far.samples, np.zeros(4800, np.float32)]), 16000)
    cadence.hear_so_far(so_far)
    assert cadence._listener is not None
    before = cadence._listener.hear_turn(so_far)
    list(cadence.reply(Turn(more, 0.0, more.duration_s, silence_s=0.5), [], CONTEXT))
    assert cadence._past[0.0, more.duration_s][0] is before
    # Without the detector's word that the rest is silence, it may be speech.
    list(cadence.reply(Turn(more, 5.0, 5.0 + more.duration_s), [], CONTEXT))
    assert cadence._past[5.0, 5.0 + more.duration_s][0] is not before


@needs_whisper
def test_history_is_remembered_and_cut(cadence: CadenceReplier) -> None:
    first = turn(spoken_request())
    said = "".join(e.text for e in cadence.reply(first, [], CONTEXT) if isinstance(e, TextOut))
    whole = cadence._earlier([Exchange(first, "", said)])
    cut = cadence._earlier([Exchange(first, "", said.split()[0], interrupted=True)])
    assert len(whole) == len(cut) == 1
    assert 0 < len(cut[0].reply) < len(whole[0].reply)
    stranger = dataclasses.replace(first, start_s=99.0)
    assert cadence._earlier([Exchange(stranger, "", said)]) == []
