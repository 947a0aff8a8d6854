"""Checkpoints: whole or not there, verified when read, never a silent start from nothing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from procdsl.errors import RunError
from runner import checkpoints
from runner.checkpoints import Checkpoint
from runner.events import Event


def checkpoint(step: int) -> Checkpoint:
    draw = torch.Generator().manual_seed(step)
    model = {"a.weight": torch.randn(7, 5, generator=draw), "turned": torch.randn(4, 6, generator=draw).t()}
    return Checkpoint(
        step, model, {"exp_avg/a.weight": torch.ones(7, 5), "step/a.weight": torch.tensor(3.0)}, {"x": [0.1]}
    )


def load(folder: Path) -> tuple[Checkpoint | None, list[Event]]:
    events: list[Event] = []
    return checkpoints.load(folder, operation="t", observe=events.append), events


def test_what_is_loaded_is_what_was_saved(tmp_path: Path) -> None:
    saved = checkpoint(400)
    digest = checkpoints.save(tmp_path, saved)
    found, events = load(tmp_path)
    assert found is not None
    assert not events
    assert (found.step, found.facts) == (400, {"x": [0.1]})
    for one, other in ((found.model, saved.model), (found.optimiser, saved.optimiser)):
        assert set(one) == set(other)
        assert all(torch.equal(one[name], other[name]) for name in other)
    assert checkpoints.digest(tmp_path, 400) == digest


def test_there_is_nothing_where_nothing_was_saved(tmp_path: Path) -> None:
    assert load(tmp_path / "none") == (None, [])


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    for step in (5, 10, 15):
        checkpoints.save(tmp_path, checkpoint(step))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000010", "step-00000015"]


def _flip(place: Path) -> None:
    path = place / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(bytes(content))


def _cut(place: Path) -> None:
    os.truncate(place / "optimiser.safetensors", 10)


def _lose(place: Path) -> None:
    (place / "state.json").unlink()


def _unmake(place: Path) -> None:
    (place / "MANIFEST.json").write_text("{")


@pytest.mark.parametrize("harm", [_flip, _cut, _lose, _unmake])
def test_a_broken_one_is_set_aside_for_the_one_before(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    checkpoints.save(tmp_path, checkpoint(5))
    checkpoints.save(tmp_path, checkpoint(10))
    harm(tmp_path / "step-00000010")
    found, events = load(tmp_path)
    assert found is not None
    assert found.step == 5
    assert "step-00000010 is broken" in events[0].facts["text"]
    assert (tmp_path / "bad-step-00000010").is_dir()


def test_if_all_are_broken_training_does_not_begin_again_in_silence(tmp_path: Path) -> None:
    checkpoints.save(tmp_path, checkpoint(5))
    _flip(tmp_path / "step-00000005")
    for _ in range(2):
        with pytest.raises(RunError, match="no whole checkpoint is left") as error:
            load(tmp_path)
        assert error.value.reason == "checkpoints"


def test_what_a_killed_writer_left_is_not_a_checkpoint_and_goes(tmp_path: Path) -> None:
    checkpoints.save(tmp_path, checkpoint(5))
    shutil.copytree(tmp_path / "step-00000005", tmp_path / ".tmp-step-00000010")
    (tmp_path / ".tmp-step-00000010" / "MANIFEST.json").unlink()
    found, _ = load(tmp_path)
    assert found is not None
    assert found.step == 5
    checkpoints.save(tmp_path, checkpoint(10))
    assert not list(tmp_path.glob(".tmp-*"))


def test_a_full_disk_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoints.save(tmp_path, checkpoint(5))
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(RunError, match="does not fit") as error:
        checkpoints.save(tmp_path, checkpoint(10))
    assert error.value.reason == "no-space"
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000005"]


def test_a_disk_that_fills_while_writing_leaves_the_one_before(tmp_path: Path) -> None:
    """A quota on file sizes stands for the disk: the system refuses the write in the middle."""
    import resource
    import signal

    checkpoints.save(tmp_path, checkpoint(5))
    large = Checkpoint(10, {"big": torch.zeros(1 << 20)}, {}, {})
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(RunError, match="cannot write"):
            checkpoints.save(tmp_path, large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    found, _ = load(tmp_path)
    assert found is not None
    assert found.step == 5


def test_nothing_in_it_is_a_pickle(tmp_path: Path) -> None:
    checkpoints.save(tmp_path, checkpoint(5))
    names = sorted(path.name for path in (tmp_path / "step-00000005").iterdir())
    assert names == ["MANIFEST.json", "model.safetensors", "optimiser.safetensors", "state.json"]
    for name in ("MANIFEST.json", "state.json"):
        json.loads((tmp_path / "step-00000005" / name).read_text())
