"""What a run was made with: hardware, versions, revision, and how fast this machine is today."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    "numpy",
    "scipy",
    "torch",
    "transformers",
    "faster-whisper",
    "ctranslate2",
    "onnxruntime",
    "piper-tts",
    "silero-vad",
    "speechmos",
    "jiwer",
    "librosa",
    "swift-f0",
)


def describe_machine() -> dict[str, Any]:
    """Return processor, memory, operating system and the versions of what matters."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(_memory_gb(), 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "cascadence": _version("cascadence"),
        "packages": {name: _version(name) for name in PACKAGES if _version(name)},
    }


def calibrate() -> dict[str, float]:
    """Time a fixed piece of arithmetic: to tell a slow machine from a slow system.

    Returns:
        ``matmul_gflops``: single-precision, 512 x 512, best of 20; ``python_mops``: million loop
        turns a second, best of 5.
    """
    import numpy as np

    generator = np.random.default_rng(0)
    matrix = generator.standard_normal((512, 512)).astype(np.float32)
    matmul_s = min(_timed(lambda: matrix @ matrix) for _ in range(20))
    loop_s = min(_timed(lambda: sum(range(100_000))) for _ in range(5))
    return {
        "matmul_gflops": round(2 * 512**3 / matmul_s / 1e9, 1),
        "python_mops": round(0.1 / loop_s, 1),
    }


def source_revision() -> dict[str, Any]:
    """Return the git revision of the code and whether it was changed since; empty where unknown."""
    folder = Path(__file__).resolve().parent
    try:
        revision = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return {}
    return {"revision": revision, "dirty": bool(changed)}


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )
    return done.stdout.strip()


def _timed(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
