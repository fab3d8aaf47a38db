"""A bureau's first day: administrators without a demonstration, and accounts by the command line."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

import httpx
import pyotp
import pytest

from shared.issuer.one_time_codes import STEP_SECONDS
from tests.platform_process import Platform, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

PASSWORDS = {
    "sysadmin": "Ganjing-Shui-88",
    "secadmin": "Lvse-Qingshan-77",
    "auditadmin": "Lantian-Baiyun-66",
    "zhang-1": "Jieneng-Huan-55",
}


class Bureau:
    """A platform of a bureau's own, and its people's telephones."""

    def __init__(self, data: Path) -> None:
        self.platform = Platform(data)
        self.secrets: dict[str, str] = {}
        self.recovery: dict[str, list[str]] = {}
        self.passwords = dict(PASSWORDS)
        self._seen: set[str] = set()

    def run(self, *arguments: str, lines: tuple[str, ...] = ()) -> tuple[int, str]:
        """Run `ecocase users …` with lines of input; its code and all it said."""
        stdin = "".join(f"{line}\n" for line in lines).encode()
        done = self.platform.run("users", *arguments, stdin=stdin)
        return done.returncode, done.stdout + done.stderr

    def code(self, name: str) -> str:
        """The next code of somebody's telephone: a code of theirs is good once."""
        totp = pyotp.TOTP(self.secrets[name])

        def fresh() -> str | None:
            now = dt.datetime.now(dt.UTC).timestamp()
            codes = [totp.at(int(now) + STEP_SECONDS * ahead) for ahead in (0, 1)]
            return next((one for one in codes if one not in self._seen), None)

        until(lambda: fresh() is not None, "another code")
        code = fresh()
        assert code is not None
        self._seen.add(code)
        return code

    def as_(self, by: str, *arguments: str) -> tuple[int, str]:
        """Run a command as an administrator, who signs in with a recovery code."""
        code = self.recovery[by].pop()
        return self.run(*arguments, "--as", by, lines=(self.passwords[by], code))

    def office(self, by: str, *arguments: str) -> tuple[int, str]:
        """Run any other `ecocase …` as somebody who signs in with a recovery code."""
        lines = f"{self.passwords[by]}\n{self.recovery[by].pop()}\n"
        done = self.platform.run(*arguments, "--as", by, stdin=lines.encode())
        return done.returncode, done.stdout + done.stderr

    def begin(self, name: str, one_time: str) -> None:
        """Change a one-time password and enrol a telephone, as everybody does first."""
        new = self.passwords[name]
        status, said = self.run("password", name, lines=(one_time, "", new, new))
        assert status == 0, said
        self.enrol(name)

    def enrol(self, name: str) -> None:
        """Enrol a telephone: read the secret, type its code."""
        client = httpx.Client(base_url=self.platform.url, trust_env=False)
        proof = {"username": name, "password": self.passwords[name]}
        with client:
            made = client.post("/identity/second-factor", json=proof).json()
            self.secrets[name] = made["secret"]
            confirmed = client.post(
                "/identity/second-factor/confirm", json={**proof, "code": self.code(name)}
            )
        self.recovery[name] = confirmed.json()["recovery_codes"]


@pytest.fixture(scope="module")
def bureau(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bureau]:
    bureau = Bureau(tmp_path_factory.mktemp("bureau") / "data")
    status, said = bureau.run("init", "--bureau", "500152")
    assert status == 0, said
    one_time = dict(re.findall(r"^(\w+)  .*：(\S+)$", said, re.MULTILINE))
    assert list(one_time) == ["sysadmin", "secadmin", "auditadmin"]
    bureau.platform.start()
    for name, password in one_time.items():
        bureau.begin(name, password)
    yield bureau
    bureau.platform.end()


def test_a_bureau_begins_without_a_demonstration(bureau: Bureau) -> None:
    assert not (bureau.platform.data / "credentials.json").exists()
    status, said = bureau.as_("auditadmin", "list")
    assert status == 0, said
    told = ("上次登录", "注意")
    assert [line.split()[0] for line in said.splitlines() if not line.startswith(told)] == [
        "auditadmin",
        "secadmin",
        "sysadmin",
        "共",
    ]


def test_without_a_file_of_accounts_an_administrator_has_to_be_named(bureau: Bureau) -> None:
    status, said = bureau.run("list")
    assert status == 1
    assert "--as" in said


def test_auditing_and_operating_need_no_file_of_accounts(bureau: Bureau) -> None:
    for by, command, said in (
        ("auditadmin", ("verify",), "发现 0 处"),
        ("auditadmin", ("reconcile",), "0 处不符"),
        (
            "auditadmin",
            ("audit", "search", "--object", "sysadmin", "--text", "启用动态口令"),
            "127.0.0.1",
        ),
        ("sysadmin", ("parked", "list"), "共 0 个"),
        ("sysadmin", ("rebuild",), "已切换到第 2 代统计"),
    ):
        status, out = bureau.office(by, *command)
        assert status == 0, out
        assert said in out
    status, out = bureau.office("sysadmin", "audit", "search")
    assert status == 1
    assert "审计管理员" in out


def test_an_account_goes_from_nothing_to_signed_in_and_out_again(bureau: Bureau) -> None:
    status, said = bureau.as_("secadmin", "add", "zhang-1", "--name", "执法人员甲")
    assert status == 1
    assert "须由系统管理员办理" in said
    status, said = bureau.as_("sysadmin", "add", "zhang-1", "--name", "执法人员甲")
    assert status == 0, said
    status, said = bureau.as_("sysadmin", "roles", "zhang-1", "执法人员")
    assert status == 1
    assert "须由安全管理员办理" in said
    status, said = bureau.as_("secadmin", "roles", "zhang-1", "执法人员", "system_admin")
    assert status == 1
    assert "三员分立" in said
    status, said = bureau.as_("secadmin", "roles", "zhang-1", "执法人员")
    assert status == 0, said
    status, said = bureau.as_(
        "secadmin", "certificate", "zhang-1", "A-1", "--from", "2024-01-01", "--to", "2028-12-31"
    )
    assert status == 0, said
    status, said = bureau.as_("secadmin", "passwd", "zhang-1")
    assert status == 0, said
    [one_time] = re.findall(r"一次性密码.*：(\S+)$", said, re.MULTILINE)
    new = bureau.passwords["zhang-1"]
    status, said = bureau.run("password", "zhang-1", lines=(one_time, "", new, new))
    assert status == 0, said
    token = {"grant_type": "password", "username": "zhang-1", "password": new}
    with httpx.Client(base_url=bureau.platform.url, trust_env=False) as client:
        granted = client.post("/identity/token", json=token).json()
        client.headers["authorization"] = f"Bearer {granted['access_token']}"
        assert client.get("/cases/penalties").is_success
        status, said = bureau.as_("sysadmin", "show", "zhang-1")
        assert "A-1" in said
        assert "会话" in said
        status, said = bureau.as_("sysadmin", "disable", "zhang-1")
        assert status == 0, said
        assert client.get("/cases/penalties").status_code == 401
    status, said = bureau.as_("sysadmin", "list")
    assert re.search(r"^zhang-1 .*已停用", said, re.MULTILINE), said


def test_a_telephone_serves_where_recovery_codes_need_not(bureau: Bureau) -> None:
    lines = (bureau.passwords["auditadmin"], bureau.code("auditadmin"))
    status, said = bureau.run("list", "--as", "auditadmin", lines=lines)
    assert status == 0, said
    status, said = bureau.run("list", "--as", "auditadmin", lines=lines)
    assert status == 1
    assert "已经用过" in said


def test_an_administrators_password_and_telephone_are_reset_by_two(bureau: Bureau) -> None:
    parts = []
    for command in ("passwd", "totp-reset"):
        status, said = bureau.as_("secadmin", command, "auditadmin")
        assert status == 0, said
        parts += re.findall(r"前一半.*：(\S+)$", said, re.MULTILINE)
        [proposed] = re.findall(r"ecocase users confirm (\S+)", said)
        status, said = bureau.as_("secadmin", "confirm", proposed)
        assert status == 1
        assert "须由另一类管理员确认" in said
        status, said = bureau.as_("sysadmin", "confirm", proposed[-6:])
        assert status == 0, said
        parts += re.findall(r"后一半.*：(\S+)$", said, re.MULTILINE)
    bureau.passwords["auditadmin"] = "Lantian-Baiyun-67"
    bureau.begin("auditadmin", "-".join(parts))
    status, said = bureau.as_("auditadmin", "proposals")
    assert status == 0, said
    assert said.count("已确认办理") == 2
    assert re.search(r"注意：.* sysadmin 重置密码：auditadmin", said), said
    status, said = bureau.as_("secadmin", "totp-require", "局领导")
    assert status == 1
    assert "系统管理员" in said
    assert "不得免除" in said


def test_what_only_whoever_runs_the_machine_can_do(bureau: Bureau) -> None:
    bureau.platform.interrupt()
    try:
        status, said = bureau.run("init", "--bureau", "500152")
        assert status == 1
        assert "已有账号" in said
        reset = bureau.platform.run("demo", "reset-passwords")
        assert reset.returncode == 1
        assert "没有演示账号" in reset.stderr
        assert not (bureau.platform.data / "credentials.json").exists()
        status, said = bureau.run("recover", "zhang-1")
        assert status == 1
        assert "没有管理员账号" in said
        status, said = bureau.run("recover", "secadmin")
        assert status == 0, said
        one_time = said.strip().rpartition("：")[2]
    finally:
        bureau.platform.start()
    bureau.passwords["secadmin"] = "Lvse-Qingshan-99"
    bureau.begin("secadmin", one_time)
    status, said = bureau.as_("auditadmin", "list")
    assert status == 0
    assert re.search(r"注意：.* installation 重置密码：secadmin", said), said


def test_accounts_are_for_demonstration_only_where_that_is_wanted(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECOCASE_DEMO", "false")
    platform = Platform(tmp_path_factory.mktemp("platform") / "data")
    try:
        platform.start()
        platform.interrupt()
        assert "ecocase users init" in platform.said
        assert not (platform.data / "credentials.json").exists()
        monkeypatch.delenv("ECOCASE_DEMO")
        platform.start()
        assert "officer1" in platform.run("users", "list").stdout
        done = platform.run("users", "disable", "officer1")
        assert done.returncode == 0, done.stderr
        done = platform.run("users", "roles", "secadmin1")
        assert done.returncode == 1
        assert "自己的账号" in done.stderr
        platform.interrupt()
        assert "演示账号的密码" in platform.said
        monkeypatch.setenv("ECOCASE_DEMO", "false")
        refused = platform.run("serve")
        assert refused.returncode == 1
        assert "演示账号" in refused.stderr
    finally:
        platform.end()
