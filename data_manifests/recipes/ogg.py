"""Makes Ogg files repeatable: the stream's serial number is random where it need not be.

Pages and their checksum as in RFC 3533, section 6.
"""

from __future__ import annotations

import functools
import struct
from typing import Final

from cascadence.errors import CascadenceError

_CAPTURE: Final = b"OggS"
_HEADER_BYTES: Final = 27
_POLYNOMIAL: Final = 0x04C11DB7


def with_serial(data: bytes, serial: int) -> bytes:
    """Return an Ogg file whose pages carry this serial number, checksums renewed.

    Args:
        data: a whole file with one logical stream.
        serial: 32 bits.

    Raises:
        CascadenceError: the file is torn or not Ogg.
    """
    out = bytearray()
    at = 0
    while at < len(data):
        page = bytearray(data[at : at + _page_bytes(data, at)])
        page[14:18] = struct.pack("<I", serial)
        page[22:26] = bytes(4)
        page[22:26] = struct.pack("<I", _checksum(page))
        out += page
        at += len(page)
    return bytes(out)


def _page_bytes(data: bytes, at: int) -> int:
    """Length of the page that begins at an offset."""
    if data[at : at + 4] != _CAPTURE or at + _HEADER_BYTES > len(data):
        raise CascadenceError(f"no Ogg page begins at byte {at}")
    segments = data[at + 26]
    body = data[at + _HEADER_BYTES : at + _HEADER_BYTES + segments]
    length = _HEADER_BYTES + segments + sum(body)
    if len(body) < segments or at + length > len(data):
        raise CascadenceError(f"the Ogg page at byte {at} is torn")
    return length


def _checksum(page: bytes | bytearray) -> int:
    """CRC-32 as Ogg has it: not reflected, from 0, no final inversion."""
    table = _table()
    value = 0
    for byte in page:
        value = (value << 8 & 0xFFFFFFFF) ^ table[value >> 24 ^ byte]
    return value


@functools.cache
def _table() -> tuple[int, ...]:
    entries = []
    for index in range(256):
        value = index << 24
        for _ in range(8):
            value = value << 1 ^ (_POLYNOMIAL if value & 0x80000000 else 0)
        entries.append(value & 0xFFFFFFFF)
    return tuple(entries)
