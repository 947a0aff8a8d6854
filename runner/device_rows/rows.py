"""What one attempt at some rows gives, and which of it can be kept."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from procdsl.programs.base import WordProgram


class Rows(NamedTuple):
    """Ids, as many as each row has before its padding; the first `unscored` are no targets.

    What is hashed for the splits; and which rows a program takes, where it does not take all.
    """

    ids_BT: Tensor
    hashed_BN: Tensor
    unscored: int
    pad: int
    taken_B: Tensor | None = None


def filled(program: WordProgram, context: int) -> int:
    """One attempt, where each row is one word; none where words are packed."""
    return int(program.lengths.values == (context,))


def of_words(program: WordProgram, word_BN: Tensor) -> Rows:
    """Rows of one word each, behind ``<bos>``."""
    bos_B1 = torch.full_like(word_BN[:, :1], program.symbols)
    return Rows(torch.cat([bos_B1, word_BN], 1), word_BN, unscored=1, pad=program.symbols + 2)
