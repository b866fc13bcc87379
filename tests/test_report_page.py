"""The page: planted numbers, hostile texts, missing values, self-standing and well-formed HTML."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile

from cascadence.reports import sound
from cascadence.reports.page import write_report
from cascadence.reports.wording import MISSING
from cascadence.results import load_run
from planted_run import HOSTILE_NAME, IMAGE, SCRIPT, plant_run

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


class Page(HTMLParser):
    """Checks that elements nest, and keeps ids, attributes and texts."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[str] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.elements.append((tag, found))
        if found.get("id") is not None:
            self.ids.append(str(found["id"]))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("style", "script"):
            return
        self.words.append(data)
        if {"td", "th"} & set(self.open) and self.cells:
            self.cells[-1] += data


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(load_run(plant_run(tmp_path_factory.mktemp("planted"))))


@pytest.fixture(scope="module")
def source(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


def test_it_lies_in_the_run_and_is_well_formed(path: Path, page: Page) -> None:
    assert path.parts[-3:] == ("planted", "report", "index.html")
    assert page.open == []
    assert len(page.ids) > 20
    assert len(page.ids) == len(set(page.ids))


def test_every_reference_inside_the_page_leads_somewhere(page: Page) -> None:
    targets = {
        str(value)[1:]
        for _, attributes in page.elements
        for key, value in attributes.items()
        if key == "href" and str(value).startswith("#")
    }
    assert "shape-circle" in targets
    assert targets <= set(page.ids)


def test_planted_values_stand_with_interval_and_n(page: Page) -> None:
    gap = next(cell for cell in page.cells if cell.startswith("0.60"))
    assert re.match(r"0\.60.*\[0\.40, 0\.80\].*n 3", gap)
    gain = next(cell for cell in page.cells if cell.startswith("0.47"))
    assert re.match(r"0\.47\s*\[0\.31, 0\.63\]\s*n 12", gain)
    assert any(re.match(r"0\.25.*n 2.*1 skipped", cell) for cell in page.cells)


def test_what_is_missing_is_a_dash_with_its_reason(page: Page) -> None:
    assert any(re.fullmatch(rf"{MISSING}\s*n 3 · 3 no reply", cell) for cell in page.cells)
    assert any(re.fullmatch(rf"{MISSING}\s*1 failed", cell) for cell in page.cells)
    text = " ".join(page.words)
    assert re.search(r"reply_wer, skipped, no reply: .*\(1\), silent \(3\)", text)
    assert "ZeroDivisionError" in text
    assert not re.search(r"\b(nan|None|inf|NA)\b", text, re.IGNORECASE)


def test_a_failed_conversation_is_told_and_enters_no_mean(page: Page) -> None:
    text = " ".join(page.words)
    assert "1 of 10 conversations has no result" in text
    assert "ValueError" in text
    failed = [a for tag, a in page.elements if tag == "article" and a["data-state"] == "failed"]
    assert len(failed) == 1


def test_hostile_texts_stay_texts(source: str, page: Page) -> None:
    assert "<script>alert" not in source
    assert "<img" not in source
    assert sum(tag == "script" for tag, _ in page.elements) == 1
    assert not [key for _, attributes in page.elements for key in attributes if key[:2] == "on"]
    text = "".join(page.words)
    for place in (f"call {SCRIPT}", f"here is {IMAGE} for you", HOSTILE_NAME, f"MIT {SCRIPT}"):
        assert place in text


def test_nothing_is_fetched(source: str, page: Page) -> None:
    assert not re.search(r"https?://|//\w+\.\w|url\((?!#)|@import", source)
    for tag, attributes in page.elements:
        for key in ("src", "href", "srcset", "data", "action", "poster"):
            address = str(attributes.get(key) or "#")
            inside = address.startswith(("#", "data:audio/ogg;base64,"))
            assert inside or (tag == "a" and address.startswith(("tables/", "figures/")))


def test_links_lead_to_files(path: Path, page: Page) -> None:
    links = {str(a["href"]) for tag, a in page.elements if tag == "a"}
    files = {link for link in links if not link.startswith("#")}
    assert {"tables/headline.csv", "figures/response-gaps.svg", "figures/waterfall.svg"} <= files
    assert all((path.parent / link).is_file() for link in files)


def test_the_players_have_the_user_left_and_the_system_right(page: Page) -> None:
    players = [attributes for tag, attributes in page.elements if tag == "audio"]
    assert len(players) == 9
    assert {player["preload"] for player in players} == {"none"}
    content = base64.b64decode(str(players[0]["src"]).partition(",")[2])
    samples, rate = soundfile.read(io.BytesIO(content))
    assert rate == 24_000
    assert samples.shape == (6 * rate, 2)
    loud = np.sqrt(np.mean(samples.reshape(60, -1, 2) ** 2, axis=1)) > 0.02
    assert loud[:, 0].nonzero()[0].tolist() == list(range(5, 15))
    assert loud[:, 1].nonzero()[0].tolist() == list(range(19, 31))


def test_large_sounds_stay_beside_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = load_run(plant_run(tmp_path))
    monkeypatch.setattr("cascadence.reports.talks.EMBED_LIMIT_BYTES", 1000)
    path = write_report(run)
    players = [a for tag, a in Page(path.read_text(encoding="utf-8")).elements if tag == "audio"]
    assert len(players) == 9
    assert all((path.parent / str(player["src"])).is_file() for player in players)


def test_a_second_report_uses_the_sounds_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = load_run(plant_run(tmp_path))
    first = write_report(run).read_bytes()
    monkeypatch.setattr(sound, "_stereo", None)
    assert write_report(run).read_bytes() == first


def test_expectations_and_transcripts_are_shown(page: Page) -> None:
    text = "".join(page.words)
    assert f"five {SCRIPT} timer" in text
    assert f"minutes = 5 or {IMAGE}" in text
    assert "not met:" in text
    states = [a["data-state"] for tag, a in page.elements if tag == "article"]
    assert sorted(map(str, states)) == ["failed", *["missed"] * 6, *["passed"] * 3]


def test_without_measurements(tmp_path: Path) -> None:
    path = write_report(load_run(plant_run(tmp_path, measured=False)))
    page = Page(path.read_text(encoding="utf-8"))
    text = " ".join(page.words)
    assert "Nothing has been measured yet" in text
    assert "not judged" in text
    assert sum(tag == "audio" for tag, _ in page.elements) == 9


def test_without_corpus_or_sound(tmp_path: Path) -> None:
    directory = plant_run(tmp_path)
    (tmp_path / "corpus" / "conversations.jsonl").unlink()
    next(directory.glob("audio/alpha--corpus/c0.0.system.flac")).write_bytes(b"torn")
    page = Page(write_report(load_run(directory)).read_text(encoding="utf-8"))
    text = " ".join(page.words)
    assert "The corpus is not at hand" in text
    assert "The recording cannot be read" in text
    assert sum(tag == "audio" for tag, _ in page.elements) == 8


def test_before_the_first_conversation(tmp_path: Path) -> None:
    directory = plant_run(tmp_path, measured=False)
    (directory / "conversations.jsonl").unlink()
    text = " ".join(Page(write_report(load_run(directory)).read_text(encoding="utf-8")).words)
    assert "No conversation has been played yet" in text
