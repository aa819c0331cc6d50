"""PostgreSQL's settings for this machine: bulk loading, and reading while that goes on.

Numbers come from what we may really use (cgroup limits count), never from what the hardware has.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

_MB = 1 << 20
_GB = 1 << 30


@dataclass(frozen=True, slots=True)
class Machine:
    """What the server may use. `shared_bytes` is the room in /dev/shm, None where there is no such place."""

    memory_bytes: int
    cores: int
    disk_free_bytes: int
    shared_bytes: int | None = None


def machine(folder: Path) -> Machine:
    """Return what this machine (or container) gives a server whose files lie in `folder`."""
    shared = Path("/dev/shm")  # noqa: S108  (measured, not written to)
    return Machine(
        memory_bytes=min(int(psutil.virtual_memory().total), memory_limit() or 1 << 62),
        cores=max(1, min(_cores_allowed(), int(core_limit() or 1 << 16))),
        disk_free_bytes=shutil.disk_usage(folder).free,
        shared_bytes=shutil.disk_usage(shared).free if shared.is_dir() else None,
    )


def settings(memory_bytes: int, cores: int, disk_free_bytes: int, shared_bytes: int | None = None) -> dict[str, str]:
    """Return the settings in the order in which they should be written."""
    shared_buffers = _between(128 * _MB, memory_bytes // 4, 8 * _GB)
    # WAL is recycled within this size: too small means checkpoints all the time, too large fills the disk.
    wal = _between(128 * _MB, disk_free_bytes // 16, 16 * _GB)
    found = {
        "shared_buffers": _megabytes(shared_buffers),
        "effective_cache_size": _megabytes(max(shared_buffers, memory_bytes * 7 // 10)),
        "work_mem": _megabytes(_between(4 * _MB, memory_bytes // 256, 64 * _MB)),
        # More makes sorts slower: index builds ask for less still (publishing/indexes.py has the figures).
        "maintenance_work_mem": _megabytes(_between(64 * _MB, memory_bytes // 10, 256 * _MB)),
        # Three autovacuum workers must not take three times the memory of an index build.
        "autovacuum_work_mem": _megabytes(_between(16 * _MB, memory_bytes // 40, 256 * _MB)),
        "huge_pages": "try",
        "max_connections": "100",
        "max_locks_per_transaction": "256",
        # No replica reads from here, so a table made in the same transaction needs no WAL.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_wal_size": _megabytes(wal),
        "min_wal_size": _megabytes(_between(32 * _MB, wal // 4, _GB)),
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "checkpoint_warning": "0",
        "max_worker_processes": str(max(8, cores + 4)),
        "max_parallel_workers": str(cores),
        "max_parallel_workers_per_gather": str(_between(0, cores // 2, 4)),
        "max_parallel_maintenance_workers": str(_between(0, cores // 2, 4)),
        "random_page_cost": "1.1",
        "jit": "off",
        "autovacuum": "on",
        "log_destination": "stderr",
        "logging_collector": "off",
        "log_checkpoints": "off",
        "log_line_prefix": "%m [%p] %q%a ",
        "log_timezone": "UTC",
        "timezone": "UTC",
        "datestyle": "iso, ymd",
        "lc_messages": "C",
        "lc_monetary": "C",
        "lc_numeric": "C",
        "lc_time": "C",
    }
    if shared_bytes is not None and shared_bytes < _GB:
        # Containers often have 64 MB there, and a parallel hash join that needs more fails.
        found["dynamic_shared_memory_type"] = "mmap"
    return found


def memory_limit(proc: Path = Path("/proc/self/cgroup"), mount: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return the smallest memory limit of our control groups in bytes, None without one."""
    limits = []
    for controllers, group in _groups(proc):
        if not controllers:
            limits += _numbers(mount, group, "memory.max") + _numbers(mount / "unified", group, "memory.max")
        elif "memory" in controllers:
            limits += _numbers(mount / "memory", group, "memory.limit_in_bytes")
    return min((limit for limit in limits if limit > 0), default=None)


def core_limit(proc: Path = Path("/proc/self/cgroup"), mount: Path = Path("/sys/fs/cgroup")) -> float | None:
    """Return how many cores our control groups let us use at once, None without a limit."""
    limits = []
    for controllers, group in _groups(proc):
        for folder in _upwards(mount if not controllers else mount / "cpu", group):
            if not controllers:
                quota, _, period = _text(folder / "cpu.max").partition(" ")
            elif "cpu" in controllers:
                quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
            else:
                continue
            if quota.isdigit() and period.isdigit() and int(period):
                limits.append(int(quota) / int(period))
    return min(limits, default=None)


def _cores_allowed() -> int:
    """Return the cores that we may run on: `taskset` and container runtimes take some away."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _groups(proc: Path) -> list[tuple[set[str], str]]:
    """Return (controllers, group) for each line; version 2 has one line without controllers."""
    lines = [line.split(":", 2) for line in _text(proc).splitlines()]
    return [(set(filter(None, parts[1].split(","))), parts[2]) for parts in lines if len(parts) == 3]


def _upwards(mount: Path, group: str) -> list[Path]:
    """Return the folders of a group and of all above it: each limits those below.

    In a container the group may be named as on the host while `mount` already is that group; then only `mount` exists.
    """
    below = Path(group.lstrip("/"))
    return [mount / part for part in (below, *below.parents) if ".." not in part.parts]


def _numbers(mount: Path, group: str, name: str) -> list[int]:
    texts = [_text(folder / name) for folder in _upwards(mount, group)]
    return [int(text) for text in texts if text.isdigit()]


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _between(low: int, value: int, high: int) -> int:
    return max(low, min(value, high))


def _megabytes(size: int) -> str:
    return f"{size // _MB}MB"
