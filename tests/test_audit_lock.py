"""The audit of the lock, against a local vulnerability service."""

import json
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests.audit_lock import LOCK, main, pinned

VULNERABLE = {
    "id": "PYSEC-2026-1",
    "details": "Reads your mail.",
    "affected": [
        {
            "package": {"name": "leaky", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}],
        }
    ],
}


class Service(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"vulns": [VULNERABLE]} if asked["package"]["name"] == "leaky" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def service():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    Thread(target=server.serve_forever, daemon=True).start()
    yield ["-s", "osv", "--osv-url", f"http://127.0.0.1:{server.server_port}"]
    server.shutdown()


@pytest.fixture
def lock(tmp_path):
    """Return a function that writes a lock file with these packages: `lock("leaky")`."""

    def written(*names):
        path = tmp_path / "Pipfile.lock"
        path.write_text(json.dumps({"default": {name: {"version": "==1.0"} for name in names}, "develop": {}}))
        return path

    return written


def test_a_known_vulnerability_fails(service, lock, capsys):
    assert main(lock("tidy", "leaky"), service) == 1
    assert "leaky 1.0: PYSEC-2026-1, fixed in 2.0" in capsys.readouterr().out


def test_no_known_vulnerability_passes(service, lock, capsys):
    assert main(lock("tidy"), service) == 0
    assert "0 known vulnerabilities in 1 of 1 packages" in capsys.readouterr().out


def test_an_unreachable_service_is_a_warning(lock, capsys):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
    assert main(lock("tidy"), ["-s", "osv", "--osv-url", address]) == 0
    assert "about 1 packages; THEY WERE NOT AUDITED" in capsys.readouterr().err


def test_a_registry_that_knows_nothing_of_a_package_is_a_warning(monkeypatch, lock, capsys):
    skipped = [{"name": "tidy", "skip_reason": "Dependency not found"}]
    monkeypatch.setattr("tests.audit_lock.ask", lambda requirements, options: skipped)

    assert main(lock("tidy"), []) == 0
    assert "about 1 packages; THEY WERE NOT AUDITED" in capsys.readouterr().err


def test_every_locked_package_is_audited():
    requirements = pinned(LOCK)

    assert any(line.startswith("django==5.2.") for line in requirements)
    assert any(line.startswith("pytest==") for line in requirements)
    assert all("==" in line for line in requirements)
