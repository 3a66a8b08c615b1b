"""Cycles are searched for rarely where many objects come and go, and nowhere else."""

import subprocess
import sys

_SAID = """
import gc
from millpond.kernel.collector import search_rarely
search_rarely()
print(gc.get_freeze_count() > 1000, gc.get_threshold()[0])
"""


def test_what_is_there_is_left_out_and_new_objects_are_searched_rarely() -> None:
    done = subprocess.run([sys.executable, "-c", _SAID], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "100000"]
