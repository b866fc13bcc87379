"""An optional package that is missing says what to install, and under which licence."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

import pytest

from cascadence.errors import CascadenceError
from cascadence.require import MissingExtra, require


def _plant(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_module_that_is_there_is_returned() -> None:
    assert require("json.decoder", extra="asr") is sys.modules["json.decoder"]


def test_a_missing_package_says_what_to_install() -> None:
    with pytest.raises(MissingExtra) as caught:
        require("no_such_package.inner", extra="asr")
    assert "no_such_package.inner" in caught.value.what
    assert "pip install 'cascadence[asr]'" in str(caught.value)
    assert "licence" not in str(caught.value)


@pytest.mark.parametrize(("extra", "licence"), [("piper", "GPL-3.0"), ("opensmile", "research")])
def test_a_licence_that_reaches_further_is_said(extra: str, licence: str) -> None:
    with pytest.raises(MissingExtra, match=licence):
        require("no_such_package", extra=extra)


def test_it_is_an_import_error_and_a_project_error() -> None:
    with pytest.raises(ImportError) as caught:
        require("no_such_package", extra="asr")
    assert isinstance(caught.value, CascadenceError)


def test_a_missing_dependency_of_an_installed_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _plant(tmp_path, monkeypatch, "planted_half", "import planted_other_half\n")
    with pytest.raises(MissingExtra, match="planted_half' is installed, but 'planted_other_half'"):
        require("planted_half", extra="asr")


@pytest.mark.parametrize("error", ["OSError('no libplanted.so')", "ImportError('old numpy')"])
def test_a_broken_package_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: str
) -> None:
    _plant(tmp_path, monkeypatch, "planted_broken", f"raise {error}\n")
    with pytest.raises(MissingExtra, match=r"no libplanted\.so|old numpy"):
        require("planted_broken", extra="asr")


def test_a_bug_inside_a_package_is_not_disguised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _plant(tmp_path, monkeypatch, "planted_bug", "1 / 0\n")
    with pytest.raises(ZeroDivisionError):
        require("planted_bug", extra="asr")


def test_the_parts_survive_the_trip_between_processes() -> None:
    pool = multiprocessing.get_context("spawn").Pool(1)
    with pool, pytest.raises(MissingExtra) as caught:
        pool.apply(require, ("no_such_package", "piper"))
    assert caught.value.where == "extra 'piper'"
    assert "GPL-3.0" in caught.value.mend


def test_empty_parts_are_not_printed() -> None:
    assert str(CascadenceError("It broke.")) == "It broke."
    assert str(CascadenceError("It broke.", "line 3", "mend it")).splitlines() == [
        "It broke.",
        "  where: line 3",
        "  mend:  mend it",
    ]
