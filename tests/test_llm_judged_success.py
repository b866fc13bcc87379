"""Success as an LLM judge sees it: what becomes of its verdicts, and of what it must not tell."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cascadence.conversation import Aside, Expect
from cascadence.corpus import open_corpus
from cascadence.measurement import Ratio
from cascadence.metrics.llm_judge import EARLIER_TURNS, LlmJudge, llm_judged_success
from cascadence.metrics.task import task_success
from cascadence.results import Row
from cascadence.run_directory import RunDirectory
from cascadence.scoring import CachedTools, score
from planted_cases import Planted, Spoken, case_of, hears, measured, numbers
from planted_endpoint import INJECTION, KEY, Answer, Server, completion, judging, verdict
from planted_run import plant_run


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with judging(monkeypatch) as made:
        yield made


def answers(**verdicts: str) -> Planted:
    """Hears nothing but "yes"; judges by the request."""
    tools = hears("yes")
    tools.answers["llm_judge"] = lambda question: {  # type: ignore[assignment]
        "verdict": verdicts[question["request"]],  # type: ignore[index]
        "reason": "",
    }
    return tools


def test_verdicts_become_shares() -> None:
    case = case_of(
        Spoken(0.0, 1.0, text="one"),
        Spoken(3.0, 4.0, text="two"),
        Spoken(6.0, 7.0, text="three"),
        Spoken(9.0, 10.0, text="four"),
        system=[(1.5, 2.5), (4.5, 5.5), (7.5, 8.5)],
    )
    tools = answers(one="fulfilled", two="partly", three="unfulfilled")
    found = measured(llm_judged_success, case, tools)
    assert [m.quantity for m in found] == [Ratio(1, 1), Ratio(0.5, 1), Ratio(0, 1), Ratio(0, 1)]
    assert found[3].details == {
        "verdict": "unfulfilled",
        "reason": "no reply was heard",
        "requests": 0,
    }
    asked = [about for name, about in tools.asked if name == "llm_judge"]
    assert [about["request"] for about in asked] == ["one", "two", "three"]  # type: ignore[index]
    assert asked[2]["conversation"] == [  # type: ignore[index]
        {"user": "one", "assistant": "yes"},
        {"user": "two", "assistant": "yes"},
    ]


def test_only_the_last_turns_are_told() -> None:
    spoken = [Spoken(2.0 * i, 2.0 * i + 0.5, text=f"t{i}") for i in range(11)]
    system = [(2.0 * i + 1.0, 2.0 * i + 1.5) for i in range(11)]
    tools = answers(**{f"t{i}": "fulfilled" for i in range(11)})
    measured(llm_judged_success, case_of(*spoken, system=system, duration_s=24.0), tools)
    last = tools.asked[-1][1]["conversation"]  # type: ignore[index]
    assert [one["user"] for one in last] == [f"t{i}" for i in range(10 - EARLIER_TURNS, 10)]


def test_turns_that_expect_no_reply_are_left_out() -> None:
    case = case_of(
        Spoken(0.0, 1.0, text="one"),
        Spoken(3.0, 4.0, when=Aside()),
        Spoken(6.0, 7.0, expect=Expect(stay_silent=True)),
        system=[(1.5, 2.5), (4.5, 5.5), (7.5, 8.5)],
    )
    assert numbers(measured(llm_judged_success, case, answers(one="partly"))) == [0.5]


def test_a_failure_costs_its_turn_alone(server: Server) -> None:
    case = case_of(Spoken(0.0, 1.0), Spoken(4.0, 5.0), system=[(1.5, 2.5), (5.5, 6.5)])
    tools = hears("yes")
    tools.answers["llm_judge"] = LlmJudge(wait=lambda _: None)  # type: ignore[assignment]
    server.answers = [completion(INJECTION), completion(INJECTION), verdict()]
    broken, fine = measured(llm_judged_success, case, tools)
    assert (broken.status, broken.quantity, broken.turn) == ("failed", None, 0)
    assert broken.details["prompt_tokens"] == 400
    assert fine.quantity == Ratio(1, 1)


class Hears:
    """A judge ASR."""

    version = "planted"

    def __call__(self, about: Any) -> dict[str, Any]:
        return {"text": INJECTION, "words": []}


class Quiet:
    def scoring(self, done: int, total: int, what: str) -> None: ...


def scored(path: Path, tools: CachedTools) -> list[Row]:
    directory = RunDirectory(path)
    cells = {
        cell["name"]: open_corpus(cell["corpus_path"]) for cell in directory.read_run()["cells"]
    }
    with directory:
        found = score(directory, cells, [llm_judged_success, task_success], tools, Quiet())
    return [row for row in found if row.metric == "llm_judged_success"]


@pytest.mark.parametrize("trouble", [None, 500, 401])
def test_the_key_and_the_address_are_never_written(
    server: Server,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    trouble: int | None,
) -> None:
    echoed = json.dumps({"verdict": "partly", "reason": f"the key is {KEY}"})
    server.answers = [completion(echoed, model=KEY)]
    if trouble is not None:
        server.answers = [Answer(KEY, trouble, {"X-Key": KEY})]
    path = plant_run(tmp_path / "planted", measured=False)
    judge = LlmJudge(wait=lambda _: None)
    tools = CachedTools(path / "cache", {"judge_asr": Hears(), "llm_judge": judge})
    statuses = {row.measurement.status for row in scored(path, tools)}
    assert statuses >= ({"ok"} if trouble is None else {"failed"})
    assert server.requests
    assert KEY in server.requests[0][1]["Authorization"]
    written = [file.read_bytes() for file in path.rglob("*") if file.is_file()]
    assert any(b"llm_judged_success" in content for content in written)
    heard = "".join(capfd.readouterr()) + caplog.text
    for secret in (KEY, "127.0.0.1", server.url):
        assert not any(secret.encode() in content for content in written)
        assert secret not in heard


def test_a_run_without_a_judge_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    path = plant_run(tmp_path / "planted", measured=False)
    asr = {"judge_asr": Hears()}
    with monkeypatch.context() as without:
        without.delenv("CASCADENCE_JUDGE_URL")
        rows = scored(path, CachedTools(path / "cache", asr))
        played = [row for row in rows if row.measurement.status != "failed"]
        assert {row.measurement.status for row in played} == {"skipped"}
        assert all("CASCADENCE_JUDGE_URL" in row.measurement.reason for row in played)
        assert server.requests == []
    rows = scored(path, CachedTools(path / "cache", asr))
    assert "ok" in {row.measurement.status for row in rows}
    assert any("llm_judge:planted/judge-7b/prompt-1-" in row.signature for row in rows)
