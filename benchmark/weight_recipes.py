"""Recipes that make one artefact out of another, once, because loading the original is slow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cascadence.require import require

if TYPE_CHECKING:
    from torch import Tensor

# What a tokenizer must agree on: digits, runs of spaces, accents, line ends, an apostrophe.
_PROBES: Final = (
    "Table for 12 at 7:30, call 555 0199.",
    "two   5",
    "caf\u00e9\n\n5",
    "I'm $1,234.56",
)


def gguf_to_safetensors(origin: Path, target: Path) -> str:
    """Write the model and tokenizer of a GGUF file as a `transformers` folder, in float32.

    A quantised value is scale x integer + offset, which float32 holds and float16 does not, so the
    folder gives the very numbers of the GGUF file.

    Args:
        origin: A folder with one `.gguf` file.
        target: An empty folder for `model.safetensors`, `config.json` and the tokenizer.

    Returns:
        SHA-256 in hex over names, types, shapes and values of all tensors, and over what the
        tokenizer makes of a few sentences.

    Raises:
        MissingExtra: `transformers`, `torch`, `gguf` or `accelerate` is not installed.
    """
    transformers = require("transformers", extra="llm")
    torch = require("torch", extra="llm")
    for module in ("gguf", "accelerate"):  # transformers asks for them late, and less clearly
        require(module, extra="llm")
    source = {"gguf_file": min(origin.glob("*.gguf")).name, "local_files_only": True}
    tokenizer = transformers.AutoTokenizer.from_pretrained(origin, **source)
    model = transformers.AutoModelForCausalLM.from_pretrained(origin, dtype=torch.float32, **source)
    _split_digits(tokenizer)
    tokenizer.save_pretrained(target)
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    if model.config.tie_word_embeddings:
        tensors.pop("lm_head.weight", None)
    _save_tensors(tensors, target / "model.safetensors")
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config  # the values are plain floats from here on
    model.config.save_pretrained(target)
    model.generation_config.save_pretrained(target)
    return content_sha256(tensors, [list(tokenizer(probe)["input_ids"]) for probe in _PROBES])


def content_sha256(tensors: dict[str, Tensor], token_ids: list[list[int]]) -> str:
    """Hash what a model is, whatever container holds it.

    Args:
        tensors: Name to tensor of any shape, on the CPU.
        token_ids: What its tokenizer makes of some sentences, one list a sentence.

    Returns:
        SHA-256 in hex.
    """
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.detach().contiguous().numpy().tobytes())
    digest.update(json.dumps(token_ids).encode())
    return digest.hexdigest()


def _split_digits(tokenizer: Any) -> None:
    """Restore a rule that the conversion loses.

    The file says `tokenizer.ggml.pre = smollm`: each digit alone, then GPT-2's splitting. Without
    the first rule, several spaces before a digit are tokenised otherwise than in training.
    """
    pre = require("tokenizers", extra="llm").pre_tokenizers
    tokenizer.backend_tokenizer.pre_tokenizer = pre.Sequence(
        [pre.Digits(individual_digits=True), pre.ByteLevel(add_prefix_space=False)]
    )


def _save_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    path.touch()
    mode = path.stat().st_mode
    require("safetensors.torch", extra="llm").save_file(tensors, path, metadata={"format": "pt"})
    path.chmod(mode)  # it writes files that other users of a shared store could not read


RECIPES: Final[dict[str, Callable[[Path, Path], str]]] = {
    "gguf_to_safetensors": gguf_to_safetensors,
}
