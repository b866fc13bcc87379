"""One request to an OpenAI-compatible endpoint: bounded in time, size and attempts.

An error's text names no address and quotes nothing that the endpoint sent: either could hold a
secret, and reasons end up in results. Redirects are refused, because the key would follow them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from time import monotonic
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from cascadence.errors import CascadenceError

ATTEMPTS: Final = 4
BACKOFF_S: Final = 1.0
"""Before the second attempt; doubled before each further one."""
LONGEST_WAIT_S: Final = 30.0
"""However long a ``Retry-After`` asks for."""
WORTH_RETRYING: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 529})
LARGEST_ANSWER: Final = 1 << 20
"""Bytes; a verdict takes a few hundred."""
MOST_COUNTED: Final = 10**9


class EndpointFailed(CascadenceError):
    """The endpoint gave no usable answer."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What was used.

    Attributes:
        requests: answered ones; those that were refused cost nothing.
        prompt: tokens read; ``None`` where an endpoint does not tell.
        completion: tokens written; the same.
    """

    requests: int = 0
    prompt: int | None = 0
    completion: int | None = 0

    def plus(self, other: Tokens) -> Tokens:
        """Add up; what one does not tell is not known of both."""
        return Tokens(
            self.requests + other.requests,
            _sum(self.prompt, other.prompt),
            _sum(self.completion, other.completion),
        )

    @property
    def counted(self) -> dict[str, int | None]:
        """As JSON values."""
        return {
            "requests": self.requests,
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
        }


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model said.

    Attributes:
        text: of the first choice.
        model: as the endpoint calls it.
        tokens: what was used.
    """

    text: str
    model: str | None
    tokens: Tokens


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """Leave the redirect as the error that it is."""


class ChatEndpoint:
    """Asks ``<url>/chat/completions``, and again where that may help."""

    def __init__(self, url: str, key: str, timeout_s: float, wait: Callable[[float], None]) -> None:
        """Remember where to ask.

        Args:
            url: with the API's prefix, such as ``http://localhost:8000/v1``.
            key: sent as a bearer token; empty: none is sent.
            timeout_s: for one attempt, from the connection to the last byte.
            wait: sleeps, in seconds.
        """
        base = url.rstrip("/")
        tail = "/chat/completions"
        self._url = base if base.endswith(tail) else base + tail
        self._key = key
        self._timeout_s = timeout_s
        self._wait = wait
        self._opener = build_opener(_NoRedirect)

    def ask(self, body: dict[str, Any]) -> Completion:
        """Send one request.

        Raises:
            EndpointFailed: refused, not reachable, too slow, or not the format.
        """
        problem = ""
        for attempt in range(ATTEMPTS):
            pause_s = BACKOFF_S * 2.0**attempt
            try:
                return _completion(self._post(body))
            except HTTPError as error:
                error.close()
                problem = f"HTTP status {error.code}"
                if error.code not in WORTH_RETRYING:
                    break
                pause_s = max(pause_s, _asked_to_wait_s(error))
            except (TimeoutError, URLError) as error:
                late = isinstance(getattr(error, "reason", error), TimeoutError)
                problem = "timed out" if late else "cannot be reached"
            except (OSError, HTTPException, ValueError) as error:
                problem = f"connection broke ({type(error).__name__})"
            if attempt + 1 < ATTEMPTS:
                self._wait(min(pause_s, LONGEST_WAIT_S))
        raise EndpointFailed(f"the judge's endpoint: {problem}")

    def _post(self, body: dict[str, Any]) -> bytes:
        headers = {"Content-Type": "application/json", "User-Agent": "cascadence"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = Request(self._url, json.dumps(body).encode(), headers, method="POST")
        deadline_s = monotonic() + self._timeout_s
        received = bytearray()
        with self._opener.open(request, timeout=self._timeout_s) as response:
            # Piece by piece: the socket's own limit starts anew with every byte that drips in.
            while piece := response.read1(1 << 16):
                received += piece
                if len(received) > LARGEST_ANSWER:
                    raise EndpointFailed("the judge's endpoint: its answer is too large")
                if monotonic() > deadline_s:
                    raise TimeoutError
        return bytes(received)


def _asked_to_wait_s(error: HTTPError) -> float:
    try:
        told_s = float(error.headers.get("Retry-After", "0"))
    except ValueError:
        return 0.0
    return told_s if math.isfinite(told_s) else 0.0


def _completion(received: bytes) -> Completion:
    """Read what an endpoint sent, trusting none of it.

    Raises:
        EndpointFailed: it is not a chat completion.
    """
    try:
        told = json.loads(received)
        text = told["choices"][0]["message"]["content"]
    except (ValueError, RecursionError, LookupError, TypeError):
        raise EndpointFailed("the judge's endpoint: not a chat completion") from None
    if not isinstance(text, str):
        raise EndpointFailed("the judge's endpoint: a completion without text")
    model, usage = told.get("model"), told.get("usage")
    used = usage if isinstance(usage, dict) else {}
    tokens = Tokens(1, _count(used.get("prompt_tokens")), _count(used.get("completion_tokens")))
    return Completion(text, model if isinstance(model, str) else None, tokens)


def _count(told: Any) -> int | None:
    known = isinstance(told, int) and not isinstance(told, bool) and 0 <= told <= MOST_COUNTED
    return int(told) if known else None
