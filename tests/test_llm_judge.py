"""The LLM judge against a server on this machine that answers as planted."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from cascadence.measurement import ToolUnavailable
from cascadence.metrics import chat_completions, llm_judge
from cascadence.metrics.chat_completions import ChatEndpoint
from cascadence.metrics.llm_judge import PROMPT, JudgeFailed, LlmJudge, read_verdict
from cascadence.scoring import CachedTools
from planted_endpoint import (
    INJECTION,
    KEY,
    QUESTION,
    Answer,
    Server,
    completion,
    judging,
    verdict,
)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with judging(monkeypatch) as made:
        yield made


@pytest.fixture
def waits() -> list[float]:
    return []


@pytest.fixture
def judge(server: Server, waits: list[float]) -> LlmJudge:
    return LlmJudge(timeout_s=5.0, wait=waits.append)


def test_the_verdict_and_what_it_cost_come_back(judge: LlmJudge, server: Server) -> None:
    server.answers = [verdict("partly", "only the timer")]
    assert judge(QUESTION) == {
        "verdict": "partly",
        "reason": "only the timer",
        "served_model": "served-1",
        "requests": 1,
        "prompt_tokens": 200,
        "completion_tokens": 20,
    }
    ((path, headers, body),) = server.requests
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert (body["model"], body["temperature"], body["seed"]) == ("planted/judge-7b", 0, 1)
    assert body["messages"][0] == {"role": "system", "content": PROMPT}
    assert json.loads(body["messages"][1]["content"]) == QUESTION


def test_without_a_key_none_is_sent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CASCADENCE_JUDGE_KEY")
    assert LlmJudge()(QUESTION)["verdict"] == "fulfilled"
    assert "Authorization" not in server.requests[0][1]


def test_the_address_may_hold_the_whole_path(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CASCADENCE_JUDGE_URL", server.url + "/chat/completions")
    LlmJudge()(QUESTION)
    assert server.requests[0][0] == "/v1/chat/completions"


def test_trouble_that_passes_is_waited_for(
    judge: LlmJudge, server: Server, waits: list[float]
) -> None:
    server.answers = [
        Answer("oops", 500),
        Answer("busy", 429, {"Retry-After": "7"}),
        verdict("unfulfilled"),
    ]
    found = judge(QUESTION)
    assert (found["verdict"], found["requests"]) == ("unfulfilled", 1)
    assert waits == [1.0, 7.0]


def test_trouble_that_stays_is_given_up(
    judge: LlmJudge, server: Server, waits: list[float]
) -> None:
    server.answers = [Answer("", 503, {"Retry-After": "9999"}), Answer("", 503)]
    with pytest.raises(JudgeFailed, match="HTTP status 503"):
        judge(QUESTION)
    assert waits == [30.0, 2.0, 4.0]
    assert len(server.requests) == 4


@pytest.mark.parametrize("told", ["nan", "inf", "-5", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_strange_retry_after_counts_for_nothing(
    judge: LlmJudge, server: Server, waits: list[float], told: str
) -> None:
    server.answers = [Answer("", 429, {"Retry-After": told}), verdict()]
    judge(QUESTION)
    assert waits == [1.0]


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_not_repeated(
    judge: LlmJudge, server: Server, waits: list[float], status: int
) -> None:
    server.answers = [Answer(KEY, status)]
    with pytest.raises(JudgeFailed, match=f"HTTP status {status}$"):
        judge(QUESTION)
    assert (len(server.requests), waits) == (1, [])


def test_the_key_follows_no_redirect(judge: LlmJudge, server: Server) -> None:
    other = Server()
    try:
        server.answers = [Answer("", 302, {"Location": other.url})]
        with pytest.raises(JudgeFailed, match="HTTP status 302"):
            judge(QUESTION)
        assert other.requests == []
    finally:
        other.close()


def test_a_server_that_hangs_times_out(server: Server, waits: list[float]) -> None:
    server.answers = [Answer("", hangs=True)]
    with pytest.raises(JudgeFailed, match="timed out"):
        LlmJudge(timeout_s=0.1, wait=waits.append)(QUESTION)
    assert waits == [1.0, 2.0, 4.0]


def test_a_server_that_drips_times_out(
    judge: LlmJudge, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = count(0.0, 6.0)  # past the limit of 5 s at every second look
    monkeypatch.setattr(chat_completions, "monotonic", lambda: next(ticks))
    with pytest.raises(JudgeFailed, match="timed out"):
        judge(QUESTION)
    assert len(server.requests) == 4


def test_a_dead_endpoint_is_left_alone(judge: LlmJudge, server: Server, waits: list[float]) -> None:
    server.answers = [Answer("", 401)] * 2 + [verdict()] + [Answer("", 401)]
    for _ in range(2):
        with pytest.raises(JudgeFailed, match="401"):
            judge(QUESTION)
    assert judge(QUESTION)["verdict"] == "fulfilled"  # counting begins anew
    for _ in range(3):
        with pytest.raises(JudgeFailed, match="401"):
            judge(QUESTION)
    with pytest.raises(JudgeFailed, match="not asked again"):
        judge(QUESTION)
    assert len(server.requests) == 6


GARBAGE = {
    "prose": "The reply is good.",
    "an injected verdict with more around it": f"{INJECTION} yes",
    "two objects": '{"verdict": "fulfilled", "reason": ""} {"verdict": "partly", "reason": ""}',
    "a key twice": '{"verdict": "unfulfilled", "verdict": "fulfilled", "reason": ""}',
    "another scale": '{"verdict": "excellent", "reason": ""}',
    "a number": '{"verdict": 1, "reason": ""}',
    "a list": '{"verdict": ["fulfilled"], "reason": ""}',
    "no reason": '{"verdict": "fulfilled"}',
    "a reason that is none": '{"verdict": "fulfilled", "reason": null}',
    "more than asked": '{"verdict": "fulfilled", "reason": "", "score": 5}',
    "nothing": "",
    "a fence alone": "```",
    "deep": "[" * 100_000,
    "a huge number": "9" * 10_000,
}


@pytest.mark.parametrize("name", GARBAGE)
def test_what_is_no_verdict_is_asked_for_once_more(
    judge: LlmJudge, server: Server, name: str
) -> None:
    server.answers = [completion(GARBAGE[name])]
    with pytest.raises(JudgeFailed, match="the judge's answer") as caught:
        judge(QUESTION)
    assert len(server.requests) == 2
    assert caught.value.spent == {
        "requests": 2,
        "prompt_tokens": 400,
        "completion_tokens": 40,
    }
    server.answers = [completion(GARBAGE[name]), verdict("partly")]
    found = judge(QUESTION)
    assert (found["verdict"], found["requests"], found["prompt_tokens"]) == ("partly", 2, 400)


@pytest.mark.parametrize("fence", ["```json\n{}\n```", "```\n{}```", "  {}\n"])
def test_a_fence_is_forgiven(fence: str) -> None:
    told = '{"verdict": "partly", "reason": "r"}'
    assert read_verdict(fence.replace("{}", told)) == ({"verdict": "partly", "reason": "r"}, "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"choices"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"choices": []}',
        b'{"choices": {}}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": [{"message": {"content": null}}]}',
        b'{"choices": [{"message": {"content": [1]}}]}',
        b'{"choices": [' + b" " * (1 << 20) + b"]}",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_what_is_no_completion_is_a_failure(judge: LlmJudge, server: Server, body: bytes) -> None:
    server.answers = [Answer(body)]
    with pytest.raises(JudgeFailed, match="the judge's endpoint"):
        judge(QUESTION)


@pytest.mark.parametrize(
    "usage", [None, [], {}, {"prompt_tokens": -1}, {"prompt_tokens": "9"}, {"prompt_tokens": True}]
)
def test_unknown_costs_are_not_zero(judge: LlmJudge, server: Server, usage: Any) -> None:
    content = '{"verdict": "fulfilled", "reason": ""}'
    server.answers = [completion(content, usage=usage, model=7)]
    found = judge(QUESTION)
    assert (found["requests"], found["prompt_tokens"]) == (1, None)
    assert (found["completion_tokens"], found["served_model"]) == (None, "")


def test_a_transcript_stays_quoted(judge: LlmJudge, server: Server) -> None:
    judge({**QUESTION, "reply": INJECTION})
    system, user = server.requests[0][2]["messages"]
    assert system["content"] == PROMPT
    assert json.loads(user["content"]) == {**QUESTION, "reply": INJECTION}
    assert INJECTION not in user["content"]
    assert len(server.requests[0][2]["messages"]) == 2


def test_long_speech_is_cut(judge: LlmJudge, server: Server) -> None:
    judge({**QUESTION, "reply": "word " * 10_000})
    sent = json.loads(server.requests[0][2]["messages"][1]["content"])
    assert sent["reply"] == ("word " * 800) + " [cut]"


def test_a_hostile_reason_is_fit_for_a_file(
    judge: LlmJudge, server: Server, tmp_path: Path
) -> None:
    reason = f"a\x00b\n\x1b[31m\ud800 {KEY} " + "x" * 5_000
    server.answers = [completion(json.dumps({"verdict": "partly", "reason": reason}), model=KEY)]
    tools = CachedTools(tmp_path, {"llm_judge": judge})
    found = tools.use("llm_judge", QUESTION)
    assert found["reason"].startswith("a b [31m [key] xxx")
    assert len(found["reason"]) == 400
    assert found["served_model"] == "[key]"


def test_answers_are_cached_by_question_and_version(
    judge: LlmJudge, server: Server, tmp_path: Path
) -> None:
    first = CachedTools(tmp_path, {"llm_judge": judge}).use("llm_judge", QUESTION)
    again = CachedTools(tmp_path, {"llm_judge": judge})
    assert again.use("llm_judge", dict(reversed(QUESTION.items()))) == first
    assert len(server.requests) == 1
    again.use("llm_judge", {**QUESTION, "reply": "no"})
    assert len(server.requests) == 2
    judge.version += "/another"
    again.use("llm_judge", QUESTION)
    assert len(server.requests) == 3


def test_failures_are_not_cached(judge: LlmJudge, server: Server, tmp_path: Path) -> None:
    tools = CachedTools(tmp_path, {"llm_judge": judge})
    server.answers = [Answer("", 404), verdict("partly")]
    with pytest.raises(JudgeFailed):
        tools.use("llm_judge", QUESTION)
    assert tools.use("llm_judge", QUESTION)["verdict"] == "partly"


def test_a_question_must_be_json(judge: LlmJudge, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        CachedTools(tmp_path, {"llm_judge": judge}).use("llm_judge", {"x": float("nan")})


def test_the_version_names_model_and_prompt_and_no_address(
    judge: LlmJudge, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert judge.version.startswith("planted/judge-7b/prompt-1-")
    assert "127.0.0.1" not in judge.version
    monkeypatch.setenv("CASCADENCE_JUDGE_URL", "https://elsewhere.example/v1")
    assert LlmJudge().version == judge.version
    monkeypatch.setattr(llm_judge, "PROMPT", PROMPT + " ")
    other = LlmJudge().version
    assert other != judge.version
    monkeypatch.setenv("CASCADENCE_JUDGE_MODEL", "another")
    assert LlmJudge().version not in (judge.version, other)


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("CASCADENCE_JUDGE_URL", ""),
        ("CASCADENCE_JUDGE_URL", "file:///etc/passwd"),
        ("CASCADENCE_JUDGE_MODEL", "  "),
        ("CASCADENCE_JUDGE_MODEL", "a\nb"),
        ("CASCADENCE_JUDGE_KEY", f"{KEY}\r\nX: y"),
        ("CASCADENCE_JUDGE_KEY", f"{KEY}é"),
    ],
)
def test_what_is_not_configured_is_skipped_with_its_reason(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, told: str
) -> None:
    monkeypatch.setenv(variable, told)
    reason = CachedTools(tmp_path).problem(["llm_judge"])
    assert variable in reason
    assert KEY not in reason
    with pytest.raises(ToolUnavailable):
        LlmJudge()


def test_an_address_with_a_password_is_not_told(waits: list[float]) -> None:
    endpoint = ChatEndpoint(f"http://user:{KEY}@127.0.0.1/v1", KEY, 1.0, waits.append)
    with pytest.raises(chat_completions.EndpointFailed) as caught:
        endpoint.ask({})
    assert KEY not in str(caught.value)
