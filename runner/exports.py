"""A trial's model as a Hugging Face GPT-2 folder, which `transformers` loads and `lm_eval` measures.

Of a phase on text, the ids are the text's: rows of grammars' tokens are left out, as in our own text losses.
Of any other, tokens are words with blanks between them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from procdsl.errors import UsageError
from procdsl.plan import BpeTokenizer, BytesTokenizer, HubTokenizer, Plan, PrepareOperation, TrainOperation
from runner import checkpoints, layouts
from runner.corpora.tokenizers import FILE, SETTINGS, published
from runner.store import Store, write_json

SEPARATOR = "<|endoftext|>"


def export_model(
    plan: Plan, store: Store, folder: Path, *, curriculum: str, seed: int, phase: str | None
) -> dict[str, Any]:
    """Write the parameters that a phase (the last, if none is named) ended with; what was written."""
    operation = _operation(plan, curriculum, seed, phase)
    if operation.vocabulary.cells:
        help = "name a phase whose positions are tokens"
        raise UsageError(f"{operation.id} reads frames of cells, and GPT-2 reads tokens", help=help)
    if not store.done("train", plan.key(operation.id)):
        raise UsageError(f"{operation.id} is not finished", help="`procdsl run` finishes it")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already", help="name a folder that is not, or is empty")
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = operation.vocabulary
    size = vocabulary.text_size or vocabulary.size
    tensors = checkpoints.parameters(store.path("train", plan.key(operation.id)))
    save_file(_theirs(tensors, operation, size), folder / "model.safetensors", metadata={"format": "pt"})
    separator, files = _tokenizer(plan, store, operation)
    for name, content in files.items():
        (folder / name).write_text(content, "utf-8")
    named = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "torch_dtype": "float32"}
    ends = {"bos_token_id": separator, "eos_token_id": separator}
    write_json(folder / "config.json", layouts.config(operation.model, size) | named | ends)
    return {"folder": str(folder), "operation": operation.id, "vocabulary": size}


def _operation(plan: Plan, curriculum: str, seed: int, phase: str | None) -> TrainOperation:
    trials = {(trial.curriculum, trial.seed): trial for trial in plan.trials}
    if (curriculum, seed) not in trials:
        known = ", ".join(dict.fromkeys(trial.curriculum for trial in plan.trials))
        seeds = ", ".join(map(str, dict.fromkeys(trial.seed for trial in plan.trials)))
        raise UsageError(
            f"the study has no curriculum {curriculum!r} with seed {seed}",
            help=f"curricula: {known}; seeds: {seeds}",
        )
    phases = {one.name: one.train for one in trials[curriculum, seed].phases}
    if phase is not None and phase not in phases:
        raise UsageError(f"{curriculum} has no phase {phase!r}", help=f"it has {', '.join(phases)}")
    return plan.operation(phases[phase or list(phases)[-1]], TrainOperation)


def _theirs(tensors: dict[str, Tensor], operation: TrainOperation, size: int) -> dict[str, Tensor]:
    cut = {name: tensors[name][:size] for name in ("embedding.weight", "head.weight") if name in tensors}
    made = layouts.to_hugging_face(tensors | cut)
    if operation.model.tied:
        del made["lm_head.weight"]
    return {name: tensor.contiguous() for name, tensor in made.items()}


def _tokenizer(plan: Plan, store: Store, operation: TrainOperation) -> tuple[int | None, dict[str, str]]:
    """The id that stands between texts, and the files of a tokenizer."""
    if operation.vocabulary.text is None:
        tokens = operation.vocabulary.tokens
        end = "<end>" if "<end>" in tokens else None
        made = _library(_words(tokens)), _settings(operation, end, tokens[0])
        return (tokens.index(end) if end else None), dict(zip((FILE, SETTINGS), made, strict=True))
    corpus = plan.operation(operation.vocabulary.text, PrepareOperation)
    assert corpus.binding is not None
    place = store.path("prepare", plan.key(corpus.id))
    match corpus.binding.tokenizer:
        case BytesTokenizer(size=size):
            content = _byte_level({_letter(byte): byte for byte in range(256)}, size - 1)
        case BpeTokenizer(size=size):
            content = _with_separator(json.loads((place / FILE).read_text("utf-8")), size - 1)
        case HubTokenizer():
            files = {name: (place / name).read_text("utf-8") for name in (FILE, SETTINGS)}
            return published(corpus.name, *(text.encode() for text in files.values()))[1], files
        case _:
            raise UsageError(f"{corpus.name} has a tokenizer that Hugging Face's library has no form for")
    return size - 1, {FILE: _library(content), SETTINGS: _settings(operation, SEPARATOR, SEPARATOR)}


def _settings(operation: TrainOperation, end: str | None, begin: str) -> str:
    settings: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": operation.model.context,
        "clean_up_tokenization_spaces": False,
    }
    return json.dumps(settings | ({"bos_token": begin, "eos_token": end} if end else {}), indent=2)


def _library(content: dict[str, Any]) -> str:
    """The JSON of Hugging Face's library; read by it once, so that what it would refuse is never written."""
    from tokenizers import Tokenizer

    return str(Tokenizer.from_str(json.dumps(content)).to_str(pretty=True))


def _words(tokens: tuple[str, ...]) -> dict[str, Any]:
    """A token is what stands between blanks."""
    return {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "model": {
            "type": "WordLevel",
            "vocab": {token: id for id, token in enumerate(tokens)},
            "unk_token": "<unk>",
        },
    }


def _byte_level(vocabulary: dict[str, int], separator: int) -> dict[str, Any]:
    """Bytes by themselves, as a byte-level BPE that merges nothing."""
    step = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    content = {
        "version": "1.0",
        "added_tokens": [],
        "pre_tokenizer": step,
        "decoder": step,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    }
    return _with_separator(content, separator)


def _with_separator(content: dict[str, Any], id: int) -> dict[str, Any]:
    """A tokenizer of ours with a spelling for the id that stands between texts."""
    flags = dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
    model = content["model"] | {"vocab": content["model"]["vocab"] | {SEPARATOR: id}}
    token = {"id": id, "content": SEPARATOR, "special": True, **flags}
    return content | {"model": model, "added_tokens": [*content["added_tokens"], token]}


def _letter(byte: int) -> str:
    """The character that stands for a byte in byte-level tokenizers (Radford et al. 2019).

    >>> _letter(65), _letter(32)
    ('A', 'Ġ')
    """
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    if byte in plain:
        return chr(byte)
    return chr(256 + [other for other in range(256) if other not in plain].index(byte))
