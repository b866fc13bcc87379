from __future__ import annotations

import hashlib
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from cascadence.audio import audible_runs
from cascadence.clip import BadClip, file_inside, file_sha256, load_clip
from cascadence.conversation import UserTurn
from corpus_folder import CLIP_S, SPEECH_S, tone


def turn(path: str, speech_s: tuple[float, float] = SPEECH_S, **audio: Any) -> UserTurn:
    reference = {"path": path, **audio}
    return UserTurn.model_validate({"text": "hi", "audio": reference, "speech_s": speech_s})


def refused(folder: Path, spoken: UserTurn) -> BadClip:
    with pytest.raises(BadClip) as caught:
        load_clip(folder, spoken)
    assert caught.value.where == spoken.audio.path
    return caught.value


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = (tmp_path / "corpus").resolve()
    (inside / "audio").mkdir(parents=True)
    return inside


FORMATS = [
    ("a.wav", {"format": "WAV", "subtype": "PCM_16"}, 16_000),
    ("a.wav", {"format": "WAV", "subtype": "FLOAT"}, 44_100),
    ("a.wav", {"format": "WAV", "subtype": "PCM_U8"}, 8_000),
    ("a.wav", {"format": "WAV", "subtype": "ULAW"}, 8_000),
    ("a.flac", {"format": "FLAC", "subtype": "PCM_16"}, 16_000),
    ("a.flac", {"format": "FLAC", "subtype": "PCM_24"}, 48_000),
    ("a.flac", {"format": "FLAC", "subtype": "PCM_16"}, 8_000),
    ("a.opus", {"format": "OGG", "subtype": "OPUS"}, 16_000),
    ("a.opus", {"format": "OGG", "subtype": "OPUS"}, 8_000),
    ("a.opus", {"format": "OGG", "subtype": "OPUS"}, 48_000),
    ("a.mp3", {"format": "MP3", "subtype": "MPEG_LAYER_III"}, 16_000),
]


@pytest.mark.parametrize(("name", "how", "rate"), FORMATS)
def test_formats_and_rates_keep_length_and_boundaries(
    folder: Path, name: str, how: dict[str, str], rate: int
) -> None:
    soundfile.write(str(folder / name), tone(sample_rate=rate).samples, rate, **how)
    clip = load_clip(folder, turn(name))
    assert clip.sample_rate == rate
    assert clip.duration_s == pytest.approx(CLIP_S, abs=0.005 if name != "a.mp3" else 0.1)
    runs = audible_runs(clip, bridge_s=0.1)
    assert runs[0] == pytest.approx(SPEECH_S, abs=0.021 if name != "a.mp3" else 0.1)


def test_a_part_of_a_file_has_its_own_clock(folder: Path) -> None:
    soundfile.write(str(folder / "a.wav"), tone().samples, 16_000)
    clip = load_clip(folder, turn("a.wav", (0.1, 0.5), start_s=0.1, end_s=0.6))
    assert clip.duration_s == pytest.approx(0.5)
    assert audible_runs(clip)[0] == pytest.approx((0.1, 0.5), abs=0.011)


def test_a_hash_is_of_the_bytes_and_is_demanded(folder: Path) -> None:
    path = folder / "a.wav"
    soundfile.write(str(path), tone().samples, 16_000)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert file_sha256(path) == sha256
    load_clip(folder, turn("a.wav", sha256=sha256))
    error = refused(folder, turn("a.wav", sha256="0" * 64))
    assert error.field == "audio.sha256"
    assert sha256[:12] in error.what


def test_a_file_that_changes_is_hashed_again(folder: Path) -> None:
    path = folder / "a.wav"
    soundfile.write(str(path), tone().samples, 16_000)
    sha256 = file_sha256(path)
    soundfile.write(str(path), tone(300.0).samples, 16_000)
    os.utime(path, ns=(1, 1))
    assert refused(folder, turn("a.wav", sha256=sha256)).field == "audio.sha256"


def not_audio(path: Path) -> None:
    path.write_text("once upon a time")


def empty(path: Path) -> None:
    path.write_bytes(b"")


def no_samples(path: Path) -> None:
    soundfile.write(str(path), np.zeros(0, dtype=np.float32), 16_000, format="WAV")


def stereo(path: Path) -> None:
    soundfile.write(str(path), np.zeros((1600, 2)), 16_000, format="FLAC")


def too_slow(path: Path) -> None:
    soundfile.write(str(path), tone(sample_rate=7_999).samples, 7_999, format="WAV")


def not_finite(path: Path) -> None:
    samples = tone().samples.copy()
    samples[500] = np.nan
    soundfile.write(str(path), samples, 16_000, format="WAV", subtype="FLOAT")


def too_loud(path: Path) -> None:
    soundfile.write(str(path), tone(level=3.0).samples, 16_000, format="WAV", subtype="FLOAT")


def torn_flac(path: Path) -> None:
    soundfile.write(str(path), tone().samples, 16_000, format="FLAC")
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])


def torn_mp3(path: Path) -> None:
    soundfile.write(str(path), tone().samples, 16_000, format="MP3")
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])


def garbled_flac(path: Path) -> None:
    soundfile.write(str(path), tone().samples, 16_000, format="FLAC")
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 3 :] = bytes(len(raw) - len(raw) // 3)
    path.write_bytes(raw)


def boundless(path: Path) -> None:
    """A FLAC of a few bytes whose header promises 2**36 - 1 samples: 256 GiB once decoded."""
    soundfile.write(str(path), tone().samples, 16_000, format="FLAC")
    raw = bytearray(path.read_bytes())
    (packed,) = struct.unpack(">Q", raw[18:26])
    raw[18:26] = struct.pack(">Q", packed | (2**36 - 1))
    path.write_bytes(raw)


def folder_in_its_place(path: Path) -> None:
    path.mkdir()


def named_pipe(path: Path) -> None:
    os.mkfifo(path)


BROKEN = {
    not_audio: "cannot be read as audio",
    empty: "cannot be read as audio",
    no_samples: "no samples",
    stereo: "2 channels where one is expected",
    too_slow: "7999 Hz is below 8000 Hz",
    not_finite: "not finite",
    too_loud: "outside [-1, 1]",
    torn_flac: "cannot be read as audio",
    torn_mp3: "torn: ",
    garbled_flac: "",
    boundless: "more than is ever read at once",
    folder_in_its_place: "not a regular file",
    named_pipe: "not a regular file",
}


@pytest.mark.parametrize("name", ["a.flac", "a.raw", "a"])
@pytest.mark.parametrize("plant", BROKEN)
def test_a_file_that_nobody_should_play_is_refused(folder: Path, plant: Any, name: str) -> None:
    plant(folder / name)
    error = refused(folder, turn(name))
    assert error.field == "audio.path"
    if name != "a.raw":  # by its name a headerless file, whatever it holds
        assert BROKEN[plant] in error.what


@pytest.mark.parametrize(
    ("spoken", "field"),
    [
        (turn("a.wav", (0.2, CLIP_S + 0.01)), "speech_s"),
        (turn("a.wav", start_s=CLIP_S + 0.01), "audio.start_s"),
        (turn("a.wav", start_s=CLIP_S), "audio.end_s"),
        (turn("a.wav", end_s=CLIP_S + 0.01), "audio.end_s"),
        (turn("a.wav", start_s=0.5, end_s=0.5), "audio.end_s"),
        (turn("a.wav", start_s=0.5, end_s=0.2), "audio.end_s"),
        (turn("a.wav", (0.2, 0.6), start_s=0.5, end_s=1.0), "speech_s"),
        (turn("b.wav"), "audio.path"),
    ],
)
def test_times_and_names_must_fit_the_file(folder: Path, spoken: UserTurn, field: str) -> None:
    soundfile.write(str(folder / "a.wav"), tone().samples, 16_000)
    assert refused(folder, spoken).field == field


@pytest.mark.parametrize("how", [{"format": "WAV"}, {"format": "OGG", "subtype": "OPUS"}])
def test_a_torn_file_that_hides_it_has_lost_its_speech(folder: Path, how: dict[str, str]) -> None:
    path = folder / "a"
    soundfile.write(str(path), tone(duration_s=3.0, speech_s=(0.2, 2.8)).samples, 16_000, **how)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) * 3 // 4])
    error = refused(folder, turn("a", (0.2, 2.8)))
    assert error.field in ("speech_s", "audio.path")


def test_times_rounded_to_milliseconds_fit(folder: Path) -> None:
    samples = tone(duration_s=1.0).samples[:-7]
    soundfile.write(str(folder / "a.wav"), samples, 16_000)
    load_clip(folder, turn("a.wav", (0.2, 1.0), end_s=1.0))


def test_links_that_leave_the_folder_are_refused(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.mkdir()
    soundfile.write(str(outside / "a.wav"), tone().samples, 16_000)
    (folder / "link.wav").symlink_to(outside / "a.wav")
    (folder / "folder").symlink_to(outside)
    (folder / "up").symlink_to("..")
    (folder / "loop").symlink_to("loop")
    (folder / "zero").symlink_to("/dev/zero")
    for name in ("link.wav", "folder/a.wav", "up/secret/a.wav", "zero"):
        assert "leads out of the corpus folder" in refused(folder, turn(name)).what
    assert "not a usable path" in refused(folder, turn("loop")).what


def test_a_link_inside_the_folder_is_followed(folder: Path) -> None:
    soundfile.write(str(folder / "a.wav"), tone().samples, 16_000)
    (folder / "link.wav").symlink_to("a.wav")
    assert len(load_clip(folder, turn("link.wav")))


@pytest.mark.parametrize("name", ["/etc/hostname", "../x", "x\0y", "x" * 5000, "a/" * 3000, "~/x"])
def test_paths_that_no_manifest_lets_through_are_refused_again(folder: Path, name: str) -> None:
    with pytest.raises(BadClip):
        file_inside(folder, name)


def test_a_bad_clip_crosses_processes_whole() -> None:
    copy = pickle.loads(pickle.dumps(BadClip("what", "a.wav", "mend", field="speech_s")))
    assert (copy.what, copy.where, copy.mend, copy.field) == ("what", "a.wav", "mend", "speech_s")
