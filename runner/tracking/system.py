"""What the machine does while an operation trains, sampled into its journal under `system/`.

MLflow has a sampler of its own; it calls the server for every sample and ends for good at the first failure.
Names are MLflow's, so that its System metrics page shows them.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import threading
from collections.abc import Callable, Iterator
from typing import Any

from runner.tracking.journal import Journal

SECONDS = 10.0


@contextlib.contextmanager
def watch(
    journal: Journal | None,
    position: Callable[[], tuple[int, int]],
    *,
    device: str = "cpu",
    seconds: float = SECONDS,
) -> Iterator[None]:
    """Sample while the block runs. `position` gives the step and the tokens fed so far.

    Nothing is sampled without a journal, or where psutil is not installed: training needs neither.
    """
    if journal is None or importlib.util.find_spec("psutil") is None:
        yield
        return
    ended = threading.Event()
    card = _card(device)
    # The first answer about the processor is the mean since the machine's start, or nothing: thrown away.
    sample(card)

    def often() -> None:
        while not ended.wait(seconds):
            journal.log(*position(), sample(card))

    thread = threading.Thread(target=often, name="system-metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def sample(card: Any = None) -> dict[str, float]:
    """The state of the machine, and of an accelerator's handle if one is given."""
    import psutil

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
