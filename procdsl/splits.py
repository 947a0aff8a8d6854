"""Which part a word belongs to: a hash of how its symbols are spelt, the same for whoever draws it.

Splits are by content (decision 12): a word that is held out of training is held out in every grammar,
seed and curriculum that could draw it. `runner.generators` computes the same hash.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

from procdsl.errors import RunError
from procdsl.streams import ATTEMPTS

MASK = 2**64 - 1
# Four independent lanes: one multiplication after another would bind the kernel to its latency.
LANES = (0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89)
STEP = 0x9E3779B97F4A7C15
MIX = 0xBF58476D1CE4E5B9


def spelling(token: str) -> int:
    """The 64 bits that stand for a token in every hash."""
    return int.from_bytes(blake2b(token.encode(), digest_size=8, person=b"procdsl").digest(), "little")


def spelt_state(number: int) -> int:
    """The bits that stand for a state of a drawn automaton; -1 ends the ways out of one."""
    return spelling(f"state {number}")


def content(symbols: Iterable[int]) -> int:
    """The hash of a word, given the `spelling` of its symbols in order: uniform on [0, 2**64).

    >>> content([1, 2]) == content([1, 2]) != content([2, 1])
    True
    """
    lanes, count = list(LANES), 0
    for count, symbol in enumerate(symbols, 1):
        lane = (count - 1) % 4
        lanes[lane] = (lanes[lane] ^ symbol) * STEP & MASK
    mixed = count
    for lane_hash in lanes:
        mixed = (mixed ^ lane_hash ^ lane_hash >> 32) * MIX & MASK
        mixed ^= mixed >> 29
    return mixed


def empty_pool(name: str, rule: int) -> RunError:
    """What is raised where no network of those drawn has frames as compressible as is asked for."""
    return RunError(
        f"network {rule:,} of {name!r}: none of {ATTEMPTS:,} that were drawn compresses so",
        reason="empty_pool",
        help="widen `compression`",
    )


def empty_part(name: str, split: str, index: int) -> RunError:
    """What is raised where every attempt at a word or row fell into another part."""
    return RunError(
        f"row {index} of {name!r}: none of {ATTEMPTS:,} words drawn belongs to the {split} part",
        reason="empty_split",
        help="the language has too few words of this length: make it longer or richer, or hold out by row",
    )
