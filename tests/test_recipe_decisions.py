"""What was decided when a corpus was made can be done again without a judge."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from cascadence.corpus import bundled_corpora
from cascadence.data_manifests.recipes import making
from cascadence.data_manifests.recipes.clip_making import JudgedClip
from cascadence.data_manifests.recipes.corpus_files import MAKING, About
from cascadence.data_manifests.recipes.decisions import Decisions, read_decisions
from cascadence.data_manifests.recipes.making import Recipe, make
from cascadence.data_manifests.recipes.planned import Plain, Planned, PlannedTurn
from cascadence.data_manifests.recipes.voices import Prosody
from cascadence.errors import CascadenceError

LOUD = Plain(Prosody(level_db=3.0))


def clip_note(name: str, voice: str, style: Prosody, verdict: str = "ok") -> dict[str, Any]:
    style_note = dataclasses.asdict(style)
    return {"id": name, "turn": 0, "voice": voice, "style": style_note, "verdict": verdict}


def test_the_last_verdict_of_a_group_counts() -> None:
    decided = Decisions(
        [
            clip_note("a", "one", Prosody(), "WER 0.50"),
            {"id": "a", "voice": "one", "verdict": "turn 0: WER 0.50"},
            clip_note("a", "two", Prosody()),
            {"id": "a", "voice": "two", "verdict": "kept"},
            clip_note("b", "one", Prosody(), "WER 0.50"),
            {"id": "b", "voice": "one", "verdict": "turn 0: WER 0.50"},
            {"id": "b", "verdict": "dropped"},
        ]
    )
    assert decided.voice("a") == "two"
    assert decided.voice("b") is None
    assert [note["verdict"] for note in decided.notes("b")] == [
        "WER 0.50",
        "turn 0: WER 0.50",
        "dropped",
    ]
    assert "c" not in decided


def test_the_rendition_that_was_kept_is_found_by_its_style() -> None:
    calmer = LOUD.calmer()
    assert calmer is not None
    kept = clip_note("a", "one", calmer.prosody)
    failed = clip_note("a", "one", LOUD.prosody, "WER 0.50")
    verdict = {"id": "a", "voice": "one", "verdict": "kept"}
    renditions = [LOUD, calmer]
    assert Decisions([failed, kept, verdict]).sound("a", 0, "one", renditions) == calmer
    loud = clip_note("a", "one", LOUD.prosody)
    assert Decisions([loud, verdict]).sound("a", 0, "one", renditions) == LOUD
    with pytest.raises(CascadenceError, match="not the one that was decided on"):
        Decisions([loud, verdict]).sound("a", 0, "one", [Plain()])
    with pytest.raises(CascadenceError, match="not the one that was decided on"):
        Decisions([failed, verdict]).sound("a", 0, "one", renditions)


def _recipe() -> Recipe:
    def plan() -> list[Planned]:
        return [
            Planned(f"c-{n}", ("tag",), n, turns=(PlannedTurn(text, LOUD),))
            for n, text in enumerate(("Set a timer.", "Call me a cab.", "What is the time?"))
        ]

    about = About("planted", "1.0.0", "planted")
    return Recipe(about, "seed", plan, ("flite-rms", "flite-awb"), ("flite-rms",))


def test_made_again_from_the_notes_it_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge keeps one as planned, one in the second voice, and none of the third."""
    pytest.importorskip("pyworld")
    pytest.importorskip("swift_f0")
    from cascadence.data_manifests.recipes.synthesisers import available

    reason = available("flite")
    if reason is not None:
        pytest.skip(reason)
    heard = {"Set a timer.": [0], "Call me a cab.": [9, 9, 0], "What is the time?": [9] * 4}
    judge_real = making.judge_clip

    def judge(voice: Any, text: str, sound: Any, values: Any, seed: int, work: Any) -> JudgedClip:
        monkeypatch.setattr(
            "cascadence.data_manifests.recipes.clip_making.transcript", lambda _: text
        )
        clip = judge_real(voice, text, sound, values, seed, work)
        errors = heard[text].pop(0)
        return dataclasses.replace(clip, hearing=dataclasses.replace(clip.hearing, errors=errors))

    monkeypatch.setattr(making, "judge_clip", judge)
    first, second = tmp_path / "first" / "planted", tmp_path / "second" / "planted"
    assert make(_recipe(), first) == 2
    monkeypatch.setattr(making, "judge_clip", lambda *_: pytest.fail("judged again"))
    assert make(_recipe(), second, decided=read_decisions(first / MAKING)) == 2
    for name in ("conversations.jsonl", "corpus.toml", MAKING):
        assert (first / name).read_bytes() == (second / name).read_bytes()
    clips = sorted(path.name for path in (first / "audio").iterdir())
    assert clips == ["c-0.0.opus", "c-1.0.opus"]
    for name in clips:
        assert (first / "audio" / name).read_bytes() == (second / "audio" / name).read_bytes()
    voices = [json.loads(line)["turns"][0]["speaker"] for line in _lines(first)]
    assert voices == ["flite-rms", "flite-rms"]


def _lines(folder: Path) -> list[str]:
    return (folder / "conversations.jsonl").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", sorted(bundled_corpora()))
def test_the_notes_of_bundled_corpora_tell_who_speaks(name: str) -> None:
    folder = bundled_corpora()[name]
    decided = read_decisions(folder / MAKING)
    kept = [json.loads(line) for line in _lines(folder)]
    assert len(kept) > 90
    for conversation in kept:
        group = conversation.get("group") or conversation["id"]
        assert group in decided
        if conversation["turns"][0]["speaker"] != "nobody":
            assert decided.voice(group) is not None
