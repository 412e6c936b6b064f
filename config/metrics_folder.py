"""Where the processes of one container (or of one `make up`) count together for Prometheus.

prometheus_client then keeps each process's numbers in files, which outlive it and are summed when one of
them is asked. The folder must be one container's own: numbers of processes repeat in the next one.
"""

import os
from contextlib import suppress
from pathlib import Path


def prepare(folder: Path) -> None:
    """Make it; what is left there of a process of this number is not at work any more.

    Before prometheus_client is imported, which reads PROMETHEUS_MULTIPROC_DIR then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _forget(folder, os.getpid())


def forget_the_dead(folder: Path) -> None:
    """Of processes that are gone, counters stay and gauges go."""
    for path in folder.glob("gauge_live*.db"):
        number = path.stem.rpartition("_")[2]
        if number.isdigit() and not Path(f"/proc/{number}").exists():
            _forget(folder, int(number))


def _forget(folder: Path, process_id: int) -> None:
    for path in folder.glob(f"gauge_live*_{process_id}.db"):
        with suppress(FileNotFoundError):
            path.unlink()
