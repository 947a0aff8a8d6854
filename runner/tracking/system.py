"""What the machine does while an operation trains, sampled into its journal under `system/`.

MLflow has a sampler of its own; it calls the server for every sample and ends for good at the first failure.
Names are MLflow's, so that its System metrics page shows them.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import psutil

from runner.tracking.journal import Journal

SECONDS = 10.0


class Watch:
    """Samples while its `with` block runs. `position` gives the step and the tokens fed so far."""

    def __init__(
        self,
        journal: Journal,
        position: Callable[[], tuple[int, int]],
        *,
        device: str,
        seconds: float = SECONDS,
    ) -> None:
        self._journal, self._position, self._seconds = journal, position, seconds
        self._card = _card(device)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample_often, name="system-metrics", daemon=True)

    def __enter__(self) -> Self:
        # The first answer is the mean since the machine's start, or nothing: it is thrown away.
        psutil.cpu_percent()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _sample_often(self) -> None:
        while not self._ended.wait(self._seconds):
            self._journal.log(*self._position(), sample(self._card))


def sample(card: Any = None) -> dict[str, float]:
    """The state of the machine, and of an accelerator's handle if one is given."""
    memory = psutil.virtual_memory()
    found = {
        "system/cpu_utilization_percentage": psutil.cpu_percent(),
        "system/system_memory_usage_megabytes": memory.used / 1e6,
        "system/system_memory_usage_percentage": memory.percent,
        "system/process_memory_megabytes": psutil.Process().memory_info().rss / 1e6,
    }
    return found | (_card_state(card) if card is not None else {})


def _card(device: str) -> Any:
    """NVML's handle of the card that torch calls `device`; None without one, or without NVML."""
    if not device.startswith("cuda"):
        return None
    try:
        nvml, torch = importlib.import_module("pynvml"), importlib.import_module("torch")
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
        properties = torch.cuda.get_device_properties(device)
        return nvml.nvmlDeviceGetHandleByUUID(f"GPU-{properties.uuid}")
    except (nvml.NVMLError, RuntimeError, AttributeError):
        return None


def _card_state(card: Any) -> dict[str, float]:
    nvml = importlib.import_module("pynvml")
    try:
        memory = nvml.nvmlDeviceGetMemoryInfo(card)
        return {
            "system/gpu_0_utilization_percentage": float(nvml.nvmlDeviceGetUtilizationRates(card).gpu),
            "system/gpu_0_memory_usage_megabytes": memory.used / 1e6,
            "system/gpu_0_memory_usage_percentage": 100 * memory.used / memory.total,
            "system/gpu_0_power_usage_watts": nvml.nvmlDeviceGetPowerUsage(card) / 1000,
        }
    except nvml.NVMLError:
        return {}
