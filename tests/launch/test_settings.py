"""The settings as they are shown: all of them, no secret, and slips of the pen named."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import orjson
import pytest

from services.launch.documents.settings import settings_page
from services.launch.settings import Settings
from services.launch.settings_table import table, unknown
from tests.platform_process import Platform

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "geheim"


@pytest.mark.parametrize(
    "url, shown",
    [
        (f"postgresql://ecocase:{SECRET}@db:5432/x", "postgresql://ecocase:***@db:5432/x"),
        (f"postgresql://u@h/x?password={SECRET}", "postgresql://u@h/x?password=***"),
        (f"postgresql://u:{SECRET}%40@h/x?host=/run/x", "postgresql://u:***@h/x?host=/run/x"),
        ("postgresql://postgres@/x?host=/run/x", "postgresql://postgres@/x?host=/run/x"),
    ],
)
def test_a_database_is_shown_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str, shown: str
) -> None:
    monkeypatch.setenv("ECOCASE_DATABASE_URL", url)
    monkeypatch.setenv("ECOCASE_DATABASE_URLS", orjson.dumps({"cases": url}).decode())
    rows = {row.name: row for row in table(Settings.read())}
    assert rows["ECOCASE_DATABASE_URL"].value == shown
    assert rows["ECOCASE_DATABASE_URLS"].value == f"cases → {shown}"
    assert rows["ECOCASE_DATABASE_URL"].origin == "环境变量"
    assert rows["ECOCASE_PORT"].origin == "缺省"


def test_every_setting_is_explained_in_chinese_and_documented() -> None:
    page = settings_page()
    for row in table(Settings.read()):
        assert any("\u4e00" <= character <= "\u9fff" for character in row.meaning), row.name
        assert f"| `{row.name}` |" in page


def test_a_misspelt_variable_is_named_with_what_was_meant() -> None:
    [said] = unknown({"ECOCASE_DATABSE_URL": "", "ecocase_port": "1", "HOME": "/"})
    assert "没有设置 ECOCASE_DATABSE_URL" in said
    assert "ECOCASE_DATABASE_URL" in said.rpartition("是否应为")[2]
    assert unknown({"ECOCASE_ZZZZZZ": ""}) == ["没有设置 ECOCASE_ZZZZZZ，不起作用"]


@pytest.mark.slow
def test_the_command_shows_them_and_serve_warns(tmp_path: Path) -> None:
    platform = Platform(tmp_path / "data")
    url = f"postgresql://ecocase:{SECRET}@127.0.0.1:1/x"
    platform.settings = {"ECOCASE_DATABASE_URL": url, "ECOCASE_PROT": "1"}
    shown = platform.run("settings")
    as_json = {row["name"]: row for row in orjson.loads(platform.run("settings", "--json").stdout)}
    assert as_json["ECOCASE_PORT"]["value"] == str(platform.port)
    assert shown.stdout.count("ECOCASE_") >= len(as_json)
    refused = platform.run("serve")
    assert refused.returncode == 1
    for said in (shown, refused):
        assert "没有设置 ECOCASE_PROT" in said.stderr
        assert SECRET not in said.stdout + said.stderr
    assert "ECOCASE_PROT" not in os.environ
