"""Lists of arrays of different lengths in one safetensors file, without pickle."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ragged", "load_ragged", "save_ragged"]


class Ragged:
    """A list of arrays that share all but their first dimension, stored end to end."""

    def __init__(self, values: NDArray[Any], offsets: NDArray[np.int64]) -> None:
        """Keeps `values` (total_length, …) and `offsets` (n + 1), where each item begins."""
        self.values = values
        self.offsets = offsets

    def __len__(self) -> int:
        """Counts the items."""
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> NDArray[Any]:
        """Returns one item (length, …), a view."""
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def lengths(self) -> NDArray[np.int64]:
        """Returns the length of each item."""
        return np.diff(self.offsets)


def save_ragged(path: Path, fields: Mapping[str, Sequence[NDArray[Any]]], note: object) -> None:
    """Writes named lists of arrays and a JSON note; the file appears when it is complete."""
    from safetensors.numpy import save_file

    tensors: dict[str, NDArray[Any]] = {}
    for name, items in fields.items():
        lengths = [len(item) for item in items]
        tensors[name] = np.concatenate(items) if items else np.zeros(0, np.float32)
        tensors[f"{name}.offsets"] = np.cumsum([0, *lengths], dtype=np.int64)
    part = path.with_suffix(".part")
    save_file(tensors, part, metadata={"note": json.dumps(note, ensure_ascii=False)})
    part.replace(path)


def load_ragged(path: Path) -> tuple[dict[str, Ragged], Any]:
    """Reads what `save_ragged` wrote.

    Returns:
        The named lists, and the note.
    """
    from safetensors import safe_open

    fields: dict[str, Ragged] = {}
    with safe_open(str(path), framework="numpy") as file:
        note = json.loads((file.metadata() or {}).get("note", "null"))
        for name in file.keys():  # noqa: SIM118 (not a mapping)
            if not name.endswith(".offsets"):
                fields[name] = Ragged(file.get_tensor(name), file.get_tensor(f"{name}.offsets"))
    return fields, note
