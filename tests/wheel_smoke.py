"""Builds the wheel, installs it into a fresh environment, runs a sweep from another directory.

``python tests/wheel_smoke.py``; run by CI. Prints what it finds and fails on the first surprise.
"""

import json
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(*command: str, cwd: Path | None = None) -> str:
    """Run a command; show its output when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def site_packages(python: str) -> Path:
    """Where an environment's packages are."""
    return Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())


def main() -> None:
    """Build, install, run."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, str(ROOT))
        (wheel,) = place.glob("*.whl")
        venv.create(place / "env", with_pip=True)
        python = str(place / "env" / "bin" / "python")
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        run(*pip, "-c", str(ROOT / "constraints.txt"), str(wheel))
        packages = site_packages(python)
        record = next(packages.glob("cascadence-*.dist-info/RECORD")).read_text().splitlines()
        names = {line.partition("/")[0] for line in record if not line.startswith("..")}
        names = {name for name in names if not name.endswith(".dist-info")}
        if names != {"cascadence"}:
            sys.exit(f"the wheel brings {sorted(names)} into site-packages")
        elsewhere = place / "elsewhere"
        elsewhere.mkdir()
        command = str(place / "env" / "bin" / "cascadence")
        table = run(command, "run", "controls", cwd=elsewhere)
        about = json.loads((elsewhere / "runs/controls/run.json").read_text())
        page = elsewhere / "runs/controls/report/index.html"
        if about["status"] != "finished" or about["failed"] or not page.is_file():
            sys.exit(f"the sweep did not finish: {about['status']}, {about['failed']} failed")
        sys.stdout.write(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB\n{table}")


if __name__ == "__main__":
    main()
