"""The bars for human speech, by the benchmark that prints the figures with their intervals."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

SCRIPT = Path(__file__).parent / "benchmarks" / "bench_human_speech.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location(SCRIPT.stem, SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Data classes look their own module up.
    sys.modules[SCRIPT.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_human_speech_reaches_every_bar(bench: ModuleType) -> None:
    pytest.importorskip("swift_f0")
    pytest.importorskip("librosa")
    if not (bench.HUMAN / "labels.csv").is_file():
        pytest.skip("no human speech on this machine")
    spoken = bench.recordings(bench.HUMAN)
    found = {figure.name: figure for figure in bench.figures(spoken)}
    for name, reached in bench.BARS.items():
        assert reached(found[name].value), found[name]
    low, high = found["bits, emotions exchanged"].interval
    assert low <= 0.0 <= high
    assert all(figure.n > 0 and np.isfinite(figure.value) for figure in found.values())


def test_without_recordings_the_figures_are_skipped_and_that_is_no_failure(
    bench: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("skipped: no human speech")
