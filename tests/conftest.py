"""One thread for each process that a test starts: tests run beside each other (`pytest -n`)."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
