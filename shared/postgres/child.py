"""Start a program as our child that cannot outlive us and is never root.

    python -I -S child.py PARENT_PID IDENTITY BINARY [ARGUMENT...]

IDENTITY says who the program runs as:

- `same`: who we are;
- `namespace:UID`: still us to the rest of the system, files included, but inside
  a user namespace where we are called UID, so that a program that refuses root
  (PostgreSQL does), or an account without a name, runs;
- `user:NAME`: that account (needs root).

Run as a file, by its path, with the standard library alone: it must start fast.
"""

import ctypes
import os
import pwd
import signal
import sys
from pathlib import Path

CLONE_NEWUSER = 0x1000_0000
PR_SET_PDEATHSIG = 1
CANNOT_START = 126


def enter_namespace(inside_uid: int) -> None:
    """Become `inside_uid` in a new user namespace; raises OSError where refused."""
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare"):
        msg = "this system has no user namespaces"
        raise OSError(msg)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{inside_uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{inside_uid} {gid} 1")


def become(account: str) -> None:
    """Give up root for `account`, for good."""
    entry = pwd.getpwnam(account)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def end_with_parent(parent: int) -> None:
    """Ask for SIGINT (PostgreSQL's fast shutdown) when the parent dies.

    Credential changes clear the request, so it comes after them; the parent may
    have died before it, so the parent is looked at afterwards.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(CANNOT_START)


def main(parent: str, identity: str, *command: str) -> None:
    """Take on the identity and become the program."""
    os.setsid()  # Ctrl-C in the platform's terminal is for the platform alone
    kind, _, who = identity.partition(":")
    try:
        if kind == "namespace":
            enter_namespace(int(who))
        elif kind == "user":
            become(who)
        end_with_parent(int(parent))
        os.execv(command[0], command)  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.stderr.write(f"无法以 {identity} 的身份启动 {command[0]}:{error}\n")
        sys.exit(CANNOT_START)


if __name__ == "__main__":
    main(*sys.argv[1:])
