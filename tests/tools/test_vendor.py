"""The scripts that the site serves itself: only the named archives are accepted."""

import io
import json
import tarfile

import pytest

from tools import build, vendor


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "toy-1.0.0.tgz"
    with tarfile.open(path, "w:gz") as tar:
        for name in ("package/dist/a.js", "package/dist/b.js", "package/LICENSE"):
            info = tarfile.TarInfo(name)
            info.size = len(name)
            tar.addfile(info, io.BytesIO(name.encode()))
    return path


def package(archive, **files):
    import base64
    import hashlib

    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    return {"name": "@toys/toy", "integrity": f"sha512-{digest}", "files": files}


def test_named_files_are_extracted(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(vendor, "VENDOR", tmp_path / "vendor")
    vendor.unpack(archive, package(archive, **{"dist/*.js": "site", "LICENSE": "tests"}))
    there = {p.relative_to(tmp_path / "vendor").as_posix() for p in tmp_path.rglob("vendor/**/*.*")}
    assert there == {"site/toys-toy/dist/a.js", "site/toys-toy/dist/b.js"}
    assert (tmp_path / "vendor/tests/toys-toy/LICENSE").read_text() == "package/LICENSE"


def test_another_archive_is_refused(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(vendor, "VENDOR", tmp_path / "vendor")
    wrong = package(archive, LICENSE="site") | {"integrity": "sha512-AAAA"}
    with pytest.raises(vendor.VendorError, match=r"@toys/toy: expected an archive sha512-AAAA"):
        vendor.unpack(archive, wrong)
    with pytest.raises(vendor.VendorError, match=r"the archive has no missing\.js"):
        vendor.unpack(archive, package(archive, **{"missing.js": "site"}))


def test_every_package_states_version_hash_and_licence():
    for entry in json.loads(vendor.PACKAGES.read_text("utf-8")):
        assert set(entry) == {"name", "version", "integrity", "licence", "purpose", "files"}
        assert entry["integrity"].startswith("sha512-")
        assert len(entry["integrity"]) == 95
        assert set(entry["files"].values()) <= {"site", "tests"}


def test_the_build_goes_on_without_npm_and_says_so(monkeypatch, capsys):
    def fail():
        raise vendor.VendorError("there is no npm")

    staged = []
    monkeypatch.setattr(vendor, "fetch", fail)
    monkeypatch.setattr(build.execute, "chapters", list)
    monkeypatch.setattr(build, "stage", lambda site: staged.append(site))
    monkeypatch.setattr(build.subprocess, "run", lambda *a, **k: type("R", (), {"returncode": 0}))
    monkeypatch.setattr(build, "_changed", lambda *a: False)
    assert build.main() == 0
    assert staged == [None]
    assert "WITHOUT LOCAL SCRIPTS: there is no npm" in capsys.readouterr().out
