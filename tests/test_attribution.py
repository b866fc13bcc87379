"""Who broke it: planted games come back with their known Shapley shares, and shares add up."""

import itertools
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascadence.attribution import Attribution, attribute, attribute_corpus, deferring, place_of
from cascadence.attribution_game import all_coalitions, coalition_name, shapley
from cascadence.estimators import Observation
from cascadence.measurement import (
    Censored,
    Measurement,
    MetricSpec,
    Ratio,
    Value,
    censored,
    failed,
    ratio,
    skipped,
    value,
)

STAGES = ("asr", "llm", "tts")
ALL = all_coalitions(STAGES)
Stages = frozenset[str]


def spec(direction: str = "higher", summary: str = "ratio", **changes: object) -> MetricSpec:
    about = {"range": (0.0, 1.0), "level": "turn", **changes}
    return MetricSpec("m", "task", "ratio", direction=direction, summary=summary, **about)  # type: ignore[arg-type]


def game(worth: Callable[[Stages], float], stages: Sequence[str] = STAGES) -> np.ndarray:
    """The values of all coalitions, in the order of `shapley`."""
    return np.array([worth(chosen) for chosen in all_coalitions(stages)])


def by_orders(worth: Callable[[Stages], float], stages: Sequence[str]) -> list[float]:
    """Shapley values by their definition: gains averaged over all orders."""
    orders = list(itertools.permutations(stages))
    gains = dict.fromkeys(stages, 0.0)
    for order in orders:
        for place, stage in enumerate(order):
            before = frozenset(order[:place])
            gains[stage] += (worth(before | {stage}) - worth(before)) / len(orders)
    return [gains[stage] for stage in stages]


def observed(
    measure: Callable[[Stages, int], Measurement], count: int
) -> dict[Stages, list[Observation]]:
    """A measurement of every conversation in every coalition, each conversation a cluster."""
    return {
        chosen: [
            Observation(f"c{i}", measure(chosen, i).on_turn(0), f"c{i}/0") for i in range(count)
        ]
        for chosen in ALL
    }


def shares(found: Attribution) -> dict[str, float]:
    assert not found.reason
    return {one.stage: one.share.value for one in found.shares if one.share.value is not None}


def lost(found: Attribution) -> float:
    assert found.loss is not None
    assert found.loss.value is not None
    return found.loss.value


def test_an_additive_game_gives_each_player_its_own() -> None:
    own = {"asr": 0.3, "llm": -0.1, "tts": 0.05}
    values = game(lambda chosen: 0.4 + sum(own[stage] for stage in chosen))
    assert shapley(values) == pytest.approx(list(own.values()), abs=1e-12)


def test_interactions_are_shared_as_by_hand() -> None:
    # The glove game: one left glove (tts), two right ones; a pair is worth 1.
    values = game(lambda chosen: float("tts" in chosen and len(chosen) > 1))
    assert shapley(values) == pytest.approx([1 / 6, 1 / 6, 4 / 6], abs=1e-12)
    # Unanimity: nothing works until asr and llm are both mended; they share it equally.
    values = game(lambda chosen: float({"asr", "llm"} <= chosen))
    assert shapley(values) == pytest.approx([1 / 2, 1 / 2, 0.0], abs=1e-12)


@pytest.mark.parametrize("players", [1, 2, 3, 4, 5])
def test_it_is_the_mean_gain_over_all_orders(players: int) -> None:
    stages = [f"s{i}" for i in range(players)]
    random = np.random.default_rng(players)
    worth = {chosen: random.normal() for chosen in all_coalitions(stages)}
    expected = by_orders(worth.__getitem__, stages)
    assert shapley(game(worth.__getitem__, stages)) == pytest.approx(expected, abs=1e-12)


def test_a_number_of_coalitions_that_no_game_has_is_refused() -> None:
    for count in (0, 3, 6):
        with pytest.raises(ValueError, match="coalitions"):
            shapley(np.zeros(count))


def test_coalitions_are_named_in_the_stages_order() -> None:
    names = [coalition_name(STAGES, chosen) for chosen in ALL]
    assert names == ["", "asr", "llm", "asr+llm", "tts", "asr+tts", "llm+tts", "asr+llm+tts"]


FAULTS: Sequence[set[str]] = [
    *([{"asr"}] * 6),
    *([{"llm"}] * 3),
    *([{"tts"}] * 2),
    *([{"asr", "llm"}] * 2),
    {"asr", "tts"},
    {"asr", "llm", "tts"},
    *([set()] * 15),
]
"""Which stages fail in which of 30 conversations: lost until all of these are mended."""


def succeeds(chosen: Stages, conversation: int) -> Measurement:
    return ratio(FAULTS[conversation] <= chosen, 1)


def test_a_lost_conversation_is_shared_by_the_stages_that_failed_in_it() -> None:
    found = attribute(spec(), STAGES, observed(succeeds, len(FAULTS)))
    expected = {
        stage: sum(1 / len(faults) for faults in FAULTS if stage in faults) / len(FAULTS)
        for stage in STAGES
    }
    assert shares(found) == pytest.approx(expected, abs=1e-12)
    assert lost(found) == pytest.approx(0.5, abs=1e-12)
    assert found.values[""] == pytest.approx(0.5)
    assert found.values["asr+llm+tts"] == 1.0
    assert (found.n, found.clusters, found.left_out, found.failed) == (30, 30, 0, 0)
    alone = {one.stage: one.alone for one in found.shares}
    assert alone == pytest.approx({"asr": 6 / 30, "llm": 3 / 30, "tts": 2 / 30}, abs=1e-12)


def test_where_lower_is_better_what_is_added_is_lost() -> None:
    def errors(chosen: Stages, conversation: int) -> Measurement:
        # Of 10 words in the even conversations and 30 in the others, 2 and 9 are misheard.
        words = 10 if conversation % 2 == 0 else 30
        return ratio(0 if "asr" in chosen else words // 10 * 3 - (conversation % 2 == 0), words)

    found = attribute(spec("lower", range=(0.0, float("inf"))), STAGES, observed(errors, 8))
    assert lost(found) == pytest.approx(11 / 40, abs=1e-12)
    assert shares(found) == pytest.approx({"asr": 11 / 40, "llm": 0.0, "tts": 0.0}, abs=1e-12)


def test_waiting_times_are_restricted_means_in_every_coalition() -> None:
    compute_s = {"asr": 0.5, "llm": 0.2, "tts": 0.1}

    def gap(chosen: Stages, conversation: int) -> Measurement:
        if conversation == 0 and "asr" not in chosen:
            return censored(10.0)
        return value(0.6 + sum(s for stage, s in compute_s.items() if stage not in chosen))

    waits = spec("lower", "survival", range=(-60.0, 600.0))
    found = attribute(waits, STAGES, observed(gap, 4))
    assert found.statistic == "restricted_mean"
    # By hand: conversation 0 waits 10 s until the ASR is mended, the other three add up.
    missing = game(
        lambda chosen: (
            -sum(s for stage, s in compute_s.items() if stage not in chosen)
            if "asr" in chosen
            else 0.6 - 10.0
        )
    )
    expected = 0.75 * np.array(list(compute_s.values())) + 0.25 * shapley(missing)
    assert list(shares(found).values()) == pytest.approx(expected.tolist(), abs=1e-9)


def test_medians_are_played_as_medians() -> None:
    def wait(chosen: Stages, conversation: int) -> Measurement:
        return value(conversation + (0.0 if "llm" in chosen else 100.0 * (conversation == 3)))

    found = attribute(spec("lower", "median", range=(0.0, 1e9)), STAGES, observed(wait, 7))
    assert found.statistic == "median"
    # One slow conversation moves the median of seven from 3 to 4, not by a hundredth of a mean.
    assert lost(found) == pytest.approx(1.0)
    assert shares(found)["llm"] == pytest.approx(1.0)


def test_only_what_every_coalition_has_is_used_and_the_rest_is_counted() -> None:
    coalitions = observed(succeeds, len(FAULTS))
    asr = frozenset({"asr"})
    coalitions[asr][0] = Observation("c0", failed("broke"), "c0/0")
    coalitions[asr][1] = Observation("c1", skipped("does not apply").on_turn(0), "c1/0")
    del coalitions[frozenset({"tts"})][2]
    found = attribute(spec(), STAGES, coalitions)
    rest = {chosen: side[3:] for chosen, side in observed(succeeds, len(FAULTS)).items()}
    assert shares(found) == pytest.approx(shares(attribute(spec(), STAGES, rest)), abs=1e-12)
    assert (found.n, found.left_out, found.failed) == (27, 3, 1)


def test_repeats_and_turns_are_paired_with_their_own() -> None:
    def sides(chosen: Stages, order: int) -> list[Observation]:
        found = [
            Observation("c0", ratio((i + t) % 2 or "llm" in chosen, 1).on_turn(t), f"c0/{i}")
            for i, t in itertools.product(range(3), range(2))
        ]
        return found[::order]

    found = attribute(
        spec(), STAGES, {chosen: sides(chosen, 1 if chosen else -1) for chosen in ALL}
    )
    assert (found.n, found.clusters) == (6, 1)
    assert shares(found) == pytest.approx({"asr": 0.0, "llm": 0.5, "tts": 0.0}, abs=1e-12)
    assert found.loss is not None
    assert found.loss.low is None, "one cluster bounds nothing"


def test_a_coalition_without_values_is_named() -> None:
    coalitions = observed(succeeds, 5)
    del coalitions[frozenset({"asr", "llm"})]
    found = attribute(spec(), STAGES, coalitions)
    assert found.reason == "no value with oracles for asr+llm"
    assert (found.loss, found.shares, found.n, found.left_out) == (None, (), 0, 5)
    nothing = {chosen: [Observation("c", skipped("no reply"), "c/0")] for chosen in ALL}
    assert attribute(spec(), STAGES, nothing).reason == "no value without oracles: no reply"


@pytest.mark.parametrize(
    ("wrong", "stages", "what"),
    [
        (spec("neither"), STAGES, "no better direction"),
        (spec(level="corpus"), STAGES, "attribute_corpus"),
        (spec(), (), "stages"),
        (spec(), tuple("abcdefghijk"), "stages"),
    ],
)
def test_what_cannot_be_shared_out_is_refused(
    wrong: MetricSpec, stages: Sequence[str], what: str
) -> None:
    with pytest.raises(ValueError, match=what):
        attribute(wrong, stages, {})


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """100 corpora of 40 conversations; each stage fails in its own share of them."""
    rates = {"asr": 0.25, "llm": 0.15, "tts": 0.1}
    truth = {
        stage: sum(
            np.prod([rates[s] if s in faults else 1 - rates[s] for s in STAGES]) / len(faults)
            for faults in ALL
            if stage in faults
        )
        for stage in STAGES
    }
    covered = dict.fromkeys(STAGES, 0)
    for seed in range(100):
        random = np.random.default_rng(seed)
        faults = [{s for s in STAGES if random.random() < rates[s]} for _ in range(40)]
        coalitions = observed(lambda chosen, i, f=faults: ratio(f[i] <= chosen, 1), 40)  # type: ignore[misc]
        found = attribute(spec(), STAGES, coalitions, resamples=400)
        for one in found.shares:
            assert one.share.low is not None
            assert one.share.high is not None
            covered[one.stage] += bool(one.share.low <= truth[one.stage] <= one.share.high)
    # Of 100 at 95 %, fewer than 88 or so has a probability under 1 in 1000.
    assert min(covered.values()) >= 88


def test_the_same_measurements_give_the_same_intervals() -> None:
    first, again = (attribute(spec(), STAGES, observed(succeeds, 30), "x") for _ in range(2))
    assert first == again
    assert first != attribute(spec(), STAGES, observed(succeeds, 30), "y")


def test_a_share_that_no_conversation_shows_is_not_surely_0() -> None:
    found = attribute(spec(), STAGES, observed(lambda chosen, i: ratio(1, 1), 10))
    share = found.shares[0].share
    assert share.value == 0.0
    # Wilson's interval of 0 in 10.
    assert share.high == pytest.approx(0.2775, abs=1e-3)
    assert share.low == pytest.approx(-0.2775, abs=1e-3)


finite = st.floats(-1e3, 1e3, allow_nan=False)
values = st.builds(lambda x: Measurement("ok", Value(x)), finite)
ratios = st.builds(lambda a, b: Measurement("ok", Ratio(a, b)), finite, st.floats(0.5, 1e3))
waits = st.one_of(values, st.builds(lambda x: Measurement("ok", Censored(x)), st.floats(0, 1e3)))
kinds = st.sampled_from(
    [("mean", values), ("ratio", ratios), ("median", values), ("survival", waits), ("mean", waits)]
)


@settings(max_examples=150, deadline=None)
@given(kinds, st.sampled_from(["higher", "lower"]), st.integers(1, 6), st.data())
def test_shares_add_up_to_the_loss(
    kind: tuple[str, st.SearchStrategy[Measurement]],
    direction: str,
    count: int,
    data: st.DataObject,
) -> None:
    summary, measurements = kind
    coalitions = observed(lambda chosen, i: data.draw(measurements), count)
    about = spec(direction, summary, range=(-1e9, 1e9))
    found = attribute(about, STAGES, coalitions, resamples=20)
    assert sum(shares(found).values()) == pytest.approx(lost(found), abs=1e-9)
    sign = 1.0 if direction == "higher" else -1.0
    ends = found.values["asr+llm+tts"] - found.values[""]
    assert lost(found) == pytest.approx(sign * ends, abs=1e-9)


def corpus_values(
    worth: Callable[[Stages], float], half: float | None = 0.1, n: int = 12
) -> dict[Stages, Measurement]:
    found = {}
    for chosen in ALL:
        x = worth(chosen)
        interval = None if half is None else (x - half, x + half)
        found[chosen] = Measurement("ok", Value(x), interval=interval, n=n)
    return found


STYLE = spec(summary="mean", level="corpus", range=(-9.0, 9.0))


def test_a_corpus_metric_is_shared_out_by_its_cells_values() -> None:
    own = {"asr": 0.2, "llm": 0.7, "tts": 0.0}
    values = corpus_values(lambda chosen: sum(own[stage] for stage in chosen))
    found = attribute_corpus(STYLE, STAGES, values)
    assert shares(found) == pytest.approx(own, abs=1e-12)
    assert lost(found) == pytest.approx(0.9, abs=1e-12)
    assert (found.statistic, found.n) == ("corpus", 12)
    # The loss is a difference of two values, so its half-width is that of one, times root 2.
    assert found.loss is not None
    assert found.loss.high == pytest.approx(0.9 + 0.1 * np.sqrt(2))
    # A share has the weights 1/3, 1/6, 1/6 and 1/3, each for a gain and a loss.
    half = 0.1 * np.sqrt(2 * (1 / 9 + 1 / 36 + 1 / 36 + 1 / 9))
    assert found.shares[0].share.low == pytest.approx(0.2 - half)


def test_a_corpus_metric_needs_every_coalition() -> None:
    values: dict[Stages, Measurement] = corpus_values(lambda chosen: 1.0)
    values[frozenset({"llm"})] = skipped("no replies to compare")
    found = attribute_corpus(STYLE, STAGES, values)
    assert found.reason == "no value with oracles for llm: no replies to compare"
    assert (found.loss, found.left_out, found.failed) == (None, 7, 0)
    values[frozenset({"llm"})] = failed("broke")
    assert attribute_corpus(STYLE, STAGES, values).failed == 1
    bare = attribute_corpus(STYLE, STAGES, corpus_values(lambda chosen: 1.0, half=None))
    assert bare.loss is not None
    assert bare.loss.low is None


def test_a_corpus_metrics_interval_covers_cells_that_err_alike() -> None:
    """What the cells share cancels: the interval is too wide rather than too narrow."""
    covered = 0
    for seed in range(300):
        random = np.random.default_rng(seed)
        common, own = random.normal(0.0, 0.08), random.normal(0.0, 0.06, len(ALL))
        # Each cell's own interval is right: its errors have a standard deviation of 0.1.
        errors = dict(zip(ALL, common + own, strict=True))
        values = corpus_values(lambda chosen, e=errors: len(chosen) + e[chosen], 0.196)  # type: ignore[misc]
        share = attribute_corpus(STYLE, STAGES, values).shares[0].share
        assert share.low is not None
        assert share.high is not None
        covered += share.low <= 1.0 <= share.high
    assert covered >= 0.95 * 300


def test_an_oracle_that_was_told_something_wrong_counts_as_the_stage_itself() -> None:
    # In conversation 0 the ASR mishears, and nothing else is wrong.
    def looked_up(chosen: Stages, conversation: int) -> Measurement:
        return ratio(bool(conversation) or bool({"asr", "llm"} & chosen), 1)

    coalitions = observed(looked_up, 2)
    plain = shares(attribute(spec(), STAGES, coalitions))
    assert plain == pytest.approx({"asr": 0.25, "llm": 0.25, "tts": 0.0})
    misled: Mapping[Stages, frozenset[tuple[str, str, int | None]]] = {
        chosen: frozenset() if "asr" in chosen else frozenset({("c0", "c0/0", 0)}) for chosen in ALL
    }
    changed = deferring(coalitions, "llm", misled)
    assert shares(attribute(spec(), STAGES, changed)) == pytest.approx(
        {"asr": 0.5, "llm": 0.0, "tts": 0.0}
    )
    for chosen in ALL:
        assert sorted(map(place_of, changed[chosen])) == sorted(map(place_of, coalitions[chosen]))
    assert deferring(coalitions, "llm", {}) == coalitions
