"""What sources of corpora share: where they lie, what of them bears identity, and how they are told."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Any, Self

from procdsl.kinds import ByKind, Node


class CorpusSource(Node):
    """Documents in one order. `kind` names it, its file, and the module of `runner.corpora.sources`."""

    kind: str

    def files(self) -> tuple[str, ...]:
        """The files that it lists, as written: paths, relative to the spec, and globs."""
        return ()

    def folder(self) -> str | None:
        """The path, relative to the spec, that means a folder of this machine where there is one."""
        return None

    def moved(self, *places: str) -> Self:
        """The same with its files, or its folder, elsewhere."""
        raise NotImplementedError

    @property
    def local(self) -> bool:
        """Whether it lies on this machine, once it is pinned."""
        return False

    def identity(self, *, repeats: bool) -> Self:
        """Itself without what bears no identity: where it lies, and where it ends if it is read once."""
        return self

    def spelt(self) -> str:
        """Itself in a few words."""
        raise NotImplementedError

    def dataset(self, revision: str | None) -> tuple[str, dict[str, Any]]:
        """MLflow's name for such a source of a data set, and what it shows of it."""
        return "code", {name: str(value) for name, value in self.model_dump().items()}


class PublishedSource(CorpusSource):
    """A data set of the Hub, or a folder of its layout: that has no revision, once it is pinned."""

    path: str | None
    revision: str | None = None

    def folder(self) -> str | None:
        return self.path

    def moved(self, *places: str) -> Self:
        (path,) = places
        return self.model_copy(update={"path": path})

    @property
    def local(self) -> bool:
        return self.path is not None and self.revision is None

    def identity(self, *, repeats: bool) -> Self:
        return self.moved(PurePath(self.path).name) if self.path and self.local else self


class LikenessSource(CorpusSource):
    """Documents made of the tokens of another corpus, that of the prepare operation `text`."""

    text: str
    seed: int

    def spelt(self) -> str:
        return f"{self.kind} of {self.text.removeprefix('prepare/')}"


# The type of a field that holds any source.
AnySource = Annotated[CorpusSource, ByKind()]
