"""Optional packages: imported when they are used, and named helpfully when they are missing."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Final

from cascadence.errors import CascadenceError

# Extras whose licence reaches further than this project's own Apache-2.0: said before installing.
LICENCE_NOTES: Final = {
    "piper": "piper-tts is GPL-3.0-or-later, so it is an extra and never a requirement",
    "pesq": "pesq is MIT, but the ITU-T code inside it is not for commercial use without a licence",
    "parselmouth": "praat-parselmouth is GPL-3.0-or-later, so it is never a requirement",
    "opensmile": "openSMILE is free for research and education only, so it is never a requirement",
}


class MissingExtra(CascadenceError, ImportError):
    """A package of an optional extra is not installed, or is installed and cannot be imported."""


def require(module: str, extra: str) -> ModuleType:
    """Import an optional module, or say which extra brings it and under which licence.

    Args:
        module: Dotted name of the module to import, such as `"faster_whisper"`.
        extra: Name of the extra in `pyproject.toml` that installs it, such as `"asr"`.

    Returns:
        The imported module.

    Raises:
        MissingExtra: The module is not installed, or its import failed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        absent = error.name or module
        if module == absent or module.startswith(f"{absent}."):
            what = f"The Python package behind '{module}' is not installed."
        else:
            what = f"'{module}' is installed, but '{absent}', which it imports, is not."
        raise MissingExtra(what, f"extra '{extra}'", _remedy(extra)) from error
    except (ImportError, OSError) as error:
        # OSError: a shared library that the package loads by hand, as soundfile does, is absent.
        what = f"'{module}' is installed but cannot be imported: {error}"
        raise MissingExtra(what, f"extra '{extra}'", _remedy(extra)) from error


def _remedy(extra: str) -> str:
    install = (
        f"pip install 'cascadence[{extra}]' "
        f"(in a checkout: pip install -c constraints.txt -e '.[{extra}]')"
    )
    note = LICENCE_NOTES.get(extra)
    return f"{install}; licence: {note}" if note else install
