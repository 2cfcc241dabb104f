"""The start of an instance: `python -I -S bootstrap.py TASK_ROOT RUNTIME HANDLER`.

It needs the standard library alone, and becomes AWS's runtime client: modules come from the
package, and what it lacks from RUNTIME.
"""

import ctypes
import os
import runpy
import sys
from contextlib import suppress

# The only place that Lambda lets a function write to.
WRITABLE = "/tmp"  # noqa: S108
# Devices, which write nothing.
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")

# linux/landlock.h; the numbers of system calls are the same on x86 and Arm.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_WRITE_FILE, _TRUNCATE = 1 << 1, 1 << 14
# Removing and making of each kind of file (bits 4 to 12), and from ABI 2 on moving (13).
_CHANGE_FOLDER = sum(1 << bit for bit in range(4, 13))
_REFER = 1 << 13
_PR_SET_NO_NEW_PRIVS = 38


def landlock_version() -> int:
    """The version of the kernel's Landlock; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    found: int = ctypes.CDLL(None, use_errno=True).syscall(_CREATE_RULESET, None, 0, 1)
    return max(found, 0)


def write_only_to(folder: str) -> bool:
    """From now on this process can change no file outside of the folder; whether that works here.

    Source: "Landlock: unprivileged access control" in the Linux kernel's documentation.
    """
    version = landlock_version()
    if not version:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    file_rights = _WRITE_FILE | (_TRUNCATE if version >= 3 else 0)
    rights = file_rights | _CHANGE_FOLDER | (_REFER if version >= 2 else 0)
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.byref(ctypes.c_uint64(rights)), 8, 0)
    for path, allowed in [(folder, rights), *((device, file_rights) for device in _DEVICES)]:
        with suppress(FileNotFoundError):
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rule = allowed.to_bytes(8, sys.byteorder) + place.to_bytes(4, sys.byteorder)
            libc.syscall(_ADD_RULE, ruleset, 1, rule, 0)
            os.close(place)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    done: bool = libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0
    os.close(ruleset)
    return done


def main() -> None:
    """Become the runtime client."""
    task_root, runtime, handler = sys.argv[1:]
    write_only_to(WRITABLE)
    os.chdir(task_root)
    sys.path.insert(0, task_root)
    sys.path.append(runtime)
    sys.argv = ["awslambdaric", handler]
    # As `python -m` does it, which could not have found it before.
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
