"""A process of its own for each system: whatever a system does, only its process is lost.

Parent and worker exchange frames over the worker's standard input and output: a length, a JSON
header, and the binary parts that the header announces. No pickle, so the worker may run under
another interpreter. What the system prints goes to standard error.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import struct
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import IO, Any

from cascadence.audio import Audio
from cascadence.errors import CascadenceError

_LENGTH = struct.Struct(">I")
HEADER_LIMIT = 64 * 2**20


def write_frame(stream: IO[bytes], header: Mapping[str, Any], parts: Sequence[bytes] = ()) -> None:
    """Send one frame."""
    text = json.dumps({**header, "parts": [len(part) for part in parts]}).encode()
    stream.write(_LENGTH.pack(len(text)) + text)
    for part in parts:
        stream.write(part)
    stream.flush()


def read_frame(stream: IO[bytes]) -> tuple[dict[str, Any], list[bytes]] | None:
    """Receive one frame; ``None`` where the other side has gone."""
    length = stream.read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(length)
    if size > HEADER_LIMIT:
        return None
    text = stream.read(size)
    if len(text) < size:
        return None
    header: dict[str, Any] = json.loads(text)
    parts = [stream.read(part) for part in header.pop("parts")]
    return header, parts


def audio_bytes(audio: Audio) -> bytes:
    """Samples as they go through the pipe: little-endian float32."""
    return audio.samples.astype("<f4", copy=False).tobytes()


def audio_from(content: bytes, sample_rate: int) -> Audio:
    """Sound as it comes out of the pipe."""
    import numpy as np

    return Audio(np.frombuffer(content, dtype="<f4").astype(np.float32, copy=False), sample_rate)


def main() -> None:
    """Serve one parent until it closes the connection."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _leave_with_parent()
    with ExitStack() as stack:
        server = _Server(stack)
        while True:
            frame = read_frame(requests)
            if frame is None:
                return
            header, parts = server.answer(*frame)
            write_frame(answers, header, parts)


class _Server:
    """Holds the entered system between conversations."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._system: Any = None

    def answer(
        self, request: Mapping[str, Any], parts: Sequence[bytes]
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Do what is asked; every error becomes an answer."""
        try:
            match request["kind"]:
                case "describe":
                    return {"kind": "described", "info": describe(request)}, []
                case "load":
                    return self._load(request), []
                case "play":
                    return self._play(request, parts)
                case other:
                    return {"kind": "failed", "reason": f"unknown request {other!r}"}, []
        except Exception as error:
            trace = getattr(error, "trace", "") or traceback.format_exc()
            reason = str(error) if isinstance(error, CascadenceError) else _name(error)
            return {"kind": "failed", "reason": reason, "trace": trace}, []

    def _load(self, request: Mapping[str, Any]) -> dict[str, Any]:
        started = time.perf_counter()
        system = build_system(request["system"], request["parameters"])
        self._system = self._stack.enter_context(system)
        info = dataclasses.asdict(system.info)
        return {"kind": "loaded", "load_s": time.perf_counter() - started, "info": info}

    def _play(
        self, request: Mapping[str, Any], parts: Sequence[bytes]
    ) -> tuple[dict[str, Any], list[bytes]]:
        from cascadence.clock import make_clock
        from cascadence.conditions import CLEAN, Condition
        from cascadence.conversation import Conversation
        from cascadence.degradation_channel import at_microphone
        from cascadence.recording import to_json
        from cascadence.session import Script, play
        from cascadence.simulator import UserBehaviour

        rates = request["clip_rates"]
        condition = Condition.model_validate(request.get("condition", CLEAN))
        clips, surroundings = at_microphone(
            [audio_from(part, rate) for part, rate in zip(parts, rates, strict=True)],
            condition,
            request.get("condition_seed", 0),
        )
        script = Script(
            conversation=Conversation.model_validate(request["conversation"]),
            clips=clips,
            cell=request["cell"],
            repeat=request["repeat"],
            seed=request["seed"],
            behaviour=UserBehaviour(**request["user"]),
            surroundings=surroundings,
        )
        recording = play(self._system, script, make_clock(request["clock"]))
        channels = {"user": recording.user, "system": recording.system}
        header = {
            "kind": "played",
            "recording": to_json(recording),
            "channels": {name: audio.sample_rate for name, audio in channels.items()},
        }
        return header, [audio_bytes(audio) for audio in channels.values()]


def build_system(name: str, parameters: Mapping[str, Any]) -> Any:
    """Build a system as a sweep names it.

    Raises:
        CascadenceError: unknown name, wrong parameters, missing extra, or not a system.
    """
    from cascadence.registry import build

    system = build("systems", {"part": name, **parameters})
    if not (hasattr(system, "info") and hasattr(system, "converse")):
        raise CascadenceError(
            "is not a system: it has no `info` and `converse`",
            where=name,
            mend="wrap a `reply` with cascadence.systems.turn_taking.HalfDuplex",
        )
    return system


def describe(request: Mapping[str, Any]) -> dict[str, Any]:
    """Build a system without loading its models, and return its `SystemInfo` as a mapping."""
    system = build_system(request["system"], request["parameters"])
    return dataclasses.asdict(system.info)


def _name(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _leave_with_parent() -> None:
    """End when the parent is gone, even in the middle of a computation."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    main()
