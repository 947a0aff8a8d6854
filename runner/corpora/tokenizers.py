"""Tokenizers: bytes, byte-level BPE trained on the corpus, published ones. All give back every byte.

Text can never spell the separator: bytes keep id 256 for it, BPE the last id, and a published tokenizer
reads its own special tokens as ordinary text.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from procdsl.errors import RunError
from procdsl.plan import AnyTokenizer, BpeTokenizer, BytesTokenizer, CharactersTokenizer, HubTokenizer
from runner.store import write

FILE, SETTINGS = "tokenizer.json", "tokenizer_config.json"
# What BPE is trained on: the first of the text, more for more ids, and never more because a budget grew.
_LEAST_SAMPLE, _SAMPLE_PER_ID = 1_000_000, 1000


class Tokenizer(Protocol):
    """Text to ids. `token_bytes[i]` is how many bytes of text id i stands for, 0 for the separator."""

    size: int
    separator: int
    token_bytes: NDArray[np.int64]
    sha256: str

    def encode(self, texts: Sequence[str]) -> list[NDArray[np.int64]]: ...
    def decode(self, ids: Sequence[int]) -> str: ...


class Bytes:
    """UTF-8 bytes."""

    size = 257
    separator = 256
    token_bytes = np.array([1] * 256 + [0], dtype=np.int64)
    sha256 = ""

    def encode(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        return [np.frombuffer(text.encode(), dtype=np.uint8).astype(np.int64) for text in texts]

    def decode(self, ids: Sequence[int]) -> str:
        return bytes(ids).decode(errors="replace")


class Characters:
    """Problems, a line's end between question and answer: 95 characters and four marks, or five.

    Ids: padding, a character that is none of the 95, a question's begin, an answer's begin, the characters,
    and an answer's end where it is learnt.
    """

    sha256 = ""
    PAD, UNKNOWN, BEGIN, ANSWER = range(4)

    def __init__(self, size: int) -> None:
        self.size = size
        self.separator = self.BEGIN
        self.token_bytes = np.array([0] * 4 + [1] * 95 + [0] * (size - 99), dtype=np.int64)
        self._id = np.full(128, self.UNKNOWN, dtype=np.int64)
        self._id[32:127] = np.arange(4, 99)
        self._id[10] = self.ANSWER
        self._end = np.arange(99, size, dtype=np.int64)

    def encode(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        return [self._encoded(np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)) for text in texts]

    def decode(self, ids: Sequence[int]) -> str:
        return spelt(ids)

    def _encoded(self, codes: NDArray[np.uint32]) -> NDArray[np.int64]:
        ids = self._id[np.where(codes < 128, codes, 0)]
        return np.concatenate([[self.BEGIN], ids, self._end])


def scored(ids: NDArray[np.int32]) -> NDArray[np.bool_]:
    """What of rows of problems is scored: answers, and the ends of answers that have one."""
    place = np.arange(ids.shape[1])
    opened = np.maximum.accumulate(np.where(ids == Characters.ANSWER, place, -1), axis=1)
    closed = (ids == Characters.BEGIN) | (ids == Characters.PAD)
    inside = opened > np.maximum.accumulate(np.where(closed, place, -1), axis=1)
    answers: NDArray[np.bool_] = np.logical_and(inside, ids != Characters.ANSWER)
    return answers


def spelt(ids: Sequence[int]) -> str:
    """A row of problems, its marks in angle brackets and no padding."""
    marks = ("", "<unknown>", "<question>", "<answer>")
    return "".join(marks[id] if id < 4 else chr(id + 28) if id < 99 else "<end>" for id in ids)


class ByteLevel:
    """A byte-level tokenizer of Hugging Face's library, from its JSON."""

    def __init__(self, content: bytes, *, size: int, separator: int) -> None:
        from tokenizers import Tokenizer as Library

        self.size = size
        self.separator = separator
        self.sha256 = hashlib.sha256(content).hexdigest()
        self._library = Library.from_str(content.decode())
        self._library.no_truncation()
        self._library.no_padding()
        self._library.encode_special_tokens = True
        self.token_bytes = np.zeros(size, dtype=np.int64)
        for token, id in self._library.get_vocab(with_added_tokens=False).items():
            # In the byte-level alphabet one character stands for one byte.
            self.token_bytes[id] = len(token)
        self.token_bytes[separator] = 0

    def encode(self, texts: Sequence[str]) -> list[NDArray[np.int64]]:
        found = self._library.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(encoding.ids, dtype=np.int64) for encoding in found]

    def decode(self, ids: Sequence[int]) -> str:
        return str(self._library.decode(list(ids)))


# Gives the first so many characters of a corpus, for a tokenizer to be trained on.
Sample = Callable[[int], Iterator[str]]


def make(tokenizer: AnyTokenizer, place: Path, *, sample: Sample | None = None) -> Tokenizer:
    """The tokenizer of a prepared corpus, made where it is not there and a sample can be had."""
    if isinstance(tokenizer, BytesTokenizer):
        return Bytes()
    if isinstance(tokenizer, CharactersTokenizer):
        return Characters(tokenizer.size)
    names = (FILE,) if isinstance(tokenizer, BpeTokenizer) else (FILE, SETTINGS)
    if lacking := [place / name for name in names if not (place / name).exists()]:
        if sample is None:
            help = f"delete {place} and run again"
            raise RunError(f"{lacking[0]} is missing", reason="damaged", help=help)
        made = _trained(tokenizer, sample) if isinstance(tokenizer, BpeTokenizer) else fetched(tokenizer)
        for name, content in zip(names, made, strict=True):
            write(place / name, content)
    content, *settings = [(place / name).read_bytes() for name in names]
    if isinstance(tokenizer, BpeTokenizer):
        return ByteLevel(content, size=tokenizer.size, separator=tokenizer.size - 1)
    _, separator = published(tokenizer.name, content, *settings)
    return ByteLevel(content, size=tokenizer.size, separator=separator)


def shared(tokenizer: AnyTokenizer, source: Path, place: Path) -> Tokenizer:
    """The tokenizer of the corpus prepared in `source`, for one that is made of its tokens."""
    for name in (FILE, SETTINGS):
        if (source / name).exists():
            shutil.copyfile(source / name, place / name)
    return make(tokenizer, place)


def fetched(tokenizer: HubTokenizer) -> tuple[bytes, bytes]:
    """The two files of a published tokenizer, of the size and the kind that a plan counts on."""
    from runner.corpora.sources import hub

    content, settings = hub.tokenizer_files(tokenizer)
    size, _ = published(tokenizer.name, content, settings)
    if size != tokenizer.size:
        raise RunError(
            f"tokenizer {tokenizer.name} has {size:,} ids, the spec says {tokenizer.size:,}",
            reason="data",
            help=f"write size = {size}",
        )
    return content, settings


def _trained(tokenizer: BpeTokenizer, sample: Sample) -> tuple[bytes]:
    from tokenizers import Tokenizer as Library
    from tokenizers import decoders, models, pre_tokenizers, trainers

    library = Library(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    library.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=tokenizer.size - 1,
        min_frequency=2,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=[],
        show_progress=False,
    )
    characters = max(_LEAST_SAMPLE, _SAMPLE_PER_ID * tokenizer.size)
    library.train_from_iterator(sample(characters), trainer)
    return (str(library.to_str(pretty=True)).encode(),)


def published(name: str, content: bytes, settings: bytes) -> tuple[int, int]:
    """Size and separator of a published tokenizer; refuses those that do not give back every byte."""
    library = json.loads(content)
    if "ByteLevel" not in json.dumps([library.get("pre_tokenizer"), library.get("decoder")]):
        raise RunError(
            f"tokenizer {name} is not byte-level, so bits per byte would not be exact",
            reason="data",
            help='use a byte-level one such as gpt2, or { kind = "bpe", size = … }',
        )
    ids = library["model"]["vocab"] | {token["content"]: token["id"] for token in library["added_tokens"]}
    eos = json.loads(settings).get("eos_token")
    eos = eos["content"] if isinstance(eos, dict) else eos
    if eos not in ids:
        raise RunError(
            f"tokenizer {name} names no end-of-text token, and documents need one between them",
            reason="data",
            help='use another tokenizer, or { kind = "bpe", size = … }',
        )
    return max(ids.values()) + 1, ids[eos]
