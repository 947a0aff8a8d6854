"""A process of its own, with a Hub in its environment: python -m tests.runner.corpora.hub_client FOLDER."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from procdsl.errors import RunError
from procdsl.plan import HubTokenizer
from procdsl.plan.sources.builtin import BuiltinSource
from procdsl.plan.sources.hub import HubSource
from runner.corpora import prepare, sources
from runner.events import ignore
from tests.runner.corpora.made import bound, documents, operation

C4 = HubSource(path="allenai/c4", config="en")


def main(folder: Path) -> None:
    """Stream, stop and go on; prepare a corpus with a published tokenizer; misspell names."""
    pinned = sources.pin(C4, offline=False)
    reading = sources.open(pinned.source, digest=pinned.digest, cursor=None)
    begun = reading.take(30_000)
    later = sources.open(pinned.source, digest=pinned.digest, cursor=json.loads(json.dumps(reading.cursor())))
    assert begun + later.take(10**9) == documents(600)
    op = operation(
        source=C4, tokenizer=HubTokenizer(name="small/bpe", size=400), fallback=BuiltinSource(name="pydocs")
    )
    made, place, _ = bound(op, folder)
    facts = prepare(made, place, observe=ignore)
    assert made.binding is not None
    revisions = [made.binding.revision, made.binding.tokenizer.revision]  # type: ignore[union-attr]
    refused = []
    for source in (C4.model_copy(update={"path": "allenai/c5"}), C4.model_copy(update={"revision": "nope"})):
        try:
            sources.pin(source, offline=False)
        except RunError as error:
            refused.append([error.reason, str(error)])
    told = {"place": str(place), "facts": facts, "revisions": revisions, "refused": refused}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
