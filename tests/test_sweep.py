"""Sweep files: what they expand to, and what is said about wrong ones."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from cascadence.planning import plan, plan_table
from cascadence.sweep import BadSweep, Sweep, bundled_sweeps, expand, read_sweep, resolve_files
from corpus_folder import write_corpus


def sweep(**changes: object) -> Sweep:
    return Sweep.model_validate(
        {"name": "s", "corpora": ["assistant"], "systems": ["silent"], **changes}
    )


def test_shorthand_names_become_entries() -> None:
    (cell,) = expand(sweep())
    assert cell.name == "silent--assistant"
    assert cell.system == "silent"
    assert cell.clock == "virtual"


def test_a_grid_is_a_product_and_reaches_inside() -> None:
    entry = {
        "name": "c",
        "system": "cascade",
        "parameters": {"asr": "oracle", "turn_taking": {"vad": "silero"}},
        "grid": {"llm": ["a", "b"], "turn_taking.silence_s": [0.3, 0.5, 0.8]},
    }
    cells = expand(sweep(systems=[entry]))
    assert len(cells) == 6
    assert len({cell.name for cell in cells}) == 6
    last = cells[-1]
    assert last.name == "c.llm-b.silence_s-0.8--assistant"
    assert last.parameters["turn_taking"] == {"vad": "silero", "silence_s": 0.8}
    assert cells[0].parameters["turn_taking"]["silence_s"] == 0.3


def test_a_grid_turns_a_part_name_into_a_mapping() -> None:
    entry = {"system": "cascade", "parameters": {"asr": "whisper"}, "grid": {"asr.beam": [1, 5]}}
    first, _ = expand(sweep(systems=[entry]))
    assert first.parameters == {"asr": {"part": "whisper", "beam": 1}}


def test_two_cells_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="give the systems a `name`"):
        sweep(systems=["silent", "silent"])


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("name: x\ncorpora: [a]\nsystems: [b]\nspeed: 3\n", "speed", "Extra inputs"),
        ("name: x\ncorpora: []\nsystems: [b]\n", "corpora", "at least 1"),
        ("name: ../x\ncorpora: [a]\nsystems: [b]\n", "name", "pattern"),
        (
            "name: x\ncorpora: [a]\nsystems: [{system: b, grid: {c: []}}]\n",
            "systems.0.grid",
            "no values",
        ),
        ("name: [\n", "", "YAML"),
        ("just text", "", "a sweep is a mapping"),
        ("name: x\ncorpora: [a]\nsystems: [b]\nrepeats: 0\n", "repeats", "greater than"),
        (
            "name: x\ncorpora: [a]\nsystems: [b]\nconditions: [clean, fog]\n",
            "conditions.1",
            "no condition is called 'fog'",
        ),
        (
            "name: x\ncorpora: [a]\nsystems: [b]\n"
            "conditions: [{name: n, noise: {kind: babble, snr_db: 99}}]\n",
            "conditions.0.noise.snr_db",
            "less than",
        ),
        (
            "name: x\ncorpora: [a]\nsystems: [b]\nconditions: [clean, clean]\n",
            "conditions",
            "two conditions are called 'clean'",
        ),
        ("name: x\ncorpora: [a]\nsystems: [b]\nconditions: []\n", "conditions", "at least 1"),
    ],
)
def test_a_wrong_file_is_named_with_its_field(
    tmp_path: Path, text: str, where: str, what: str
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(BadSweep, match=what) as caught:
        read_sweep(str(path))
    assert "wrong.yaml" in caught.value.where
    assert where in caught.value.where


def test_yaml_cannot_build_objects(tmp_path: Path) -> None:
    path = tmp_path / "evil.yaml"
    path.write_text("!!python/object/apply:os.system ['true']\n")
    with pytest.raises(BadSweep, match="YAML"):
        read_sweep(str(path))


def test_every_bundled_sweep_reads() -> None:
    assert "demo" in bundled_sweeps()
    for name in bundled_sweeps():
        read, _ = read_sweep(name)
        assert expand(read)


def test_an_unknown_sweep_names_the_bundled_ones() -> None:
    with pytest.raises(BadSweep, match="demo"):
        read_sweep("dmeo")


def test_files_beside_the_sweep_are_found(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("")
    tree = {"asr": "mine.py:Asr", "llm": "policy", "tts": {"part": "mine.py:Tts"}}
    found = resolve_files(tree, tmp_path)
    assert found["asr"] == f"{tmp_path / 'mine.py'}:Asr"
    assert found["llm"] == "policy"
    assert found["tts"]["part"].endswith("mine.py:Tts")


def test_conditions_multiply_and_the_clean_one_keeps_its_name() -> None:
    hall = {"name": "hall", "room": {"rt60_s": 1.2}}
    cells = expand(sweep(systems=["silent", "parrot"], conditions=["clean", "babble_10db", hall]))
    assert [cell.name for cell in cells[:3]] == [
        "silent--assistant",
        "silent--assistant--babble_10db",
        "silent--assistant--hall",
    ]
    assert len(cells) == 6
    assert cells[5].condition.effects == {"room": {"rt60_s": 1.2}}
    again = Sweep.model_validate(sweep(conditions=["clean", hall]).model_dump(mode="json"))
    assert expand(again) == expand(sweep(conditions=["clean", hall]))


PLANTED_SYSTEM = """\
from cascadence.protocols import SystemInfo


class Planted:
    info = SystemInfo("planted", "control", "half", 16_000, "CC0-1.0", "1")

    def converse(self, audio_in, context):
        yield from ()
"""


def planned(folder: Path, **changes: object) -> Sweep:
    """A sweep of one conversation whose fingerprints depend on nothing outside this file."""
    (folder / "mine.py").write_text(PLANTED_SYSTEM)
    audio = {"path": "a.flac", "sha256": "0" * 64}
    turn = {"text": "hello", "audio": audio, "speech_s": [0.2, 1.0]}
    line = {"id": "c0", "licence": "CC0-1.0", "source": "made by a test", "turns": [turn]}
    write_corpus(folder / "corpus", [line])
    entries = [{"name": "p", "system": "mine.py:Planted"}, {"name": "q", "system": "parrot"}]
    return sweep(corpora=["corpus"], systems=entries, repeats=2, seed=3, **changes)


def test_without_conditions_fingerprints_are_what_they_were(tmp_path: Path) -> None:
    # Taken from the code before there were conditions: what was played then still counts.
    jobs = plan(planned(tmp_path), tmp_path)[0].jobs
    assert [job.fingerprint for job in jobs] == ["bc895e5255f499f50873", "1a92a0bbe575a9689264"]
    assert [job.seed for job in jobs] == [3545125346, 88205305]


def test_a_condition_is_in_the_fingerprint_and_its_seed_is_everybodys(tmp_path: Path) -> None:
    hall = {"name": "hall", "room": {"rt60_s": 1.2}}
    plans = plan(planned(tmp_path, conditions=["clean", "babble_10db", hall]), tmp_path)
    clean, babble, room = plans[:3]
    assert clean.jobs[0].fingerprint == "bc895e5255f499f50873"
    prints = {job.fingerprint for cell in (clean, babble, room) for job in cell.jobs}
    assert len(prints) == 6
    assert [job.seed for job in babble.jobs] == [job.seed for job in clean.jobs]
    other_system = plans[4]
    assert other_system.cell.name == "q--corpus--babble_10db"
    seeds = {job.condition_seed for job in (*babble.jobs, *other_system.jobs)}
    assert len(seeds) == 1
    assert room.jobs[0].condition_seed not in seeds
    larger = {**hall, "room": {"rt60_s": 1.3}}
    changed = plan(planned(tmp_path, conditions=[larger]), tmp_path)[0].jobs[0]
    assert changed.fingerprint != room.jobs[0].fingerprint


@pytest.mark.parametrize(
    ("python", "what"),
    [
        ("nowhere/bin/python", "names no file"),
        ("no_program_is_called_so", "names no file"),
        ("mine.py", "no program to run"),
        (".", "no program to run"),
    ],
)
def test_an_interpreter_that_cannot_be_started_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, python: str, what: str
) -> None:
    asked = planned(tmp_path)
    monkeypatch.chdir(tmp_path)
    entry = {"name": "elsewhere", "system": "mine.py:Planted", "python": python}
    with pytest.raises(BadSweep, match=what) as caught:
        plan(sweep(corpora=["corpus"], systems=["parrot", entry]), tmp_path)
    assert caught.value.where == f"system elsewhere: {python}"
    assert "/bin/python" in caught.value.mend
    assert plan(asked, tmp_path)


def test_an_interpreter_that_is_there_is_asked(tmp_path: Path) -> None:
    planned(tmp_path)
    entry = {"name": "here", "system": "mine.py:Planted", "python": sys.executable}
    (made,) = plan(sweep(corpora=["corpus"], systems=[entry]), tmp_path)
    assert (made.info["name"], made.problem) == ("planted", "")


def test_the_plan_is_a_table_with_a_head(tmp_path: Path) -> None:
    first, *rest = plan(planned(tmp_path, conditions=["clean", "babble_10db"]), tmp_path)
    broken = replace(rest[-1], problem="no package\n  mend:  install it")
    lines = plan_table([first, *rest[:-1], broken])
    head, *cells = [line.split(maxsplit=6) for line in lines]
    assert head == [
        "system",
        "corpus",
        "condition",
        "conversations",
        "repeats",
        "clock",
        "state",
    ]
    assert cells == [
        ["p", "corpus", "clean", "1", "2", "virtual", "to play"],
        ["p", "corpus", "babble_10db", "1", "2", "virtual", "to play"],
        ["q", "corpus", "clean", "1", "2", "virtual", "to play"],
        ["q", "corpus", "babble_10db", "1", "2", "virtual", "skipped: no package mend: install it"],
    ]
    for name in ("corpus", "condition", "clock", "state"):
        place, column = lines[0].index(name), head.index(name)
        assert [line[place:].startswith(cells[i][column]) for i, line in enumerate(lines[1:])] == [
            True
        ] * 4


def test_the_plan_of_a_larger_corpus_counts_conversations_and_repeats(tmp_path: Path) -> None:
    made = plan(sweep(corpora=[{"corpus": "assistant", "limit": 3}]), tmp_path)
    assert plan_table(made)[1].split()[3:5] == ["3", "1"]


def test_the_entry_s_seed_chooses_other_conversations_and_keeps_their_fingerprints(
    tmp_path: Path,
) -> None:
    def chosen(**entry: object) -> dict[str, str]:
        (one,) = plan(sweep(corpora=[{"corpus": "assistant", **entry}]), tmp_path)
        return {job.key[1]: job.fingerprint for job in one.jobs}

    first, again, other = chosen(limit=20), chosen(limit=20, seed=0), chosen(limit=20, seed=3)
    assert first == again
    assert first.keys() != other.keys()
    assert other.items() <= chosen().items()


def test_the_demo_holds_contrast_sets_to_compare_and_a_quiet_room(tmp_path: Path) -> None:
    asked, _ = read_sweep("demo")
    from cascadence.corpus import open_corpus

    (entry,) = asked.corpora
    corpus = open_corpus(entry.corpus)
    ids = corpus.select(limit=entry.limit, seed=entry.seed)
    assert len(ids) == 20
    assert len({corpus.entry(i).group for i in ids} - {None}) == 2
    assert any("stay_silent" in corpus.entry(i).tags for i in ids)
