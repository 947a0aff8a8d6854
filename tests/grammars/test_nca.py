"""What the laws cannot say about neural automata: frames against convolutions, activity, faults."""

from __future__ import annotations

import gzip
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from procdsl import analysis, generate, tables
from procdsl.errors import RunError
from procdsl.generate.neural import _drawn, _weight
from procdsl.grammars.base import HeldOut
from procdsl.grammars.nca import Nca
from procdsl.streams import ROW_SLOT, Stream, key
from tests.grammars.examples import drawn, operation, unsplit, words_of

GRAMMAR = Nca(states=10, grid=(6, 8), patch=(2, 2), steps=6, burn_in=0, activity=0)


def frames(grammar: Nca, count: int) -> Any:
    """Rows, frames, lines, cells."""
    program = grammar.program()
    ids, _ = drawn(operation(unsplit(grammar)), "train", 0, count)
    patches = ids.reshape(count, -1, program.frame)[:, :, :-1]
    digits = patches[..., None] // 10 ** np.arange(3, -1, -1) % 10
    return digits.reshape(count, -1, 3, 4, 2, 2).swapaxes(3, 4).reshape(count, -1, 6, 8)


def test_frames_are_what_the_network_makes_of_them() -> None:
    """Row 3's network, applied as one-hot, convolution, two products and a maximum."""
    network, start = _drawn(GRAMMAR.program(), Stream(key(0, "x", "train"), 3, 0))
    around = np.array(network.around).reshape(4, 10, 3, 3)
    row = frames(GRAMMAR, 4)[3]
    assert (row[0] == start).all()
    for now, after in pairwise(row):
        hot = np.eye(10, dtype=int)[now]
        sums = sum(
            np.roll(hot, (1 - dy, 1 - dx), (0, 1)) @ around[:, :, dy, dx].T
            for dy in range(3)
            for dx in range(3)
        )
        scores = np.maximum(sums @ np.array(network.hidden).T, 0) @ np.array(network.out).T
        assert (after == scores.argmax(-1)).all()


def test_weights_are_nearly_normal() -> None:
    weights = np.array([_weight(GRAMMAR.program(), word) for word in Stream(0, 0, ROW_SLOT).words(20_000)])
    assert abs(weights.mean()) < 5
    assert abs(weights.std() - 147.8) < 3
    assert abs((np.abs(weights) < weights.std()).mean() - 0.683) < 0.02


def test_networks_that_do_nothing_are_not_kept() -> None:
    lively = GRAMMAR.model_copy(update={"activity": 0.5, "burn_in": 5})
    found = frames(lively, 100)
    assert ((found[:, 0] != found[:, 1]).mean((1, 2)) >= 0.5).all()
    anything = frames(GRAMMAR.model_copy(update={"burn_in": 5}), 100)
    assert ((anything[:, 0] != anything[:, 1]).mean((1, 2)) < 0.5).any()


def test_what_became_once_becomes_again() -> None:
    """Where all cells are alike, one of the next frame says all."""
    grammar = Nca(states=3, grid=(2, 2), patch=(1, 1), steps=1)
    assert grammar.legal_next([*"0000", "<row>"]) == {"0", "1", "2"}
    assert grammar.legal_next([*"0000", "<row>", "2"]) == {"2"}
    assert "became something else" in (grammar.reason([*"0000", "<row>", *"2212", "<row>"]) or "")
    assert grammar.accepts([*"0000", "<row>", *"2222", "<row>"])


@pytest.mark.parametrize("pooled", [False, True])
def test_frames_lie_as_many_changes_ahead_as_is_said(pooled: bool) -> None:
    """Every third frame of the same networks and starts; read again, and refused where one is another's."""
    fields = {"rules": 7} if pooled else {"activity": 0.1}
    one = unsplit(Nca(states=3, grid=(4, 6), patch=(2, 2), steps=6, **fields))
    third = one.model_copy(update={"steps": 2, "ahead": 3})
    size = one.program().frame
    whole, some = (drawn(operation(grammar), "train", 0, 9)[0] for grammar in (one, third))
    for every, few in zip(whole, some, strict=True):
        for frame in range(3):
            at = slice(frame * size, frame * size + size - pooled)
            assert (few[at] == every[frame * 3 * size :][: size - pooled]).all()
        (word,) = words_of(third, few)
        assert third.reason(word) is None


def test_what_became_once_becomes_again_as_many_changes_ahead() -> None:
    """Cells alike in all that they see are alike; a change further than a cell sees makes them so too."""
    grammar = Nca(states=2, grid=(1, 8), patch=(1, 1), steps=1, ahead=2)
    line = [*"00000001", "<row>"]
    # Two cells to each side: cells 2 to 4 see five zeros, and no others do.
    seen = {place: grammar.legal_next([*line, *"00000000"[:place]]) for place in range(8)}
    assert seen[2] == {"0", "1"}
    assert seen[3] == seen[4] == {"0"}
    assert seen[5] == {"0", "1"}
    assert grammar.accepts([*line, *"00000000", "<row>"])
    # All of a narrow line is seen from every cell: nothing is alike but what is turned.
    narrow = grammar.model_copy(update={"grid": (1, 3)})
    assert narrow.accepts([*"001", "<row>", *"010", "<row>"])
    assert not narrow.accepts([*"000", "<row>", *"010", "<row>"])


def test_floors_and_faults() -> None:
    found = analysis.floor(GRAMMAR.program(), length=GRAMMAR.longest(), context=GRAMMAR.longest())
    assert found is not None
    assert found.low == 0
    assert found.high < 4 * np.log(10)
    assert [p.code for p in Nca(grid=(5, 6), steps=2).problems(10_000)] == ["P364"]
    assert [p.code for p in Nca(patch=(4, 4), steps=2).problems(10_000)] == ["P367"]


# ---------------------------------------------------------------- a pool of networks

POOL = unsplit(Nca(states=5, grid=(6, 6), patch=(2, 2), steps=3, rules=7))


def weighing(stream: Stream) -> tuple[torch.Tensor, ...]:
    """The three kernels that a stream holds, behind its shares of states."""
    weights, _ = tables.pooled_weights(), stream.words(5)

    def some(*shape: int) -> torch.Tensor:
        words = [weights[word >> 20] for word in stream.words(int(np.prod(shape)))]
        return torch.tensor(words, dtype=torch.float64).view(shape)

    return some(4, 7, 3, 3), some(16, 4), some(5, 16)


def convolved(kernels: tuple[torch.Tensor, ...], cells: Any) -> Any:
    """The next frame as published: convolved, wrapped along all three axes, then twice by 1 × 1."""
    around, hidden, out = kernels
    hot = F.one_hot(torch.as_tensor(cells), 5).permute(2, 0, 1).double()
    padded = F.pad(hot[None, None], (1, 1, 1, 1, 1, 1), mode="circular")[0]
    sums = F.conv2d(padded, around)[0]
    acts = torch.relu(torch.einsum("hc,cyx->hyx", hidden, sums))
    return torch.einsum("sh,hyx->syx", out, acts).argmax(0).numpy()


def pooled_frames(count: int) -> Any:
    """Rows, frames, lines, cells; the end that is cut off put back."""
    ids, _ = drawn(operation(POOL), "train", 0, count)
    patches = np.pad(ids, ((0, 0), (0, 1))).reshape(count, 4, 11)[:, :, 1:-1]
    digits = patches[..., None] // 5 ** np.arange(3, -1, -1) % 5
    return digits.reshape(count, 4, 3, 3, 2, 2).swapaxes(3, 4).reshape(count, 4, 6, 6)


def test_a_pools_networks_see_channels_wrapped_and_serve_every_epoch() -> None:
    """Row i has network i modulo 7: the first attempt at it whose ten frames, from its own start, fit."""
    rows, least, most = pooled_frames(21), 4 * 90 / 2, 4 * 90
    for rule in range(7):
        for attempt in range(100):
            address = key(0, "x", "train", "rules"), rule, attempt << 16
            kernels = weighing(Stream(*address))
            _, cells = _drawn(POOL.program(), Stream(*address))
            for _ in range(10):
                cells = convolved(kernels, cells)
            shown = b""
            for _ in range(10):
                patches = np.array(cells).reshape(3, 2, 3, 2).swapaxes(1, 2).reshape(9, 4) @ 5 ** np.arange(
                    3, -1, -1
                )
                shown += patches.astype("<i4").tobytes()
                cells = convolved(kernels, cells)
            if least < len(gzip.compress(shown, 9)) < most:
                break
        for row in rows[rule::7]:
            for now, after in pairwise(row):
                assert (convolved(kernels, now) == after).all()
    assert len({row.tobytes() for row in rows}) == 21


def test_a_pools_rows_are_framed_and_cut_as_published() -> None:
    """27 frames of 38 tokens are 1,026, of which 1,025 make 1,024 positions; 38 targets are not scored."""
    whole = Nca(steps=26, rules=16_000)
    assert (whole.program().frame, whole.longest()) == (38, 1024)
    assert whole.tokens()[10_000:] == ("<frame>", "<row>", "<pad>")
    made = operation(POOL)
    ids, scored = drawn(made, "train", 0, 2)
    told = generate.rows(made, seed=0, split="train", start=0, count=2)
    assert (ids.tolist(), scored.tolist()) == told
    assert scored.tolist() == [[0] * 12 + [1] * 31] * 2
    for row in ids:
        (word,) = words_of(POOL, row)
        assert [at for at, token in enumerate(word) if token == "<frame>"] == [0, 11, 22, 33]
        assert [at for at, token in enumerate(word) if token == "<row>"] == [10, 21, 32]
        assert POOL.reason(word) is None
        assert all(word[cut] in POOL.legal_next(word[:cut]) for cut in range(len(word)))
    assert (POOL.reason([*word[:11], *word[12:]]) or "").startswith(f"{word[12]!r} at 12 cannot stand there")


def test_a_pool_of_each_part_is_its_own() -> None:
    shares = HeldOut(validation=0.25, test=0.25)
    made = operation(POOL.model_copy(update={"held_out": shares}))
    for split in ("validation", "test"):
        ids, scored = drawn(made, split, 0, 2)
        assert (ids.tolist(), scored.tolist()) == generate.rows(made, seed=0, split=split, start=0, count=2)


@pytest.mark.slow
def test_a_pool_that_nothing_fits_is_told() -> None:
    none = unsplit(Nca(states=2, grid=(1, 1), patch=(1, 1), steps=1, rules=2, compression=(3.0, 4.0)))
    with pytest.raises(RunError, match="network 0 of 'x'"):
        drawn(operation(none), "train", 0, 1)


def test_faults_of_a_pool() -> None:
    for fields in ({"grid": [48, 48]}, {"compression": [0.5, 0.5]}, {"activity": 0.2}):
        grammar = Nca.model_validate({"steps": 1, "rules": 5} | fields)
        assert [p.code for p in grammar.problems(10_000)] == ["P368"]
