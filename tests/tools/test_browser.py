"""A browser is found by its name in the environment, on the search path, or in a usual place."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import browser


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without a browser: an empty search path, and a home of its own."""
    for name in ("CHROMIUM", "REQUIRE_BROWSER", *("PROGRAMFILES", "LOCALAPPDATA")):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(browser, "MAC", ())
    monkeypatch.setattr(browser, "_of_playwright", lambda: None)
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
    assert browser.find() == path
    assert browser.main() == 0
    assert path in capsys.readouterr().out


def test_usual_places_are_searched(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROGRAMFILES", str(bare))
    path = program(bare / "Google" / "Chrome" / "Application" / "chrome.exe")
    assert Path(str(browser.find())) == Path(path)


def test_the_environment_comes_first(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(bare / "bin" / "chromium")
    path = program(bare / "mine.exe")
    monkeypatch.setenv("CHROMIUM", path)
    assert browser.find() == path


def test_a_wrong_name_is_reported(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHROMIUM", "no-such-browser")
    with pytest.raises(ValueError, match=r"CHROMIUM must name .* got 'no-such-browser'"):
        browser.find()
    assert browser.main() == 0
    monkeypatch.setenv("REQUIRE_BROWSER", "1")
    assert browser.main() == 1
