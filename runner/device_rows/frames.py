"""Rows made of frames: cells of a grid as ids, frame after frame, with what stands between them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch import Tensor


@lru_cache(maxsize=32)
def around(height: int, width: int, *, line: bool, wraps: bool, device: torch.device) -> Tensor:
    """The cells around each and itself, row by row: N × 3 of a line, N × 9. Beyond the border stands N."""
    reach = torch.arange(-1, 2, device=device)
    y = torch.arange(height, device=device)[:, None, None, None] + (0 * reach[:1] if line else reach)[:, None]
    x = torch.arange(width, device=device)[:, None, None] + reach
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
    place = y % height * width + x % width
    return (place if wraps else torch.where(inside, place, height * width)).view(height * width, -1)


def patched(cells_BFN: Tensor, base: int, grid: tuple[int, int], patch: tuple[int, int]) -> Tensor:
    """Ids of patches, B × F × patches: a patch's cells are its digits, the first the highest."""
    (height, width), (high, wide) = grid, patch
    tiles = cells_BFN.view(*cells_BFN.shape[:2], height // high, high, width // wide, wide)
    digits = tiles.transpose(3, 4).reshape(*cells_BFN.shape[:2], -1, high * wide)
    worth = base ** torch.arange(high * wide - 1, -1, -1, device=digits.device)
    return (digits * worth).sum(-1)


def bordered(ids_BFP: Tensor, after: Sequence[int]) -> Tensor:
    """Each frame followed by these tokens, in one line."""
    ends = ids_BFP.new_tensor(after).expand(*ids_BFP.shape[:2], -1)
    return torch.cat([ids_BFP, ends], 2).flatten(1)
