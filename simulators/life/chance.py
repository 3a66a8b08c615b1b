"""Seeded chance without state: every draw is a function of what it is for, so no draw depends on the order of calls."""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def make_key(*parts: object) -> int:
    """64 bits that name a stream of chance, for example `make_key(seed, "episode", "seoul")`."""
    text = "\x1f".join(str(part) for part in parts)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def draw(*parts: object) -> float:
    """One number in [0, 1) that belongs to `parts`."""
    return (make_key(*parts) >> 11) / 2**53


def draw_normal(*parts: object) -> float:
    """One standard normal number that belongs to `parts`."""
    return float(normals(make_key(*parts), np.zeros(1, dtype=np.int64))[0])


def uniforms(key: int, index: IntArray) -> FloatArray:
    """Numbers in [0, 1), one for each index of the stream `key` (splitmix64; Steele, Lea, Flood 2014)."""
    mixed = np.uint64(key) + index.astype(np.uint64) * _GOLDEN
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
    mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) / 2**53


def normals(key: int, index: IntArray) -> FloatArray:
    """Standard normal numbers, one for each index of the stream `key` (Box and Muller 1958)."""
    radius = np.sqrt(-2 * np.log1p(-uniforms(key, index)))
    return np.asarray(radius * np.cos(2 * np.pi * uniforms(key ^ 0x5DEECE66D, index)))
