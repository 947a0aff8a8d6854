"""A Hub on loopback: as much of its protocol as its clients need to resolve, list and read a repository."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "a1" * 20


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve the repositories datasets/<name> and models/<name> below a folder; the address."""
    handler = type("Handler", (_Handler,), {"folder": folder})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: Path

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if match := re.fullmatch(r"/api/(datasets|models)/([^/]+/[^/]+)(?:/revision/([^/]+))?", path):
            self._repository(*match.groups())
        elif match := re.fullmatch(r"/api/(datasets|models)/([^/]+/[^/]+)/tree/([^/]+)(?:/(.*))?", path):
            self._tree(*match.groups())
        elif match := re.fullmatch(r"(/datasets)?/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._file("datasets" if match[1] else "models", match[2], match[4])
        else:
            self._nothing()

    do_HEAD = do_GET

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        match = re.fullmatch(r"/api/(datasets|models)/([^/]+/[^/]+)/paths-info/([^/]+)", unquote(self.path))
        if match is None:
            return self._nothing()
        root = self.folder / match[1] / match[2]
        paths = asked["paths"] if isinstance(asked["paths"], list) else [asked["paths"]]
        return self._json([_entry(root, root / path) for path in paths if (root / path).exists()])

    def _repository(self, kind: str, name: str, revision: str | None) -> None:
        root = self.folder / kind / name
        if not root.is_dir():
            return self._nothing("RepoNotFound")
        if revision not in {None, "main", COMMIT}:
            return self._nothing("RevisionNotFound")
        files = [{"rfilename": path.relative_to(root).as_posix()} for path in _files(root)]
        return self._json(
            {"id": name, "_id": "0", "sha": COMMIT, "siblings": files, "tags": [], "private": False}
        )

    def _tree(self, kind: str, name: str, revision: str, below: str | None) -> None:
        root = self.folder / kind / name
        if not (root / (below or "")).is_dir():
            return self._nothing("EntryNotFound")
        paths = sorted((root / (below or "")).glob("**/*" if "recursive=true" in self.path.lower() else "*"))
        return self._json([_entry(root, path) for path in paths])

    def _file(self, kind: str, name: str, path: str) -> None:
        file = self.folder / kind / name / path
        if not file.is_file():
            return self._nothing("EntryNotFound")
        content = file.read_bytes()
        headers = {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
        status, begin, end = 200, 0, len(content)
        if match := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            status, begin, end = 206, int(match[1]), min(int(match[2] or len(content)) + 1, len(content))
            headers["Content-Range"] = f"bytes {begin}-{end - 1}/{len(content)}"
        return self._answer(status, content[begin:end], headers)

    def _json(self, value: Any) -> None:
        self._answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _nothing(self, code: str = "EntryNotFound") -> None:
        self._answer(404, b"{}", {"X-Error-Code": code, "X-Error-Message": "not here"})

    def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


def _files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def _entry(root: Path, path: Path) -> dict[str, Any]:
    name = path.relative_to(root).as_posix()
    if path.is_dir():
        return {"type": "directory", "path": name, "oid": hashlib.sha1(name.encode()).hexdigest(), "size": 0}
    content = path.read_bytes()
    return {"type": "file", "path": name, "oid": hashlib.sha1(content).hexdigest(), "size": len(content)}
