# SPDX-License-Identifier: Apache-2.0
"""Faults on demand in a server that a test runs: see faults.c. FAULTS names the built library."""

import mmap
import os
import re
import struct
import subprocess

# Of struct faults in faults.h: name -> offset and form.
FIELDS = {"pid": (0, "i"), "fail_at": (4, "I"), "counted": (8, "I"), "failed": (12, "I"), "fsync_errno": (16, "i"),
          "write_errno": (20, "i"), "clock_ms": (24, "q"), "syncs": (32, "I"), "writes": (36, "I"), "n_frames": (40, "I")}
FRAMES, FRAMES_MAX = 48, 48


class Faults:
    def __init__(self, folder):
        self.path = os.path.join(folder, "faults")
        with open(self.path, "wb") as file:
            file.write(bytes(4096))
        with open(self.path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 4096)

    def environment(self):
        """For the server. A sanitizer wants to be first, and need not be."""
        asan = os.environ.get("ASAN_OPTIONS", "")
        return {"LD_PRELOAD": os.environ["FAULTS"], "COGENT_FAULTS": self.path,
                "ASAN_OPTIONS": asan + (":" if asan else "") + "verify_asan_link_order=0"}

    def get(self, name):
        at, form = FIELDS[name]
        return struct.unpack_from(form, self.map, at)[0]

    def set(self, **values):
        for name, value in values.items():
            at, form = FIELDS[name]
            struct.pack_into(form, self.map, at, value)

    def arm(self, pid, n):
        """The n-th allocation of this process from now on fails; 0: all are counted."""
        self.set(pid=0, fail_at=n, counted=0, failed=0, n_frames=0)
        self.set(pid=pid)

    def disarm(self):
        """How many allocations there were, and whether one failed."""
        self.set(pid=0)
        return self.get("counted"), bool(self.get("failed"))

    def frames(self):
        """Return addresses of the allocation that failed, innermost first."""
        return struct.unpack_from(f"{self.get('n_frames')}Q", self.map, FRAMES)


def maps_of(pid):
    """[(first, last, offset of the first, file)] of what is mapped to run."""
    found = []
    with open(f"/proc/{pid}/maps", encoding="utf-8") as file:
        for line in file:
            m = re.match(r"(\w+)-(\w+) r-xp (\w+) \S+ \d+ +(/.*)", line)
            if m:
                found.append((int(m[1], 16), int(m[2], 16), int(m[3], 16), m[4]))
    return found


def places_of(frames, maps):
    """"function (file:line)" each, or the library."""
    return [one for one in (place_of(address, maps) for address in frames) if one]


def place_of(address, maps):
    for first, last, offset, path in maps:
        if not first <= address < last:
            continue
        name = os.path.basename(path)
        if name.startswith(("libfaults", "faults", "libasan")):
            return None
        done = subprocess.run(["addr2line", "-f", "-s", "-e", path, hex(address - first + offset - 1)], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True, check=False)
        function, line = (done.stdout.split("\n") + ["??", "??"])[:2]
        return f"{function} ({line.split(' ')[0]})" if function != "??" and "??" not in line else f"{name}+{hex(address - first + offset)}"
    return None
