"""Settings follow what the machine or container really gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelbase.database.tuning import core_limit, machine, memory_limit, settings

GB = 1 << 30


def megabytes(value: str) -> int:
    assert value.endswith("MB")
    return int(value.removesuffix("MB"))


def test_a_large_machine_gets_the_caps() -> None:
    found = settings(256 * GB, 64, 10_000 * GB)
    assert megabytes(found["shared_buffers"]) == 8192
    assert megabytes(found["maintenance_work_mem"]) == 256
    assert megabytes(found["max_wal_size"]) == 16384
    assert found["max_parallel_workers"] == "64"
    assert int(found["max_worker_processes"]) > 64


def test_a_tiny_machine_gets_the_least_that_works() -> None:
    found = settings(GB // 2, 1, GB // 4)
    assert megabytes(found["shared_buffers"]) == 128
    assert megabytes(found["max_wal_size"]) == 128
    assert found["max_parallel_workers_per_gather"] == "0"


@pytest.mark.parametrize("memory", [1 << 20, GB, 3 * GB, 24 * GB, 1000 * GB])
@pytest.mark.parametrize("disk", [0, GB // 4, 50 * GB, 9000 * GB])
def test_sizes_never_contradict_each_other(memory: int, disk: int) -> None:
    found = settings(memory, 2, disk)
    assert megabytes(found["effective_cache_size"]) >= megabytes(found["shared_buffers"])
    # PostgreSQL refuses less than two WAL files of 16 MB.
    assert 32 <= megabytes(found["min_wal_size"]) <= megabytes(found["max_wal_size"]) // 2


def test_little_room_in_dev_shm_moves_shared_memory_into_the_data_folder() -> None:
    assert settings(GB, 2, GB, 64 << 20)["dynamic_shared_memory_type"] == "mmap"
    assert "dynamic_shared_memory_type" not in settings(GB, 2, GB, 4 * GB)
    assert "dynamic_shared_memory_type" not in settings(GB, 2, GB, None)


def test_this_machine_can_be_measured(tmp_path: Path) -> None:
    found = machine(tmp_path)
    assert found.memory_bytes > 0
    assert found.cores >= 1
    assert found.disk_free_bytes > 0


def test_limits_of_version_2_count_on_every_level(tmp_path: Path) -> None:
    group = tmp_path / "mount" / "a" / "b"
    group.mkdir(parents=True)
    proc = tmp_path / "cgroup"
    proc.write_text("0::/a/b\n")
    (group / "memory.max").write_text("max\n")
    (group / "cpu.max").write_text("max 100000\n")
    assert (memory_limit(proc, tmp_path / "mount"), core_limit(proc, tmp_path / "mount")) == (None, None)
    (group.parent / "memory.max").write_text("1073741824\n")
    (group.parent / "cpu.max").write_text("150000 100000\n")
    assert (memory_limit(proc, tmp_path / "mount"), core_limit(proc, tmp_path / "mount")) == (GB, 1.5)


def test_limits_of_version_1_are_found_in_a_container(tmp_path: Path) -> None:
    proc = tmp_path / "cgroup"
    proc.write_text("4:memory:/docker/0123\n2:cpu,cpuacct:/docker/0123\n1:name=systemd:/\n")
    for controller in ("memory", "cpu"):
        (tmp_path / controller).mkdir()
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("2147483648\n")
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("-1\n")
    (tmp_path / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    assert (memory_limit(proc, tmp_path), core_limit(proc, tmp_path)) == (2 * GB, None)
    (tmp_path / "cpu" / "cpu.cfs_quota_us").write_text("200000\n")
    assert core_limit(proc, tmp_path) == 2


def test_no_control_groups_mean_no_limit(tmp_path: Path) -> None:
    assert (memory_limit(tmp_path / "none", tmp_path), core_limit(tmp_path / "none", tmp_path)) == (None, None)
