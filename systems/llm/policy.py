"""The assistant domain's own dialogue policy as a language model: deterministic, and narrow."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterator, Sequence
from functools import cache
from types import TracebackType
from typing import Self

from cascadence.protocols import Context, Exchange, PartInfo


@cache
def _revision() -> str:
    """Hash of the policy's answers' source: every module of the domain that it is made of."""
    from pathlib import Path

    from cascadence.data_manifests.assistant import policy

    folder = Path(inspect.getfile(policy)).parent
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


class PolicyLlm:
    """An `Llm` that knows the assistant domain and nothing else.

    Its state is made anew for each reply by telling it what was heard so far, so that nothing leaks
    from one conversation, or from a reply that was cut off, into another.
    """

    @property
    def info(self) -> PartInfo:
        """What it is; the revision is a hash of the domain's source."""
        return PartInfo(name="policy", licence="Apache-2.0", revision=_revision())

    def __enter__(self) -> Self:
        """Answer once, so that its tables are built."""
        from cascadence.data_manifests.assistant.policy import Policy

        Policy().reply("What is the weather like in Paris?")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """There is nothing to release."""

    def respond(self, text: str, history: Sequence[Exchange], context: Context) -> Iterator[str]:
        """Yield the whole reply; nothing where the policy stays silent."""
        from cascadence.data_manifests.assistant.policy import Policy

        policy = Policy()
        for exchange in history:
            if exchange.heard:
                policy.reply(exchange.heard)
        reply = policy.reply(text)
        if reply.text:
            yield reply.text
