"""A run in CI that leaves a test out fails and says which."""

import pytest

pytest_plugins = ("pytester",)

SKIPPING = """
import pytest

def test_passes():
    pass

@pytest.mark.skip(reason="no browser here")
def test_skips():
    raise AssertionError
"""


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("CI", raising=False)
    pytester.makepyfile(SKIPPING)
    return pytester


def test_a_skip_fails_the_run_in_ci(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    result = suite.runpytest_inprocess("-p", "no:asyncio", "-p", "tests.no_skips")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*test_skips: *no browser here*"])


def test_a_module_that_skips_itself_fails_the_run_in_ci(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    suite.makepyfile(test_broker="import pytest\npytest.skip('no Kafka', allow_module_level=True)")
    suite.makepyfile(test_other="def test_passes():\n    pass")
    result = suite.runpytest_inprocess(
        "-p", "no:asyncio", "-p", "tests.no_skips", "test_broker.py", "test_other.py"
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["test_broker.py: *no Kafka*"])


def test_elsewhere_a_skip_is_only_shown(suite: pytest.Pytester) -> None:
    result = suite.runpytest_inprocess("-p", "no:asyncio", "-p", "tests.no_skips")
    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=1, skipped=1)
