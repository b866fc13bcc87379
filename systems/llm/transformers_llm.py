"""A small open-domain language model through transformers, token by token, without threads."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Any, Final, Literal, Self

from cascadence.protocols import Context, Exchange, PartInfo
from cascadence.require import require
from cascadence.systems.llm.spoken import PlainWords, Sentences

DEFAULT_PROMPT: Final = (
    "You are a helpful voice assistant. Your answer is spoken aloud: answer in one or two short, "
    "plain sentences, without lists or markdown."
)
_KEPT_EXCHANGES: Final = 8


@dataclass(frozen=True, slots=True)
class Decoding:
    """How an answer is chosen.

    Attributes:
        max_new_tokens: an answer ends here at the latest; an unfinished later sentence is left out.
        max_sentences: an answer ends after this many.
        temperature: 0 takes the most likely token; above 0 is sampled, with the conversation's
            seed.
        repetition_penalty: 1 is none.
    """

    max_new_tokens: int = 60
    max_sentences: int = 2
    temperature: float = 0.0
    repetition_penalty: float = 1.0


class TransformersLlm:
    """An `Llm` over any causal model with a chat template."""

    def __init__(
        self,
        model: str = "smollm2-135m-instruct",
        prompt: str = DEFAULT_PROMPT,
        threads: int | None = None,
        device: str = "cpu",
        dtype: Literal["float32", "bfloat16", "float16"] = "float32",
        **decoding: Any,
    ) -> None:
        """Choose a model; it is loaded on entering.

        Args:
            model: an artefact of the weight store that transformers can read.
            prompt: what the model is told, unless the conversation brings instructions of its own.
            threads: of torch, for the whole process; ``None`` leaves them as they are.
            device: where it runs.
            dtype: of the weights in memory.
            **decoding: fields of `Decoding`.
        """
        self._artefact = model
        self._prompt = prompt
        self._threads = threads
        self._device = device
        self._dtype = dtype
        self._decoding = Decoding(**decoding)
        self._model: Any = None
        self._tokenizer: Any = None
        self._stops: frozenset[int] = frozenset()
        self._prefix: tuple[list[int], Any] = ([], None)

    @property
    def info(self) -> PartInfo:
        """What it is; the revision holds the weights and the code that runs them."""
        from cascadence.weights import artefact, fingerprint

        try:
            code = version("transformers")
        except PackageNotFoundError:
            code = "absent"
        return PartInfo(
            name="transformers_llm",
            licence=artefact(self._artefact).licence,
            revision=f"{fingerprint(self._artefact)[:12]}/transformers-{code}",
            parameters={
                "model": self._artefact,
                "prompt": self._prompt,
                "threads": self._threads,
                "device": self._device,
                "dtype": self._dtype,
                **asdict(self._decoding),
            },
            weights=(self._artefact,),
        )

    def __enter__(self) -> Self:
        """Load the model, read the prompt once and for all, and answer a question.

        Raises:
            MissingExtra: transformers or torch is not installed.
            WeightsError: the weights cannot be had.
        """
        torch = require("torch", extra="llm")
        transformers = require("transformers", extra="llm")
        from cascadence.weights import fetch

        if self._threads is not None:
            torch.set_num_threads(self._threads)
        # Loading takes a second; its progress bar would break into the run's own.
        transformers.utils.logging.disable_progress_bar()
        folder = str(fetch(self._artefact))
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            folder, local_files_only=True, dtype=getattr(torch, self._dtype)
        )
        self._model = model.to(self._device).eval()
        self._stops = _stop_tokens(self._model, self._tokenizer)
        self._prefix = self._read_prompt(self._prompt)
        for _ in self._generate(self._ids(self._prompt, "Hello!", ()), None):
            continue
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Release the model."""
        self._model = None
        self._tokenizer = None
        self._prefix = ([], None)

    def respond(self, text: str, history: Sequence[Exchange], context: Context) -> Iterator[str]:
        """Yield the answer: its first sentence word by word, later ones whole."""
        ids = self._ids(context.instructions or self._prompt, text, history)
        words = PlainWords()
        sentences = Sentences()
        complete = 0
        for piece in self._generate(ids, self._random(context, history)):
            for word in words.feed(piece):
                if not complete:
                    yield word
                for sentence in sentences.feed(word):
                    if complete:
                        yield f"{sentence} "
                    complete += 1
                    if complete >= self._decoding.max_sentences:
                        return
        yield from self._last_words(words, sentences, complete)

    def _last_words(self, words: PlainWords, sentences: Sentences, complete: int) -> Iterator[str]:
        for word in words.flush():
            if not complete:
                yield word
            for sentence in sentences.feed(word):
                yield f"{sentence} "
        for sentence in sentences.flush():
            if complete and sentence.endswith((".", "!", "?")):
                yield f"{sentence} "

    def _ids(self, prompt: str, text: str, history: Sequence[Exchange]) -> list[int]:
        messages = [{"role": "system", "content": prompt}]
        for exchange in history[-_KEPT_EXCHANGES:]:
            if exchange.heard:
                messages.append({"role": "user", "content": exchange.heard})
            if exchange.said:
                messages.append({"role": "assistant", "content": exchange.said})
        messages.append({"role": "user", "content": text})
        return self._templated(messages, add_generation_prompt=True)

    def _templated(
        self, messages: list[dict[str, str]], add_generation_prompt: bool = False
    ) -> list[int]:
        text = self._tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=add_generation_prompt
        )
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _read_prompt(self, prompt: str) -> tuple[list[int], Any]:
        """Return the prompt's tokens and the model's memory of them: every answer begins there."""
        import torch

        ids = self._templated([{"role": "system", "content": prompt}])
        with torch.inference_mode():
            out = self._model(input_ids=torch.tensor([ids], device=self._device), use_cache=True)
        return ids, out.past_key_values

    def _generate(self, ids: list[int], random: Any) -> Iterator[str]:
        """Yield pieces of text as tokens are chosen."""
        import torch

        known, memory = self._prefix
        past = None
        if known and ids[: len(known)] == known and len(ids) > len(known):
            past = copy.deepcopy(memory)
        feed = ids[len(known) :] if past is not None else ids
        chosen: list[int] = []
        told = ""
        while len(chosen) < self._decoding.max_new_tokens:
            with torch.inference_mode():
                out = self._model(
                    input_ids=torch.tensor([feed], device=self._device),
                    past_key_values=past,
                    use_cache=True,
                    logits_to_keep=1,
                )
                token = self._choose(out.logits[0, -1], chosen, random)
            if token in self._stops:
                break
            past = out.past_key_values
            chosen.append(token)
            feed = [token]
            text = self._tokenizer.decode(chosen, skip_special_tokens=True)
            # A character of several tokens shows as U+FFFD until its last byte is there.
            if not text.endswith("\ufffd") and len(text) > len(told):
                yield text[len(told) :]
                told = text

    def _choose(self, logits: Any, chosen: list[int], random: Any) -> int:
        import torch

        if chosen and self._decoding.repetition_penalty != 1.0:
            seen = torch.tensor(sorted(set(chosen)), device=logits.device)
            score = logits[seen]
            penalty = self._decoding.repetition_penalty
            logits = logits.clone()
            logits[seen] = torch.where(score > 0, score / penalty, score * penalty)
        if random is None:
            return int(logits.argmax())
        weights = torch.softmax(logits / self._decoding.temperature, dim=-1).cpu()
        return int(torch.multinomial(weights, 1, generator=random))

    def _random(self, context: Context, history: Sequence[Exchange]) -> Any:
        if self._decoding.temperature <= 0.0:
            return None
        import torch

        name = f"{context.seed}/{len(history)}".encode()
        seed = int.from_bytes(hashlib.sha256(name).digest()[:8], "little") >> 1
        return torch.Generator().manual_seed(seed)


def _stop_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    declared = model.generation_config.eos_token_id
    stops = declared if isinstance(declared, list) else [declared]
    return frozenset(token for token in (*stops, tokenizer.eos_token_id) if token is not None)
