"""The scripts that the site serves itself: only the locked archives are accepted."""

import hashlib
import json
import shutil
import tarfile
from base64 import b64encode

import pytest

from tools import build, vendor

LOCK = json.loads((vendor.WEB / "package-lock.json").read_text("utf-8"))
# A registry that answers nobody, at once: the archives of these tests lie on this machine.
NOWHERE = {"registry": "http://127.0.0.1:9/", "fetch_retries": "0", "update_notifier": "false"}
needs_npm = pytest.mark.skipif(not shutil.which("npm"), reason="there is no npm on this machine")


@pytest.fixture
def toys(tmp_path, monkeypatch):
    """A folder `web` that takes one package, an archive on this machine, and its lock file."""
    web, package = tmp_path / "web", tmp_path / "package"
    (package / "dist").mkdir(parents=True)
    (package / "package.json").write_text('{"name": "@toys/toy", "version": "1.0.0"}')
    for name in ("dist/a.js", "dist/b.js", "LICENSE"):
        (package / name).write_text(name)
    web.mkdir()
    archive = web / "toy.tgz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(package, "package")
    digest = b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    needs = {"dependencies": {"@toys/toy": archive.as_uri()}}
    entry = {"version": "1.0.0", "resolved": archive.as_uri(), "integrity": f"sha512-{digest}"}
    packages = {"": needs, "node_modules/@toys/toy": entry}
    lock = {"name": "web", "lockfileVersion": 3, "requires": True, "packages": packages}
    (web / "package.json").write_text(json.dumps({"private": True, **needs}))
    (web / "package-lock.json").write_text(json.dumps(lock))
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    for name, value in NOWHERE.items():
        monkeypatch.setenv(f"npm_config_{name}", value)
    monkeypatch.setattr(vendor, "WEB", web)
    monkeypatch.setattr(vendor, "VENDOR", tmp_path / "vendor")
    monkeypatch.setattr(vendor, "FILES", {"site": {"@toys/toy": ("dist/*.js",)}})
    return tmp_path


def spoil(path):
    """Change one letter of the hash in a lock file."""
    mark = '"sha512-'
    before, after = path.read_text().split(mark)
    path.write_text(before + mark + ("A" if after[0] != "A" else "B") + after[1:])


@needs_npm
def test_named_files_are_taken_and_fetched_once(toys, monkeypatch):
    assert vendor.fetch() == toys / "vendor"
    there = sorted(p.relative_to(toys / "vendor") for p in (toys / "vendor").rglob("*.js"))
    assert [path.as_posix() for path in there] == [f"site/toys-toy/dist/{n}.js" for n in "ab"]
    assert (toys / "vendor" / there[0]).read_text() == "dist/a.js"
    monkeypatch.setattr(vendor, "npm", None)  # not called again
    assert vendor.fetch() == toys / "vendor"


@needs_npm
def test_another_archive_is_refused(toys):
    spoil(toys / "web" / "package-lock.json")
    with pytest.raises(vendor.VendorError, match=r"(?s)npm ci failed:.*EINTEGRITY"):
        vendor.fetch()
    assert not (toys / "vendor").exists()


@needs_npm
def test_a_file_that_is_not_in_the_archive_is_named(toys, monkeypatch):
    monkeypatch.setattr(vendor, "FILES", {"site": {"@toys/toy": ("dist/c.js",)}})
    with pytest.raises(vendor.VendorError, match=r"@toys/toy: the archive has no dist/c\.js"):
        vendor.fetch()


def test_every_package_is_locked_by_its_hash_and_names_no_registry():
    named = json.loads((vendor.WEB / "package.json").read_text("utf-8"))
    versions = named["dependencies"] | named["devDependencies"]
    packages = {place.removeprefix("node_modules/"): one for place, one in LOCK["packages"].items()}
    own = packages.pop("")
    assert own == {key: named[key] for key in ("dependencies", "devDependencies")}
    assert {name: one["version"] for name, one in packages.items()} == versions
    assert {name for taken in vendor.FILES.values() for name in taken} == {*packages}
    for one in packages.values():
        assert one["integrity"].startswith("sha512-")
        assert len(one["integrity"]) == 95
        assert one["license"]
        assert "resolved" not in one


def test_the_build_goes_on_without_npm_and_says_so(monkeypatch, capsys):
    def fail():
        raise vendor.VendorError("there is no npm")

    staged = []
    monkeypatch.setattr(vendor, "fetch", fail)
    monkeypatch.setattr(build.chapters, "paths", list)
    monkeypatch.setattr(build, "stage", lambda site: staged.append(site))
    monkeypatch.setattr(build.subprocess, "run", lambda *a, **k: type("R", (), {"returncode": 0}))
    monkeypatch.setattr(build, "_changed", lambda *a: False)
    assert build.main() == 0
    assert staged == [None]
    assert "WITHOUT LOCAL SCRIPTS: there is no npm" in capsys.readouterr().out
