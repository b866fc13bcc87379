"""The parent's end of a worker: ask, wait no longer than allowed, restart what died."""

from __future__ import annotations

import json
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cascadence.errors import CascadenceError
from cascadence.worker import write_frame

_LENGTH = struct.Struct(">I")


class WorkerLost(CascadenceError):
    """The worker died, or did not answer in time."""


class Worker:
    """One child process that serves requests in order."""

    def __init__(self, log_path: Path, python: str | None = None) -> None:
        """Start the process.

        Args:
            log_path: where its standard error goes, appended.
            python: interpreter; by default this one.
        """
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [python or sys.executable, "-m", "cascadence.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    def ask(self, request: Mapping[str, Any], limit_s: float) -> dict[str, Any]:
        """Send a request without binary parts, and wait for its answer.

        Raises:
            WorkerLost: see `receive`.
        """
        self.send(request)
        return self.receive(limit_s)[0]

    def send(self, request: Mapping[str, Any], parts: Sequence[bytes] = ()) -> None:
        """Send a request; `receive` brings its answer.

        Raises:
            WorkerLost: the process is gone.
        """
        stdin = self._process.stdin
        assert stdin is not None
        try:
            write_frame(stdin, request, parts)
        except BrokenPipeError:
            raise self._lost() from None

    def receive(self, limit_s: float) -> tuple[dict[str, Any], list[bytes]]:
        """Wait for the answer to the request sent last: its header and its binary parts.

        Raises:
            WorkerLost: it died, or ``limit_s`` of wall time passed; the process is gone then.
        """
        deadline = time.monotonic() + limit_s
        try:
            (size,) = _LENGTH.unpack(self._read(_LENGTH.size, deadline))
            header: dict[str, Any] = json.loads(self._read(size, deadline))
            return header, [self._read(part, deadline) for part in header.pop("parts")]
        except TimeoutError:
            self.stop()
            raise WorkerLost(f"no answer within {limit_s:g} s") from None
        except EOFError:
            raise self._lost() from None

    def kill(self) -> None:
        """End the process at once; a pending `ask` then raises `WorkerLost`."""
        self._process.kill()

    def stop(self) -> None:
        """End the process at once, and let go of its pipes."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _lost(self) -> WorkerLost:
        self._process.wait()
        code = self._process.returncode
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return WorkerLost(f"its process died ({how})")

    def _read(self, count: int, deadline: float) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        pieces: list[bytes] = []
        while count:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            piece = os.read(descriptor, min(count, 1 << 20))
            if not piece:
                raise EOFError
            pieces.append(piece)
            count -= len(piece)
        return b"".join(pieces)
