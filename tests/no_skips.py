"""With CI=true a skipped test fails the run: a suite that leaves tests out must say so.

Loaded by the pytest settings in `pyproject.toml`. It goes by the reports, which also come from the
processes that tests may be spread over.
"""

import os

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Begin to note what is skipped."""
    config.pluginmanager.register(_Skips())


class _Skips:
    def __init__(self) -> None:
        self._lines: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that skips itself."""
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module that skips itself while it is collected."""
        self._note(report)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Turn success into failure where something was skipped."""
        if _forbidden() and self._lines and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name each skipped test with its reason."""
        if _forbidden() and self._lines:
            terminalreporter.section("skipped, which CI=true forbids", red=True)
            for line in self._lines:
                terminalreporter.write_line(line)

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
            self._lines.append(f"{report.nodeid}: {reason}")


def _forbidden() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true"}
