"""The house in order: packages, imports, sizes, and what nobody should find in the sources."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = {
    "benchmark": "cascadence",
    "systems": "cascadence.systems",
    "metrics": "cascadence.metrics",
    "data_manifests": "cascadence.data_manifests",
    "reports": "cascadence.reports",
}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def sources() -> list[Path]:
    """Python files of the package, links left out."""
    return sorted(
        path
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if not any(parent.is_symlink() for parent in path.parents)
    )


def test_every_package_is_listed() -> None:
    there = set()
    for folder, name in FOLDERS.items():
        for init in (ROOT / folder).rglob("__init__.py"):
            if any(parent.is_symlink() for parent in init.parents):
                continue
            tail = init.parent.relative_to(ROOT / folder).parts
            there.add(".".join((name, *tail)))
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == there


def imported(path: Path) -> set[str]:
    """Every module that a file imports, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
    return names


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [
        ("benchmark", ("systems", "metrics", "reports", "data_manifests")),
        ("metrics", ("systems", "reports")),
        ("data_manifests", ("systems", "metrics", "reports")),
        ("reports", ("systems", "metrics")),
        ("systems", ("metrics", "reports")),
    ],
)
def test_imports_point_one_way(folder: str, forbidden: tuple[str, ...]) -> None:
    prefixes = tuple(f"cascadence.{room}" for room in forbidden)
    guilty = {
        f"{path.name}: {name}"
        for path in sources()
        if path.relative_to(ROOT).parts[0] == folder
        for name in imported(path)
        if name.startswith(prefixes)
    }
    assert guilty == set()


def test_no_file_is_too_long() -> None:
    long = {p.name: n for p in sources() if (n := p.read_text().count("\n")) > 400}
    assert long == {}


def test_every_entry_point_loads_from_an_existing_file() -> None:
    for group, points in PROJECT["project"]["entry-points"].items():
        for name, target in points.items():
            module = target.partition(":")[0]
            folder, prefix = max(
                ((f, n) for f, n in FOLDERS.items() if module.startswith(n)),
                key=lambda pair: len(pair[1]),
            )
            tail = module.removeprefix(prefix).strip(".").replace(".", "/")
            base = ROOT / folder / tail
            found = base.with_suffix(".py").is_file() or (base / "__init__.py").is_file()
            assert found, f"{group} {name}: {target}"


@pytest.mark.parametrize(
    "pattern", [r"\bpickle\.load", r"\beval\(", r"shell=True", r"verify=False"]
)
def test_nothing_dangerous_in_the_sources(pattern: str) -> None:
    guilty = [p.name for p in sources() if re.search(r"(?<![\w.])" + pattern, p.read_text())]
    assert guilty == []


def test_help_is_quick_and_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from cascadence.cli import app\n"
        "try:\n    app(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'librosa', 'matplotlib', 'numpy', 'pandas', 'transformers'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/"
    )
    assert "Usage" in done.stdout
    assert "HEAVY []" in done.stdout
