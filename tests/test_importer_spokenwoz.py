"""SpokenWOZ: calls of two channels, with words and times in ms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from cascadence.corpus import open_corpus
from cascadence.importing import BadDataset, import_named
from cascadence.validation import validate
from planted_run import speech

RATE = 8_000
NEAR_S = 0.02
CALLER_S = [(1.0, 2.0), (5.0, 7.0)]
AGENT_S = [(2.5, 4.2), (7.6, 9.0)]


def entry(text: str, span_s: tuple[float, float], channel: int) -> dict[str, Any]:
    start_ms, end_ms = round(1000 * span_s[0]), round(1000 * span_s[1])
    middle_ms = (start_ms + end_ms) // 2
    times = ((start_ms, middle_ms), (middle_ms, end_ms))
    words = [
        {"Word": "w", "BeginTime": begin, "EndTime": end, "ChannelId": channel, "WordIndex": n}
        for n, (begin, end) in enumerate(times)
    ]
    return {"text": text, "words": words, "dialogue_act": {}, "metadata": {}, "span_info": []}


def call() -> dict[str, Any]:
    log = []
    for place, (caller_s, agent_s) in enumerate(zip(CALLER_S, AGENT_S, strict=True)):
        log.append(entry(f"caller {place}", (caller_s[0] + 0.05, caller_s[1] + 0.1), 0))
        log.append(entry(f"agent {place}", agent_s, 1))
    return {"goal": {}, "log": log}


def sound(path: Path, caller: int) -> None:
    hz = 100.0 + 10.0 * int(path.stem[-1])
    sides = [speech(CALLER_S, 9.5, RATE, hz), speech(AGENT_S, 9.5, RATE, 2.0 * hz)]
    sides = sides if caller == 0 else sides[::-1]
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(str(path), np.stack([side.samples for side in sides], axis=1), RATE)


def plant(folder: Path) -> Path:
    text, audio = folder / "text_5700_train_dev", folder / "audio_5700_train_dev"
    text.mkdir(parents=True)
    no_words = call()
    no_words["log"][2]["words"] = []
    calls = {
        "MUL0001": call(),
        "SNG0002": call(),
        "SNG0003": call(),
        "SNG0004": no_words,
        "SNG0005": {"log": "junk"},
        "SNG0006": call(),
    }
    (text / "data.json").write_text(json.dumps(calls))
    (text / "valListFile.json").write_text("SNG0002\nSNG0099\n")
    sound(audio / "MUL0001.wav", caller=0)
    sound(audio / "SNG0002.wav", caller=1)
    sound(audio / "SNG0004.wav", caller=0)
    sound(audio / "SNG0005.wav", caller=0)
    soundfile.write(str(audio / "SNG0006.wav"), np.zeros(9 * RATE), RATE)
    (audio / "._MUL0001.wav").write_bytes(b"resource fork")
    (folder / "text_5700_test").mkdir()
    (folder / "text_5700_test" / "data.json").write_text(json.dumps({"MUL0007": call()}))
    sound(folder / "audio_5700_test" / "MUL0007.wav", caller=0)
    return folder


def test_the_caller_s_channel_is_found_and_turns_are_measured(tmp_path: Path) -> None:
    source = plant(tmp_path / "spokenwoz")
    done = import_named("spokenwoz", source)
    corpus = open_corpus(str(source))
    found = {one.id: one for one in corpus}
    assert {name: one.split for name, one in found.items()} == {
        "MUL0007": "test",
        "MUL0001": "train",
        "SNG0002": "dev",
    }
    for name, channel in (("MUL0001", 0), ("SNG0002", 1)):
        turns = found[name].turns
        assert [turn.audio.channel for turn in turns] == [channel, channel]
        for turn, (start_s, end_s) in zip(turns, CALLER_S, strict=True):
            begun_s = turn.audio.start_s
            span_s = (begun_s + turn.speech_s[0], begun_s + turn.speech_s[1])
            assert span_s == pytest.approx((start_s, end_s), abs=NEAR_S)
        assert [turn.text for turn in turns] == ["caller 0", "caller 1"]
        assert turns[1].when.gap_s == pytest.approx(5.0 - 4.2, abs=NEAR_S)  # type: ignore[union-attr]
    assert found["MUL0001"].tags == ("multi_domain",)
    assert {problem.field: problem.what.split(":")[0] for problem in done.problems} == {
        "SNG0003": "SNG0003.wav",
        "SNG0004": "no words with times",
        "SNG0005": "no `log`",
        "SNG0006": "one channel, where caller and agent have one each",
    }
    assert not [problem for problem in validate(corpus, audio=True) if problem.severity == "error"]


def test_a_clip_holds_the_caller_alone(tmp_path: Path) -> None:
    source = plant(tmp_path / "spokenwoz")
    import_named("spokenwoz", source)
    corpus = open_corpus(str(source))
    clip = corpus.clips(corpus.conversation("SNG0002"))[1]
    spectrum = np.abs(np.fft.rfft(clip.samples))
    assert np.argmax(spectrum) * clip.sample_rate / len(clip) == pytest.approx(120.0, abs=5.0)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataset, match=r"data\.json"):
        import_named("spokenwoz", tmp_path)
