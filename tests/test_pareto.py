"""Pareto fronts, and which cells of a run are one system with other settings."""

from __future__ import annotations

from typing import Any

import pytest

from cascadence.pareto import pareto_front, turn_taking_series


def cell(name: str, **changes: Any) -> dict[str, Any]:
    """A cell as ``run.json`` tells of it; ``rules`` are those of its turn-taking."""
    rules = {"silence_s": 0.5, "end": "silence", **changes.pop("rules", {})}
    info = {"name": "cascade", "parameters": {"llm": "policy", "turn_taking": rules}}
    return {"name": name, "system": "cascade", "corpus": {"corpus": "a"}, "info": info, **changes}


def silences(*seconds: float) -> list[dict[str, Any]]:
    return [cell(f"s{silence_s}", rules={"silence_s": silence_s}) for silence_s in seconds]


def test_the_front_is_what_nothing_beats_in_both() -> None:
    quick, middle, slow, bad = (0.4, 0.5), (0.7, 0.1), (1.2, 0.0), (0.9, 0.2)
    assert pareto_front([slow, quick, bad, middle]) == (True, True, False, True)


def test_as_good_in_one_and_worse_in_the_other_is_beaten() -> None:
    assert pareto_front([(0.5, 0.1), (0.5, 0.2), (0.6, 0.1)]) == (True, False, False)


def test_points_in_one_place_are_all_on_the_front_or_none() -> None:
    assert pareto_front([(0.5, 0.1), (0.5, 0.1)]) == (True, True)
    assert pareto_front([(0.5, 0.1), (0.4, 0.1), (0.5, 0.1)]) == (False, True, False)


def test_what_is_not_known_in_both_is_on_no_front_and_beats_nothing() -> None:
    assert pareto_front([None, (0.5, 0.1), None]) == (False, True, False)
    assert pareto_front([]) == ()


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not a number"):
        pareto_front([(0.5, 0.1), (float("nan"), 0.0)])


def test_settings_of_one_system_come_in_order_of_the_silence() -> None:
    (series,) = turn_taking_series(silences(1, 0.2, 0.5))
    assert series.cells == ("s0.2", "s0.5", "s1")
    assert series.settings == {
        "s0.2": {"silence_s": 0.2},
        "s0.5": {"silence_s": 0.5},
        "s1": {"silence_s": 1},
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"system": "other"},
        {"corpus": {"corpus": "b"}},
        {"condition": {"name": "babble"}},
        {"clock": "real_time"},
        {"info": {"name": "cascade", "parameters": {"llm": "x", "turn_taking": {"silence_s": 1}}}},
        {"info": {"name": "cascade", "parameters": {"llm": "policy"}}},
        {"info": {}},
        {"info": None},
    ],
)
def test_whatever_else_differs_is_another_system(changes: dict[str, Any]) -> None:
    cells = [*silences(0.2, 0.5), cell("other", **changes)]
    first, second = turn_taking_series(cells)
    assert first.cells == ("s0.2", "s0.5")
    assert (second.cells, second.settings) == (("other",), {"other": {}})


def test_systems_that_tell_no_rules_are_not_joined() -> None:
    cells = [cell("one", info={}), cell("other", info={})]
    assert [series.cells for series in turn_taking_series(cells)] == [("one",), ("other",)]


def test_other_rules_are_settings_too_and_come_after_the_silence() -> None:
    cells = [
        cell("own", rules={"end": "own", "vad": "energy", "vad_revision": "2"}),
        cell("silence", rules={"vad": "silero", "vad_revision": "1"}),
        cell("long", rules={"silence_s": 0.9, "vad": "silero", "vad_revision": "1"}),
    ]
    (series,) = turn_taking_series(cells)
    assert series.cells == ("own", "silence", "long")
    assert list(series.settings["long"].items()) == [
        ("silence_s", 0.9),
        ("end", "silence"),
        ("vad", "silero"),
    ]
    assert series.settings["own"] == {"silence_s": 0.5, "end": "own", "vad": "energy"}
