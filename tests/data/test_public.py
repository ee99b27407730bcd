"""Tests of companion.data.public: whatever a server does, what arrives is complete and right.

The server is our own, on this machine; the data that it sends were invented for the tests.
"""

import contextlib
import hashlib
import io
import json
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time
import warnings
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from companion import progress
from companion.data import public
from companion.data.public import File

BODY = random.Random(0).randbytes(200_000)
OTHER = random.Random(1).randbytes(150_000)
SHA256 = hashlib.sha256(BODY).hexdigest()
OTHER_SHA256 = hashlib.sha256(OTHER).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answers each request as the next entry of the server's script says, at last normally."""

    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        script = self.server.script
        step = script.pop(0) if script else self.server.always
        with contextlib.suppress(OSError):  # the client may go
            step(self)

    def log_message(self, *args):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked, self.script, self.always, self.sent = [], [], send(), 0
        self.over = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def ranges(self):
        return [headers.get("Range") for _, headers in self.asked]


def send(
    body=BODY, *, tag='"1"', date=None, only=None, ranges=True, condition=True, end="", **extra
):
    """Return a step that sends a body, or what it is asked for of it.

    `only`: as many bytes, then the connection ends; by default in peace, with "reset" hard, with
    "silence" not at all. `ranges`, `condition`: whether Range and If-Range are heeded.
    """

    def step(handler):
        asked = handler.headers.get("Range")
        same = handler.headers.get("If-Range") in (tag, date) or not condition
        start = int(asked[6:-1]) if asked and ranges and same else 0
        if start and start >= len(body):
            handler.send_error(416)
            return
        handler.send_response(206 if start else 200)
        headers = {"ETag": tag, "Last-Modified": date, "Content-Length": len(body) - start}
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        headers |= {name.replace("_", "-"): value for name, value in extra.items()}
        for name, value in headers.items():
            if value is not None:
                handler.send_header(name, str(value))
        handler.end_headers()
        part = body[start:][:only]
        handler.wfile.write(part)
        handler.server.sent += len(part)
        if end == "silence":
            handler.server.over.wait()
        if end == "reset":
            handler.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            handler.connection.close()

    return step


def fail(status):
    return lambda handler: handler.send_error(status)


def redirect(place, status=302):
    def step(handler):
        handler.send_response(status)
        handler.send_header("Location", place)
        handler.end_headers()

    return step


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(public, "PAUSE", 0.001)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.over.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def file(server):
    return File("file.bin", (f"{server.url}/folder/file.bin",), SHA256)


@pytest.fixture
def trusted(server):
    """A file without a published checksum."""
    return File("file.bin", (f"{server.url}/file.bin",))


def left(folder):
    """Return what lies in the cache, but for the locks."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_a_file_is_downloaded_once(file, server, tmp_path):
    folder = tmp_path / "new" / "folder"
    path = public.fetch(file, folder=folder)
    assert path == folder / "file.bin"
    assert path.read_bytes() == BODY
    assert public.fetch(file, folder=folder) == path
    assert [place for place, _ in server.asked] == ["/folder/file.bin"]
    assert left(folder) == ["file.bin"]


@pytest.mark.parametrize("end", ["", "reset"])
def test_a_broken_connection_is_taken_up_where_it_broke(file, server, tmp_path, end):
    server.script = [send(only=70_000, end=end)]
    assert public.fetch(file, folder=tmp_path).read_bytes() == BODY
    first, second = server.ranges()
    assert first is None
    start = int(second.removeprefix("bytes=").removesuffix("-"))
    assert start == 70_000 if not end else 0 < start <= 70_000
    assert server.asked[1][1]["If-Range"] == '"1"'
    assert server.sent == 70_000 + len(BODY) - start < 2 * len(BODY)


def test_a_bad_line_needs_patience_not_luck(file, server, tmp_path, monkeypatch):
    monkeypatch.setattr(public, "ATTEMPTS", 2)
    server.always = send(only=9_000)
    assert public.fetch(file, folder=tmp_path).read_bytes() == BODY
    assert len(server.asked) == -(-len(BODY) // 9_000)
    assert server.sent == len(BODY)


def test_an_interrupted_download_is_resumed_by_the_next_call(file, server, tmp_path):
    server.script = [send(only=120_000), fail(403)]
    with pytest.raises(ConnectionError, match="answered 403"):
        public.fetch(file, folder=tmp_path)
    assert left(tmp_path) == ["file.bin.part", "file.bin.part.json"]
    assert public.fetch(file, folder=tmp_path).read_bytes() == BODY
    assert server.ranges()[-1] == "bytes=120000-"
    assert server.sent == len(BODY)
    assert left(tmp_path) == ["file.bin"]


def test_what_has_arrived_outlives_a_kill(file, server, tmp_path):
    server.always = send(only=120_000, end="silence")
    program = f"from companion.data.public import *; fetch({file!r}, folder={str(tmp_path)!r})"
    child = subprocess.Popen([sys.executable, "-c", program])
    part = tmp_path / "file.bin.part"
    while child.poll() is None and not (part.exists() and part.stat().st_size > 60_000):
        time.sleep(0.02)
    child.kill()
    child.wait()
    kept = part.stat().st_size
    assert not (tmp_path / "file.bin").exists()
    server.always = send()
    assert public.fetch(file, folder=tmp_path).read_bytes() == BODY
    assert server.ranges()[-1] == f"bytes={kept}-"


def test_a_server_without_ranges_sends_all_again(file, server, tmp_path):
    server.script = [send(only=70_000)]
    server.always = send(ranges=False)
    assert public.fetch(file, folder=tmp_path).read_bytes() == BODY
    assert server.ranges() == [None, "bytes=70000-"]


def test_a_server_that_never_gets_further_is_given_up(file, server, tmp_path):
    server.always = send(only=70_000, ranges=False)
    with pytest.raises(ConnectionError, match=r"file\.bin could not be downloaded: .*130000"):
        public.fetch(file, folder=tmp_path)
    assert len(server.asked) == 1 + public.ATTEMPTS
    assert "file.bin" not in left(tmp_path)


@pytest.mark.parametrize("condition", [True, False])
def test_two_versions_are_never_mixed(trusted, server, tmp_path, condition):
    server.script = [send(only=70_000)]
    server.always = send(OTHER, tag='"2"', condition=condition)
    assert public.fetch(trusted, folder=tmp_path).read_bytes() == OTHER
    assert server.ranges()[1] == "bytes=70000-"


@pytest.mark.parametrize(
    ("tag", "date", "condition"),
    [
        ('"a"', "Mon, 01 Jan 2024 00:00:00 GMT", '"a"'),
        ('W/"a"', "Mon, 01 Jan 2024 00:00:00 GMT", "Mon, 01 Jan 2024 00:00:00 GMT"),
        (None, "Mon, 01 Jan 2024 00:00:00 GMT", "Mon, 01 Jan 2024 00:00:00 GMT"),
        ('W/"a"', None, None),
        (None, None, None),
    ],
)
def test_only_a_version_named_for_certain_is_continued(
    trusted, server, tmp_path, tag, date, condition
):
    server.script = [send(tag=tag, date=date, only=70_000)]
    server.always = send(tag=tag, date=date)
    assert public.fetch(trusted, folder=tmp_path).read_bytes() == BODY
    assert server.asked[1][1].get("If-Range") == condition
    assert ("Range" in server.asked[1][1]) == (condition is not None)


@pytest.mark.parametrize("answer", ["bytes 69999-199999/200000", "bytes 0-9/200000", "70000", None])
def test_another_part_than_asked_for_is_not_used(file, server, tmp_path, answer):
    server.script = [send(only=70_000), send(Content_Range=answer)]
    assert public.fetch(file, folder=tmp_path).read_bytes() == BODY
    assert server.ranges() == [None, "bytes=70000-", None]


def test_a_part_of_the_part_is_continued(file, server, tmp_path):
    def step(handler):
        handler.send_response(206)
        handler.send_header("ETag", '"1"')
        handler.send_header("Content-Range", "bytes 70000-79999/200000")
        handler.send_header("Content-Length", "10000")
        handler.end_headers()
        handler.wfile.write(BODY[70_000:80_000])

    server.script = [send(only=70_000), step]
    assert public.fetch(file, folder=tmp_path).read_bytes() == BODY
    assert server.ranges() == [None, "bytes=70000-", "bytes=80000-"]


def test_a_file_that_became_shorter_is_begun_again(trusted, server, tmp_path):
    server.script = [send(only=170_000)]
    server.always = send(OTHER)  # of the same ETag: the server lies
    assert public.fetch(trusted, folder=tmp_path).read_bytes() == OTHER
    assert server.ranges() == [None, "bytes=170000-", None]


@pytest.mark.parametrize(
    ("content", "state"),
    [
        (b"", {"url": "URL", "version": '"1"'}),
        (b"of another file", {"url": "http://127.0.0.1/other", "version": '"1"'}),
        (b"of what version?", {"url": "URL", "version": None}),
        (b"of what version?", {"url": "URL"}),
        (b"of what?", []),
        (b"of what?", None),
    ],
)
def test_remains_that_cannot_be_told_are_not_continued(file, server, tmp_path, content, state):
    (tmp_path / "file.bin.part").write_bytes(content)
    told = "{" if state is None else json.dumps(state).replace("URL", file.urls[0])
    (tmp_path / "file.bin.part.json").write_text(told)
    assert public.fetch(file, folder=tmp_path).read_bytes() == BODY
    assert server.ranges() == [None]


def test_the_file_has_its_name_only_when_it_is_complete_and_on_the_disk(
    file, server, tmp_path, monkeypatch
):
    events, fsync, replace = [], os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (events.append("fsync"), fsync(handle)))
    monkeypatch.setattr(os, "replace", lambda *p: (events.append(p[1].name), replace(*p)))
    server.script = [send(only=70_000)]
    monkeypatch.setattr(
        public.time, "sleep", lambda _: events.append((tmp_path / "file.bin").exists())
    )
    public.fetch(file, folder=tmp_path)
    assert events == [False, "fsync", "file.bin"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirections_are_followed_and_keep_the_range(file, server, tmp_path, status):
    server.script = [
        redirect("/b", status),
        redirect(f"{server.url}/c", status),
        send(only=70_000),
        redirect("d", status),
    ]
    assert public.fetch(file, folder=tmp_path).read_bytes() == BODY
    places = [place for place, _ in server.asked]
    assert places == ["/folder/file.bin", "/b", "/c", "/folder/file.bin", "/folder/d"]
    assert server.ranges() == [None, None, None, "bytes=70000-", "bytes=70000-"]


def test_redirections_in_circles_end(file, server, tmp_path):
    server.always = redirect("/folder/file.bin")
    with pytest.raises(ConnectionError, match="leads to more than 10 other addresses"):
        public.fetch(file, folder=tmp_path)
    assert len(server.asked) == 11


def test_a_redirection_out_of_the_encryption_is_refused(file, server, tmp_path):
    server.always = redirect("http://example.org/file.bin")
    with pytest.raises(ConnectionError, match=r"leads to http://example\.org.*not encrypted"):
        public.fetch(file, folder=tmp_path)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "place", ["http://example.org/b", "http://127.0.0.1:9/b", "ftp://example.org/b", "file:///b"]
)
def test_https_leads_only_to_https(place):
    asked = []

    def get(url, **_):
        asked.append(url)
        return SimpleNamespace(is_redirect=True, headers={"Location": place}, close=lambda: None)

    session = SimpleNamespace(get=get)
    with pytest.raises(ConnectionError, match=f"leads to {place}, which is not encrypted"):
        public._open(session, "https://example.org/a", {})
    assert asked == ["https://example.org/a"]


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_what_is_not_there_is_not_asked_for_again(file, server, tmp_path, status):
    server.always = fail(status)
    with pytest.raises(ConnectionError, match=rf"file\.bin answered {status} \w"):
        public.fetch(file, folder=tmp_path)
    assert len(server.asked) == 1
    assert left(tmp_path) == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_in_trouble_is_asked_again(file, server, tmp_path, status):
    server.script = [fail(status), fail(status)]
    assert public.fetch(file, folder=tmp_path).read_bytes() == BODY
    assert len(server.asked) == 3


def test_pauses_become_longer_until_something_arrives(file, server, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr(public, "PAUSE", 1)
    monkeypatch.setattr(public.time, "sleep", pauses.append)
    server.script = [fail(500), fail(500), send(only=9), fail(500)]
    server.always = fail(500)
    with pytest.raises(ConnectionError, match=r"could not be downloaded: .* answered 500"):
        public.fetch(file, folder=tmp_path)
    assert pauses == [2, 4, 1, 2, 4, 8, 16]


def test_no_server_at_all(tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(public, "PAUSE", 0.001)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(ConnectionError, match=r"could not be downloaded: .*refused"):
            public.fetch(File("a", (f"http://127.0.0.1:{port}/a",)), folder=tmp_path)


@pytest.mark.parametrize("only", [None, 0, 70_000])
def test_silence_is_an_error_in_time(file, server, tmp_path, monkeypatch, only):
    monkeypatch.setattr(public, "SILENCE", 0.15)
    monkeypatch.setattr(public, "ATTEMPTS", 2)
    server.always = (
        (lambda handler: handler.server.over.wait())
        if only is None
        else send(only=only, end="silence", ranges=False)
    )
    with pytest.raises(TimeoutError, match=r"file\.bin could not be downloaded: .*timed out"):
        public.fetch(file, folder=tmp_path)
    assert len(server.asked) <= 3


def test_a_line_that_drips_is_given_up_and_what_arrived_is_kept(
    file, server, tmp_path, monkeypatch
):
    monkeypatch.setattr(public, "LONGEST", 0.1)

    def drip(handler):
        send(only=5)(handler)
        while not handler.server.over.wait(0.005):
            handler.wfile.write(b"x")

    server.always = drip
    with pytest.raises(TimeoutError, match=r"file\.bin took more than 0\.1 seconds"):
        public.fetch(file, folder=tmp_path)
    assert (tmp_path / "file.bin.part").stat().st_size > 5


def test_what_has_another_checksum_is_not_kept(file, server, tmp_path):
    server.script = [send(OTHER)]
    with pytest.raises(ValueError, match=f"must have the SHA-256 {SHA256}, got {OTHER_SHA256}"):
        public.fetch(file, folder=tmp_path)
    assert left(tmp_path) == []
    assert public.fetch(file, folder=tmp_path).read_bytes() == BODY


def test_damage_in_what_was_resumed_is_found(file, server, tmp_path):
    server.script = [send(only=120_000), fail(404)]
    with pytest.raises(ConnectionError):
        public.fetch(file, folder=tmp_path)
    part = tmp_path / "file.bin.part"
    part.write_bytes(b"?" + part.read_bytes()[1:])
    with pytest.raises(ValueError, match="must have the SHA-256"):
        public.fetch(file, folder=tmp_path)
    assert public.fetch(file, folder=tmp_path).read_bytes() == BODY


@pytest.mark.parametrize("change", [b"?" + BODY[1:], BODY[:-1], BODY + b"?", b""])
@pytest.mark.parametrize("published", [True, False])
def test_a_damaged_file_in_the_cache_is_noticed(file, trusted, server, tmp_path, change, published):
    chosen = file if published else trusted
    path = public.fetch(chosen, folder=tmp_path)
    path.write_bytes(change)
    with pytest.warns(UserWarning, match=r"file\.bin was damaged and is downloaded again"):
        assert public.fetch(chosen, folder=tmp_path).read_bytes() == BODY
    assert len(server.asked) == 2


def test_the_first_download_is_trusted_and_recorded(trusted, server, tmp_path, capsys):
    path = public.fetch(trusted, folder=tmp_path)
    assert f"file.bin is trusted as it came; from now on its SHA-256 must be {SHA256}" in (
        capsys.readouterr().out
    )
    assert (tmp_path / "file.bin.sha256").read_text() == f"{SHA256}  file.bin\n"
    assert public.fetch(trusted, folder=tmp_path) == path
    assert capsys.readouterr().out == ""
    assert len(server.asked) == 1
    assert left(tmp_path) == ["file.bin", "file.bin.sha256"]


@pytest.mark.parametrize("lost", [True, False])
def test_later_copies_must_match_the_first(trusted, server, tmp_path, lost):
    path = public.fetch(trusted, folder=tmp_path)
    server.always = send(OTHER)
    if lost:
        path.unlink()
    else:
        path.write_bytes(b"damaged")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(ValueError, match=f"the SHA-256 {SHA256}, got {OTHER_SHA256}"):
            public.fetch(trusted, folder=tmp_path)


@pytest.mark.parametrize("record", [None, ""])
def test_a_file_without_its_record_is_not_trusted(trusted, server, tmp_path, record):
    path = public.fetch(trusted, folder=tmp_path)
    path.write_bytes(b"damaged")
    (tmp_path / "file.bin.sha256").unlink()
    if record is not None:
        (tmp_path / "file.bin.sha256").write_text(record)
    assert public.fetch(trusted, folder=tmp_path).read_bytes() == BODY
    assert len(server.asked) == 2


@pytest.mark.parametrize("first", [fail(404), send(OTHER)])
def test_the_next_address_is_tried(server, tmp_path, first):
    file = File("file.bin", (f"{server.url}/a", f"{server.url}/b"), SHA256)
    server.script = [first]
    assert public.fetch(file, folder=tmp_path).read_bytes() == BODY
    assert [place for place, _ in server.asked] == ["/a", "/b"]


def test_parts_of_two_addresses_are_not_mixed(server, tmp_path):
    file = File("file.bin", (f"{server.url}/a", f"{server.url}/b"), OTHER_SHA256)
    server.script = [send(only=70_000), fail(404), send(OTHER)]
    assert public.fetch(file, folder=tmp_path).read_bytes() == OTHER
    assert server.ranges() == [None, "bytes=70000-", None]


def test_if_no_address_works_all_are_told(server, tmp_path):
    file = File("file.bin", (f"{server.url}/a", f"{server.url}/b"), SHA256)
    server.script = [fail(404), fail(410)]
    with pytest.raises(ConnectionError, match="/b answered 410") as caught:
        public.fetch(file, folder=tmp_path)
    [note] = caught.value.__notes__
    assert "/a answered 404" in note


def test_a_length_or_a_checksum_must_be_known(file, trusted, server, tmp_path):
    server.always = send(Content_Length=None)
    with pytest.raises(ConnectionError, match="does not tell its length, and no checksum"):
        public.fetch(trusted, folder=tmp_path)
    assert public.fetch(file, folder=tmp_path).read_bytes() == BODY


@pytest.mark.parametrize("broken", [False, True])
def test_chunks_are_joined_and_a_missing_end_is_found(trusted, server, tmp_path, broken):
    def chunked(handler):
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.send_header("Connection", "close")
        handler.end_headers()
        for start in range(0, len(BODY), 50_000):
            handler.wfile.write(b"%x\r\n%s\r\n" % (50_000, BODY[start : start + 50_000]))
            if broken and start:
                return
        handler.wfile.write(b"0\r\n\r\n")

    server.script = [chunked]
    server.always = send()
    assert public.fetch(trusted, folder=tmp_path).read_bytes() == BODY
    assert len(server.asked) == 1 + broken


def test_compression_is_not_asked_for_and_not_taken(file, server, tmp_path):
    server.always = send(Content_Encoding="gzip")
    with pytest.raises(ConnectionError, match="sent a compressed file"):
        public.fetch(file, folder=tmp_path)
    assert server.asked[0][1]["Accept-Encoding"] == "identity"
    assert server.asked[0][1]["User-Agent"].startswith("perceptron-to-peft/")


@pytest.mark.parametrize("others", ["threads", "processes"])
def test_a_second_one_waits_until_the_first_is_done(file, server, tmp_path, others):
    started, go_on = threading.Event(), threading.Event()

    def slow(handler):
        started.set()
        go_on.wait(20)
        send()(handler)

    server.script = [slow]
    program = f"from companion.data.public import *; fetch({file!r}, folder={str(tmp_path)!r})"
    results = []

    def run():
        if others == "threads":
            results.append(public.fetch(file, folder=tmp_path).read_bytes() == BODY)
        else:
            results.append(subprocess.call([sys.executable, "-c", program]) == 0)

    threads = [threading.Thread(target=run) for _ in range(2)]
    threads[0].start()
    assert started.wait(20)
    threads[1].start()
    own = threading.Thread(target=public.fetch, args=(file,), kwargs={"folder": tmp_path})
    own.start()
    own.join(0.1)
    assert own.is_alive()
    assert len(server.asked) == 1
    go_on.set()
    for thread in (*threads, own):
        thread.join()
    assert results == [True, True]
    assert len(server.asked) == 1
    assert left(tmp_path) == ["file.bin"]


def test_the_cache_lies_where_the_reader_says(file, server, tmp_path, monkeypatch):
    import platformdirs

    monkeypatch.setattr(platformdirs, "user_cache_path", lambda name, **_: tmp_path / "os" / name)
    monkeypatch.setenv("COMPANION_DATA", str(tmp_path / "mine"))
    assert public.fetch(file) == tmp_path / "mine" / "file.bin"
    monkeypatch.delenv("COMPANION_DATA")
    assert public.fetch(file) == tmp_path / "os" / "perceptron-to-peft" / "file.bin"


@pytest.mark.parametrize("watched", [True, False])
def test_a_bar_is_drawn_for_a_person_only(file, server, tmp_path, monkeypatch, capsys, watched):
    monkeypatch.setattr(progress, "is_watched", lambda: watched)
    public.fetch(file, folder=tmp_path)
    assert ("/200k" in capsys.readouterr().err) == watched


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (("../a", ("https://example.org/a",)), r"name must be .* without a folder, got '\.\./a'"),
        (("a/b", ("https://example.org/a",)), "name must be"),
        (("", ("https://example.org/a",)), "name must be"),
        (("a", ()), r"urls must be one or more that begin with https, got \(\)"),
        (("a", ("http://example.org/a",)), "urls must be"),
        (("a", ("ftp://127.0.0.1/a",)), "urls must be"),
        (("a", ("https://example.org/a",), "12ab"), "sha256 must be 64 hexadecimal .*, got '12ab'"),
        (("a", ("https://example.org/a",), "A" * 64), "sha256 must be"),
    ],
)
def test_files_that_cannot_be_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        File(*values)


def archive(**members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name, text in members.items():
            file.writestr(name, text)
    return content.getvalue()


NSMC = "id\tdocument\tlabel\n1\t좋다\x85 정말\u2028좋다\t1\n2\t\t0\n"
TOPICS = json.dumps([{"guid": "g", "title": "제목", "label": "정치", "url": "u"}])
PAIRS = json.dumps(
    [{"guid": "g", "premise": "p", "hypothesis": "h", "gold_label": "neutral", "x": 1}]
)
WIKI = archive(
    **{
        "wikitext-2-raw/wiki.train.raw": " \n = One = \n \n Two . \n",
        "wikitext-2-raw/wiki.valid.raw": " Three . \n",
        "wikitext-2-raw/wiki.test.raw": " Four\u2028. \n",
        "../outside": "never on the disk",
        "/outside": "never on the disk",
    }
)
LOADED = [
    (
        "nsmc",
        "train",
        NSMC,
        [
            {"id": "1", "document": "좋다\x85 정말\u2028좋다", "label": 1},
            {"id": "2", "document": "", "label": 0},
        ],
    ),
    ("nsmc", "test", NSMC.replace("\n", "\r\n")[:-2], None),
    ("klue_ynat", "train", TOPICS, [{"guid": "g", "title": "제목", "label": "정치"}]),
    (
        "klue_nli",
        "dev",
        PAIRS,
        [{"guid": "g", "premise": "p", "hypothesis": "h", "gold_label": "neutral"}],
    ),
    ("tiny_shakespeare", None, "One.\r\n\nTwo.", [{"text": "One.\r\n\nTwo."}]),
    ("wikitext2", None, WIKI, [{"text": "= One ="}, {"text": "Two ."}]),
    ("wikitext2", "valid", WIKI, [{"text": "Three ."}]),
    ("wikitext2", "test", WIKI, [{"text": "Four\u2028."}]),
]


@pytest.fixture
def publish(server, monkeypatch):
    """Return a function that lets our server send a content in place of a data set."""

    def put(name, content):
        body = content.encode() if isinstance(content, str) else content
        server.always = send(body)
        dataset = public.DATASETS[name]
        files = {
            split: File(
                file.name, (f"{server.url}/a",), hashlib.sha256(body).hexdigest(), file.member
            )
            for split, file in dataset.files.items()
        }
        ours = public.Dataset(dataset.title, "CC0", "ourselves", files, dataset.parse)
        monkeypatch.setitem(public.DATASETS, name, ours)

    return put


@pytest.mark.parametrize(("name", "split", "content", "records"), LOADED)
def test_data_sets_become_records(publish, tmp_path, name, split, content, records):
    publish(name, content)
    found = public.load(name, split, folder=tmp_path / "cache")
    assert found == (records or LOADED[0][3])
    assert [path.name for path in tmp_path.iterdir()] == ["cache"]
    [only] = left(tmp_path / "cache")
    assert only == public.DATASETS[name].files[split or "train"].name


def test_splits_of_one_archive_share_one_download(publish, server, tmp_path):
    publish("wikitext2", WIKI)
    for split in ("train", "valid", "test"):
        public.load("wikitext2", split, folder=tmp_path)
    assert len(server.asked) == 1


DAMAGED = bytearray(WIKI)
DAMAGED[WIKI.index(b"Two") + 1] ^= 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("nsmc", "id\tdocument\n", "the first line must name id, document and label"),
        ("nsmc", "", "the first line must name"),
        ("nsmc", "id\tdocument\tlabel\n1\ta\t1\n2\tb\n", "line 3 must hold three cells.*got '2"),
        ("nsmc", "id\tdocument\tlabel\n1\ta\t2\n", "line 2 must hold three cells, the last 0 or 1"),
        ("nsmc", "id\tdocument\tlabel\n1\ta\tb\t1\n", "line 2 must hold three cells"),
        ("nsmc", b"id\tdocument\tlabel\n1\t\xff\t1\n", "UnicodeDecodeError"),
        ("klue_ynat", "[", "JSONDecodeError"),
        ("klue_ynat", '[{"guid": "g"}]', "KeyError.*title"),
        ("klue_ynat", "[3]", "TypeError"),
        ("klue_ynat", "3", "TypeError"),
        ("wikitext2", "no archive", "BadZipFile"),
        ("wikitext2", archive(other="text"), "KeyError.*wiki.train.raw"),
        ("wikitext2", bytes(DAMAGED), "BadZipFile.*CRC"),
    ],
)
def test_another_format_is_told(publish, tmp_path, name, content, message):
    publish(name, content)
    with pytest.raises(ValueError, match=f"does not have the format of {name}: .*{message}"):
        public.load(name, folder=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nsm"], r"name must be one of \['klue_nli', .*'wikitext2'\], got 'nsm'"),
        (["nsmc", "dev"], r"split of nsmc must be one of \['train', 'test'\], got 'dev'"),
        (["nsmc", ""], "split of nsmc must be one of"),
    ],
)
def test_callers_mistakes_are_named_before_any_request(arguments, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        public.load(*arguments, folder=tmp_path)


def test_the_registry_is_complete_and_consistent():
    files = {file for dataset in public.DATASETS.values() for file in dataset.files.values()}
    places = {}
    for file in files:
        assert places.setdefault(file.name, file.urls) == file.urls
        assert all(url.startswith("https://") for url in file.urls)
    assert len(places) == 8
    assert {file.sha256 for file in files} - {None} == set(public.PUBLISHED.values())
    for dataset in public.DATASETS.values():
        assert all([dataset.title, dataset.licence, dataset.citation])
        assert next(iter(dataset.files)) == "train"


def test_the_import_is_light_and_asks_nothing_of_the_network():
    program = (
        "import socket, sys; del socket.socket, socket.getaddrinfo\n"
        "import companion.data.public; print(*sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    heavy = {"requests", "urllib3", "filelock", "platformdirs", "tqdm", "numpy", "ipywidgets"}
    assert not heavy & set(result.stdout.split())
