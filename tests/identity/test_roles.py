"""Roles, accounts and scope."""

import pytest

from shared.identity.caller import Caller, is_account, is_bureau
from shared.identity.roles import ADMINISTRATORS, Role, incompatible, role_named

BUSINESS = sorted(set(Role) - ADMINISTRATORS)


def test_every_role_has_its_own_chinese_title() -> None:
    assert len({role.title for role in Role}) == len(Role) == 13
    assert (Role.INVESTIGATOR.title, Role.AUDIT_ADMIN.title) == ("执法人员", "审计管理员")


@pytest.mark.parametrize("role", list(Role))
def test_a_role_is_known_by_its_english_and_chinese_names(role: Role) -> None:
    for name in (role.value, role.value.upper(), role.value.replace("_", "-"), f" {role.title} "):
        assert role_named(name) is role
    assert role_named(f"{role.value}s") is None


@pytest.mark.parametrize("admin", sorted(ADMINISTRATORS))
def test_an_administrator_holds_no_other_role(admin: Role) -> None:
    assert incompatible([admin]) is None
    for other in set(Role) - {admin}:
        assert "三员分立" in (incompatible([admin, other]) or "")


def test_business_roles_may_be_held_together() -> None:
    assert incompatible(BUSINESS) is None
    assert incompatible([]) is None


def test_a_caller_sees_its_own_bureau_only() -> None:
    caller = Caller("officer1", frozenset({Role.INVESTIGATOR}), "500152", "issuer")
    assert caller.sees("500152")
    assert not caller.sees("500151")
    assert caller.holds({Role.INVESTIGATOR, Role.LEGAL})
    assert not caller.holds({Role.LEGAL})


@pytest.mark.parametrize("text", ["officer1", "zf-0012", "a", "0" * 11, "9c3f.x_y", "x" * 64])
def test_a_code_may_be_an_account(text: str) -> None:
    assert is_account(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "张三",
        "13912345678",
        "500109199001012516",
        "50010919900101251x",
        "a@b",
        "-a",
        "a\n",
        "x" * 65,
        "a\0",
    ],
)
def test_what_could_be_a_person_or_break_a_header_is_no_account(text: str) -> None:
    assert not is_account(text)


def test_a_bureau_is_six_digits() -> None:
    assert is_bureau("500152")
    assert not any(
        map(is_bureau, ["", "050015", "5001520", "500152\n", "５００１５２"])
    )  # the last in full width
