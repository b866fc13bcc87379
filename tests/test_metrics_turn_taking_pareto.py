import pytest

from cascadence.measurement import Measurement, censored, ratio, skipped, value
from cascadence.metrics.turn_taking_pareto import endpointing_points, silence_thresholds_s
from cascadence.results import Row

GRID = {"slow": 1.0, "quick": 0.2, "middle": 0.5, "bad": 0.7}


def rows(cell: str, cut_off: int, gaps_s: list[float | None], turns: int = 10) -> list[Row]:
    """``cut_off`` of the turns are cut off; a gap that is ``None`` never came within 10 s."""

    def row(number: int, metric: str, measurement: Measurement) -> Row:
        place = measurement.on_turn(0)
        return Row(cell, f"c{number}", 0, metric, f"{metric}@1", "f", place)

    cuts = [row(n, "cutoff_rate", ratio(n < cut_off, 1)) for n in range(turns)]
    gaps = [
        row(n, "response_gap_s", censored(10.0) if gap_s is None else value(gap_s))
        for n, gap_s in enumerate(gaps_s)
    ]
    return cuts + gaps


def planted() -> list[Row]:
    return [
        *rows("slow", 0, [1.2] * 9 + [None]),
        *rows("quick", 5, [0.4] * 10),
        *rows("middle", 1, [0.7] * 10),
        # Beaten in both by the middle one.
        *rows("bad", 2, [0.9] * 10),
        *rows("another system", 0, [0.1] * 10),
        Row("quick", "c0", 0, "rtf", "rtf@1", "f", ratio(1, 2)),
    ]


def test_planted_points_come_back_in_order_of_the_threshold() -> None:
    points = endpointing_points(planted(), GRID)
    assert [p.cell for p in points] == ["quick", "middle", "bad", "slow"]
    assert [p.silence_s for p in points] == [0.2, 0.5, 0.7, 1.0]
    assert [p.cutoff_rate.value for p in points] == [0.5, 0.1, 0.2, 0.0]
    assert [p.gap_s.value for p in points] == pytest.approx([0.4, 0.7, 0.9, 1.2])
    assert [p.turns for p in points] == [10, 10, 10, 10]


def test_the_front_is_what_nothing_beats_in_both() -> None:
    points = endpointing_points(planted(), GRID)
    assert {p.cell: p.on_front for p in points} == {
        "quick": True,
        "middle": True,
        "bad": False,
        "slow": True,
    }


def test_equal_points_are_both_on_the_front() -> None:
    equal = [*rows("one", 1, [0.5] * 10), *rows("other", 1, [0.5] * 10)]
    assert all(p.on_front for p in endpointing_points(equal, {"one": 0.3, "other": 0.4}))


def test_points_have_intervals_by_contrast_set() -> None:
    (by_conversation,) = endpointing_points(rows("quick", 5, [0.4] * 10), {"quick": 0.2})
    sets = {f"c{n}": f"g{n // 5}" for n in range(10)}
    (by_set,) = endpointing_points(rows("quick", 5, [0.4] * 10), {"quick": 0.2}, sets)
    low, high = by_conversation.cutoff_rate.low, by_conversation.cutoff_rate.high
    assert low is not None
    assert high is not None
    assert 0.0 < low < 0.5 < high < 1.0
    # Both sets are all or nothing: two clusters bound next to nothing.
    assert (by_set.cutoff_rate.low, by_set.cutoff_rate.high) == (0.0, 1.0)


def test_who_answers_less_than_half_has_no_median_and_is_not_on_the_front() -> None:
    (point,) = endpointing_points(rows("slow", 0, [1.2] * 4 + [None] * 6), {"slow": 1.0})
    assert (point.gap_s.value, point.turns, point.on_front) == (None, 10, False)


def test_cells_without_measurements_are_left_out() -> None:
    nothing = Row("slow", "c0", 0, "cutoff_rate", "cutoff_rate@1", "f", skipped("no judge"))
    assert endpointing_points([nothing], {"slow": 1.0, "quick": 0.2}) == ()


def test_thresholds_are_read_from_the_runs_cells() -> None:
    def cell(name: str, **parameters: object) -> dict[str, object]:
        return {"name": name, "info": {"parameters": parameters}}

    cells = [
        cell("a", turn_taking={"silence_s": 0.5, "end": "silence"}),
        cell("b", turn_taking={"silence_s": 1}),
        cell("listens itself", turn_taking={"silence_s": 0.9, "end": "own"}),
        cell("has none"),
        {"name": "broken", "info": {}},
    ]
    assert silence_thresholds_s(cells) == {"a": 0.5, "b": 1.0}
