"""The bureau's roles (角色), and which of them one account may not hold together.

The three administrators are kept apart (三员分立, GB/T 22239-2019 level three): whoever runs the
system neither grants rights nor reads the audit trail, and none of them does the bureau's business.
"""

from collections.abc import Iterable
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """A role as tokens and tables name it; `title` is what a person reads."""

    INVESTIGATOR = "investigator"
    LEGAL = "legal"
    COMMITTEE = "committee"
    LEADER = "leader"
    WINDOW = "window"
    APPROVER = "approver"
    MEDIATOR = "mediator"
    PETITIONS = "petitions"
    SUPERVISOR = "supervisor"
    IMPORTER = "importer"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"

    @property
    def title(self) -> str:  # type: ignore[override]  # a role's title, not str.title()
        """The role's Chinese name."""
        return _TITLES[self]


_TITLES = MappingProxyType(
    {
        Role.INVESTIGATOR: "执法人员",
        Role.LEGAL: "法制审核",
        Role.COMMITTEE: "案审委",
        Role.LEADER: "局领导",
        Role.WINDOW: "窗口",
        Role.APPROVER: "审批",
        Role.MEDIATOR: "调解员",
        Role.PETITIONS: "信访",
        Role.SUPERVISOR: "督查",
        Role.IMPORTER: "导入",
        Role.SYSTEM_ADMIN: "系统管理员",
        Role.SECURITY_ADMIN: "安全管理员",
        Role.AUDIT_ADMIN: "审计管理员",
    }
)

ADMINISTRATORS = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})

_BY_NAME = MappingProxyType(
    {role.value: role for role in Role} | {title: role for role, title in _TITLES.items()}
)


def role_named(name: str) -> Role | None:
    """The role an issuer calls `name`, in English (any case, `-` or `_`) or Chinese, or None."""
    return _BY_NAME.get(name.strip().lower().replace("-", "_"))


def incompatible(roles: Iterable[Role]) -> str | None:
    """Why one account may not hold these roles together (三员分立), in Chinese; None if it may."""
    held = set(roles)
    administrators = sorted(role.title for role in held & ADMINISTRATORS)
    business = sorted(role.title for role in held - ADMINISTRATORS)
    if len(administrators) > 1:
        return f"三员分立:同一账号不得兼任{'、'.join(administrators)}"
    if administrators and business:
        return f"三员分立:{administrators[0]}不得同时担任{'、'.join(business)}"
    return None
