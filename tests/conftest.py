"""One thread for each process that a test starts: tests run beside each other (`pytest -n`).

What Hypothesis tries is the same each time, and takes as long as it takes: a busy machine fails no test.
"""

import os

from hypothesis import HealthCheck, settings

os.environ.setdefault("OMP_NUM_THREADS", "1")
settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steady")
