"""The limit of open files lowers the number of visits, with a notice, instead of breaking them."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")


@pytest.mark.parametrize(
    ("soft", "hard", "wanted", "possible"),
    [(1024, 4096, 64, 64), (100, 4096, 64, 64), (128, 128, 64, 16), (20, 20, 64, 1), (256, 512, 200, 112)],
)
def test_visits_fit_the_open_files(soft: int, hard: int, wanted: int, possible: int) -> None:
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        f"from fleetscan.scan.capacity import affordable\nprint(*affordable({wanted}), sep='|')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    number, _, notice = done.stdout.strip().partition("|")
    assert int(number) == possible
    assert bool(notice) == (possible < wanted)


@pytest.mark.skipif(sys.platform != "linux", reason="the heaps of threads are glibc's")
def test_threads_share_one_heap() -> None:
    """Each thread frees what it took: with a heap of its own, glibc would keep the pages of all of them."""
    code = """
import ctypes, threading
from fleetscan.scan.capacity import little_memory

def heaps():  # they begin at multiples of 64 MB
    anonymous = (line for line in open("/proc/self/maps") if "00000000 00:00 0" in line)
    return sum(int(line.split("-")[0], 16) % (64 << 20) == 0 for line in anonymous)

def work():
    blocks = [bytes(2000) for _ in range(500)]
    ready.wait()
    done.wait()

def run():
    global ready, done
    ready, done = threading.Barrier(9), threading.Event()
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    ready.wait()
    number = heaps()
    done.set()
    for thread in threads:
        thread.join()
    return number

with little_memory():
    print(run())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "0\n"
