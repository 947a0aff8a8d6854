"""Plug-ins: where one knows how likely its words are, their entropy is measured on words."""

from __future__ import annotations

import math
from functools import lru_cache

from procdsl.plugins import drawn, make, optional
from procdsl.programs.base import Interval
from procdsl.programs.plugin import PluginProgram
from procdsl.streams import Stream, key

# So many words are drawn of each of so many lengths at most.
WORDS, LENGTHS = 200, 16
# Standard errors on either side of the mean: one interval in a million is wrong.
WIDE = 5


@lru_cache(maxsize=64)
def entropy(program: PluginProgram, length: int) -> Interval | None:
    """Nats a word, within five standard errors of the mean; None where the plug-in does not say."""
    words = make(program.plugin, program.options)
    told = optional(words, "log_probability")
    if told is None or len(program.lengths.values) > LENGTHS:
        return None
    root, alphabet = key(0, "analysis", "plugin"), words.alphabet
    nats = [
        -float(told([alphabet[id] for id in drawn(program, Stream(root, number), length)]))
        for number in range(WORDS)
    ]
    mean = math.fsum(nats) / WORDS
    error = WIDE * math.sqrt(math.fsum((one - mean) ** 2 for one in nats) / (WORDS - 1) / WORDS)
    return Interval(low=max(mean - error, 0.0), high=mean + error, measured=True)


def chance(program: PluginProgram) -> float | None:
    """What symbols are likeliest, only the plug-in knows."""
    return None
