"""With CI=true a skipped test fails the run: a suite that leaves tests out must say so.

Loaded by the pytest settings in `pyproject.toml`.
"""

import os
from collections.abc import Generator

import pytest

SKIPS = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    """Start the list of what was skipped."""
    config.stash[SKIPS] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note a test that skips itself."""
    report = yield
    _note(item.config, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Note a module that skips itself while it is collected."""
    report = yield
    _note(collector.config, report)
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Turn success into failure where something was skipped."""
    if _forbidden() and session.config.stash[SKIPS] and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name each skipped test with its reason."""
    if _forbidden() and (skips := config.stash[SKIPS]):
        terminalreporter.section("skipped, which CI=true forbids", red=True)
        for line in skips:
            terminalreporter.write_line(line)


def _note(config: pytest.Config, report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        config.stash[SKIPS].append(f"{report.nodeid}: {reason}")


def _forbidden() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"}
