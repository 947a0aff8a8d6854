"""Writing token by token, against the whole row fed at once."""

from __future__ import annotations

import torch
from torch import Tensor

from procdsl import streams
from runner import generation
from runner.initial import initial
from tests.runner.training import TINY


def test_what_is_kept_changes_no_logits() -> None:
    model = initial(TINY, 9, 3).eval()
    for tensor in model.parameters():
        tensor.data.mul_(4)
    seen: list[Tensor] = []

    def likeliest(logits: Tensor, _: int) -> Tensor:
        seen.append(logits)
        return logits.argmax(1)

    with torch.inference_mode():
        ids = generation.written(model, torch.tensor([1, 4, 7]), TINY.context, likeliest)
        whole = model.logits(torch.cat([torch.tensor([[1], [4], [7]]), ids[:, :-1]], 1))
    torch.testing.assert_close(torch.stack(seen, 1), whole, rtol=1e-5, atol=1e-6)
    assert torch.equal(whole.argmax(2), ids)
    assert len(set(map(tuple, ids.tolist()))) > 1


def test_draws_have_addresses_and_follow_the_chances() -> None:
    logits = torch.tensor([[0.1, 0.6, 0.0, 0.3]]).log().repeat(4_000, 1)
    key = streams.key(0, "words")
    found = generation.sampled(key, range(4_000))(logits, 0)
    assert torch.equal(found[500:700], generation.sampled(key, range(500, 700))(logits[500:700], 0))
    shares = torch.bincount(found, minlength=4) / 4_000
    # Four standard deviations of a share of a half are 0.032.
    torch.testing.assert_close(shares, logits[0].exp(), rtol=0, atol=0.032)
    assert shares[2] == 0
