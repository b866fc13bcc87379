"""The GGUF recipe, on a model of a few thousand weights written here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascadence import weight_recipes

WIDTH, HEADS, FEED, LAYERS = 64, 2, 128, 1


def _tokens() -> list[str]:
    """The 256 byte symbols of GPT-2's alphabet, a merge of two blanks, and a special token."""
    from tokenizers.pre_tokenizers import ByteLevel

    return ["<|end|>", *sorted(ByteLevel.alphabet()), "\u0120\u0120"]


def _write_gguf(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Write a one-layer Llama, quantised as the real one is; return the values that are in it."""
    import gguf

    tokens = _tokens()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(LAYERS)
    writer.add_context_length(128)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(FEED)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3, *[1] * (len(tokens) - 1)])
    writer.add_token_merges(["\u0120 \u0120"])
    for special in (writer.add_bos_token_id, writer.add_eos_token_id, writer.add_unk_token_id):
        special(0)
    shapes = {
        "token_embd": (len(tokens), WIDTH),
        "blk.0.attn_q": (WIDTH, WIDTH),
        "blk.0.attn_k": (WIDTH, WIDTH),
        "blk.0.attn_v": (WIDTH, WIDTH),
        "blk.0.attn_output": (WIDTH, WIDTH),
        "blk.0.ffn_gate": (FEED, WIDTH),
        "blk.0.ffn_up": (FEED, WIDTH),
        "blk.0.ffn_down": (WIDTH, FEED),
    }
    q4 = gguf.GGMLQuantizationType.Q4_1
    random = np.random.default_rng(7)
    values = {}
    for name, shape in shapes.items():
        packed = gguf.quantize(random.normal(size=shape).astype(np.float32), q4)
        writer.add_tensor(f"{name}.weight", packed, raw_dtype=q4)
        values[name] = gguf.dequantize(packed, q4)
    for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        writer.add_tensor(f"{name}.weight", np.ones(WIDTH, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return values


@pytest.mark.slow
def test_the_folder_holds_the_numbers_of_the_gguf_file(tmp_path: Path) -> None:
    for module in ("gguf", "accelerate", "transformers"):
        pytest.importorskip(module)
    torch = pytest.importorskip("torch")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    origin, target, again = (tmp_path / name for name in ("origin", "target", "again"))
    for folder in (origin, target, again):
        folder.mkdir()
    values = _write_gguf(origin / "tiny.gguf")
    made = weight_recipes.gguf_to_safetensors(origin, target)
    assert weight_recipes.gguf_to_safetensors(origin, again) == made

    model = AutoModelForCausalLM.from_pretrained(target, local_files_only=True)
    inner = model.model
    pairs = {
        "token_embd": inner.embed_tokens.weight,
        "blk.0.ffn_down": inner.layers[0].mlp.down_proj.weight,
        "blk.0.attn_v": inner.layers[0].self_attn.v_proj.weight,
    }
    for name, tensor in pairs.items():
        assert tensor.dtype == torch.float32
        np.testing.assert_array_equal(tensor.detach().numpy(), values[name])
    assert not hasattr(model.config, "quantization_config")
    assert (target / "model.safetensors").stat().st_mode == (target / "config.json").stat().st_mode

    tokenizer = AutoTokenizer.from_pretrained(target, local_files_only=True)
    blanks, five = _tokens().index("\u0120\u0120"), _tokens().index("5")
    assert tokenizer("  5")["input_ids"] == [blanks, five]  # both blanks before the digit, merged
    assert tokenizer.decode(tokenizer("Room 505, please.")["input_ids"]) == "Room 505, please."


def test_the_content_hash_follows_values_names_types_and_tokens() -> None:
    torch = pytest.importorskip("torch")
    one = {"a": torch.tensor([1.0, 2.0]), "b": torch.tensor([3.0])}
    same = {"b": torch.tensor([3.0]), "a": torch.tensor([1.0, 2.0])}
    planted = weight_recipes.content_sha256(one, [[1, 2]])
    assert weight_recipes.content_sha256(same, [[1, 2]]) == planted
    others: list[dict[str, Any]] = [
        one | {"a": torch.tensor([1.0, 2.5])},
        one | {"a": torch.tensor([[1.0, 2.0]])},
        one | {"b": torch.tensor([3.0], dtype=torch.float64)},
        {"a": one["a"], "c": one["b"]},
    ]
    hashes = {weight_recipes.content_sha256(other, [[1, 2]]) for other in others}
    hashes.add(weight_recipes.content_sha256(one, [[1], [2]]))
    assert len(hashes | {planted}) == 6
