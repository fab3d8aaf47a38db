"""Who the embedded PostgreSQL runs as, and by what name it knows us.

PostgreSQL refuses to run as root, and peer authentication needs a name for the
account that connects. An ordinary account with a name needs nothing. Root, or an
account without a name (as some container platforms assign), gets a user namespace;
where those are refused, root falls back to an unprivileged account.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO

LAUNCHER = Path(__file__).with_name("child.py")
FALLBACK_ACCOUNTS = ("postgres", "daemon")
OVERFLOW_UID = 65534  # how every account outside a namespace looks from inside it


class NoIdentity(Exception):  # noqa: N818 - a property of the system we run on
    """There is no account under which PostgreSQL could run here."""


@dataclass(frozen=True, slots=True)
class Identity:
    """`launch_as`: for `child.py`; `seen_as`: our name to PostgreSQL; `owner`: uid of its files."""

    launch_as: str
    seen_as: str
    owner: int


def launch(
    identity: Identity, command: Sequence[str], output: IO[bytes] | int
) -> subprocess.Popen[bytes]:
    """Start `command` as `identity`, bound to the life of the calling *thread*.

    The system ends the child when the thread that started it ends, so call this
    from the thread that lives as long as the platform: the event loop's own.
    """
    return subprocess.Popen(  # noqa: S603 - our own launcher, no shell
        [sys.executable, "-I", "-S", LAUNCHER, str(os.getpid()), identity.launch_as, *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        # Nothing of ours: PG* variables would change it, secrets are not its business.
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
        cwd="/",
    )


def choose_identity(folder: Path, binaries: Path) -> Identity:
    """Find an identity that can run `binaries` on `folder` (which exists).

    Raises NoIdentity, with what to do about it.
    """
    uid = os.geteuid()
    own_name = _name(uid)
    if uid != 0 and own_name is not None:
        return Identity("same", own_name, uid)

    inside = _named_account()
    if inside is not None:
        identity = Identity(f"namespace:{inside.pw_uid}", inside.pw_name, uid)
        if _succeeds(identity, "test", "-x", str(folder)):
            return identity
    if uid != 0:
        msg = f"当前账户(uid {uid})没有名称,系统又不允许用户命名空间:请换用有名称的账户运行"
        raise NoIdentity(msg)
    return _unprivileged(own_name or "root", folder, binaries)


def _unprivileged(seen_as: str, folder: Path, binaries: Path) -> Identity:
    account = next((name for name in FALLBACK_ACCOUNTS if _exists(name)), None)
    if account is None:
        msg = "PostgreSQL 不能以 root 运行,系统又不允许用户命名空间:请换用普通账户运行"
        raise NoIdentity(msg)
    identity = Identity(f"user:{account}", seen_as, pwd.getpwnam(account).pw_uid)
    for path in (folder.parent, binaries):
        if not _succeeds(identity, "test", "-x", str(path)):
            msg = (
                f"PostgreSQL 不能以 root 运行,系统又不允许用户命名空间,"
                f"而账户 {account} 进不了 {path}:请放开该目录的进入权限,"
                f"换一个目录,或换用普通账户运行"
            )
            raise NoIdentity(msg)
    return identity


def _succeeds(identity: Identity, *command: str) -> bool:
    shell = ["/bin/sh", "-c", '"$@"', "sh", *command]
    return launch(identity, shell, subprocess.DEVNULL).wait() == 0


def _named_account() -> pwd.struct_passwd | None:
    """Any account but root and the overflow one; the lowest, usually `daemon`."""
    named = [entry for entry in pwd.getpwall() if entry.pw_uid not in {0, OVERFLOW_UID}]
    return min(named, key=lambda entry: entry.pw_uid, default=None)


def _name(uid: int) -> str | None:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return None


def _exists(account: str) -> bool:
    try:
        pwd.getpwnam(account)
    except KeyError:
        return False
    return True
