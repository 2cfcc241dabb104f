"""Run a command that ends when its parent does, as another account if asked.

    python -I -S leash.py PARENT_PID SIGNAL UID GID COMMAND [ARGUMENT …]

On Linux the kernel sends SIGNAL to the command when the parent is gone, even by SIGKILL.
Elsewhere nothing does, and the next start ends what was left. UID and GID are numbers, or `-`.
A program of its own, since code between fork and exec is unsafe in a process with threads. It
needs only the standard library and is left at once: the command takes its place and its pid.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the command."""
    parent, death_signal, uid, gid, *command = sys.argv[1:]
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    if sys.platform == "linux":
        # After setuid, which would clear it.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != int(parent):  # it died before it could be watched
        sys.exit(1)
    # Python ignores these two, and a command inherits that.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.exit(f"can't run {command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
