"""A browser is found by its name in the environment, on the search path, or by Playwright."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import browser


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without a browser: an empty search path, and a Playwright that finds nothing."""
    for name in ("CHROMIUM", "REQUIRE_BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(browser, "starts", lambda options: False)
    monkeypatch.setattr(browser.subprocess, "run", lambda command: None)
    return tmp_path


def program(path: Path) -> str:
    """Make a file that can be run, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o755)
    return str(path)


def test_none_is_found(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert browser.find() is None
    assert browser.main() == 0
    monkeypatch.setenv("REQUIRE_BROWSER", "0")
    assert browser.main() == 0
    monkeypatch.setenv("REQUIRE_BROWSER", "1")
    assert browser.main() == 1


@pytest.mark.skipif("sys.platform == 'win32'", reason="there, programs have other endings")
def test_the_search_path_is_searched(bare: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = program(bare / "bin" / "google-chrome")
    assert browser.find() == {"executable_path": path, "args": browser.ARGUMENTS}
    assert browser.main() == 0
    assert path in capsys.readouterr().out


def test_playwright_is_asked_last(
    bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(browser, "starts", lambda options: options["channel"] == "msedge")
    assert browser.find() == {"channel": "msedge", "args": browser.ARGUMENTS}
    assert browser.main() == 0
    assert "msedge" in capsys.readouterr().out


def test_what_does_not_start_is_noticed() -> None:
    assert not browser.starts({"executable_path": "no-such-browser"})
    if found := browser.find():
        assert browser.starts(found)


def test_the_environment_comes_first(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bare / "bin" / "chromium")
    path = program(bare / "mine.exe")
    monkeypatch.setenv("CHROMIUM", path)
    found = browser.find()
    assert found is not None
    assert found["executable_path"] == path


def test_a_wrong_name_is_reported(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "no-such-browser")
    with pytest.raises(ValueError, match=r"CHROMIUM must name .* got 'no-such-browser'"):
        browser.find()
    assert browser.main() == 0
    monkeypatch.setenv("REQUIRE_BROWSER", "1")
    assert browser.main() == 1
