"""Hugging Face's GPT-2 layout: other names than ours, and matrices that stand the other way round."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from procdsl.plan import ModelShape

_OUTSIDE = {
    "embedding.weight": "transformer.wte.weight",
    "position.weight": "transformer.wpe.weight",
    "norm.weight": "transformer.ln_f.weight",
    "norm.bias": "transformer.ln_f.bias",
    "head.weight": "lm_head.weight",
}
_IN_BLOCK = {
    "attention_norm": "ln_1",
    "attention.into": "attn.c_attn",
    "attention.out": "attn.c_proj",
    "mlp_norm": "ln_2",
    "mlp.up": "mlp.c_fc",
    "mlp.down": "mlp.c_proj",
}


def to_hugging_face(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our tensors as `GPT2LMHeadModel` names and turns them; a tied head is written out."""
    made = {
        _theirs(name): tensor.t().contiguous() if _turned(name) else tensor
        for name, tensor in tensors.items()
    }
    return {"lm_head.weight": made["transformer.wte.weight"]} | made


def config(shape: ModelShape, vocabulary: int) -> dict[str, object]:
    """The fields of `GPT2Config` that make the same model."""
    return {
        "vocab_size": vocabulary,
        "n_positions": shape.context,
        "n_embd": shape.width,
        "n_layer": shape.layers,
        "n_head": shape.heads,
        "activation_function": "gelu_new",
        "resid_pdrop": shape.dropout,
        "embd_pdrop": shape.dropout,
        "attn_pdrop": shape.dropout,
        "tie_word_embeddings": shape.tied,
        "bos_token_id": None,
        "eos_token_id": None,
    }


def _theirs(name: str) -> str:
    if name in _OUTSIDE:
        return _OUTSIDE[name]
    _, layer, part = name.split(".", 2)
    module, _, kind = part.rpartition(".")
    return f"transformer.h.{layer}.{_IN_BLOCK[module]}.{kind}"


def _turned(name: str) -> bool:
    """Conv1D holds a matrix as in × out, Linear as out × in."""
    return name.startswith("blocks.") and name.endswith(".weight") and "norm" not in name
