"""The docs page in a real browser: every service readable, in Chinese, without another host."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Page, async_playwright

from shared.http.app import create_app
from shared.http.docs_page import mount_docs

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
]


@pytest.fixture
async def address(app: FastAPI) -> AsyncIterator[str]:
    """A platform of two services, listening on loopback."""
    complaints = create_app(service="complaints", title="信访投诉", description="", version="1")

    @complaints.get("/complaints", summary="投诉列表")
    async def list_complaints() -> list[str]:
        return []

    platform = create_app(service="platform", title="平台", description="", version="1")
    platform.mount("/api/cases", app)
    platform.mount("/api/complaints", complaints)
    mount_docs(
        platform,
        {"案件": "/api/cases/openapi.json", "信访": "/api/complaints/openapi.json"},
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(platform, log_config=None, lifespan="off"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield await browser.new_page()
        await browser.close()


async def test_each_service_can_be_read_and_tried(address: str, page: Page) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))

    await page.goto(f"{address}/docs")
    await page.get_by_text("案件列表").click()
    await page.get_by_role("button", name="试一试").click()
    await page.get_by_role("button", name="发送").click()
    answer = page.locator(".live-responses-table .response-col_status")
    assert (await answer.last.inner_text()).startswith("200")

    await page.get_by_role("link", name="信访").click()
    await page.get_by_text("投诉列表").wait_for()

    assert complaints == []
    assert asked
    assert all(url.startswith((address, "data:")) for url in asked)
