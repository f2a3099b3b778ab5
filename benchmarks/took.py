"""What a process took. On a script's path is the standard library alone."""

from pathlib import Path
from resource import RUSAGE_SELF, getrusage


def cpu_s() -> float:
    """User and system, of this process."""
    took = getrusage(RUSAGE_SELF)
    return took.ru_utime + took.ru_stime


def peak_mib() -> float:
    """Resident, of this program: `ru_maxrss` would begin with that of whoever started it."""
    status = Path("/proc/self/status")
    if not status.exists():
        return getrusage(RUSAGE_SELF).ru_maxrss / 1024 / 1024  # macOS counts bytes
    line = next(each for each in status.read_text().splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
