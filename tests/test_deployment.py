"""Image, compose file and nginx configuration, as far as they can be tested without a container engine."""

import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError

import pytest
import yaml

from tests.processes import Process, accepts, free_port

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if service.get("image") == "music-app"}
AUDIO = bytes(range(256)) * 8


def instructions(name: str) -> list[list[str]]:
    return [line.split()[1:] for line in DOCKERFILE.splitlines() if line.split()[:1] == [name]]


def test_files_that_the_image_copies_exist_and_are_not_ignored():
    let_in = {
        line.removeprefix("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")
    }
    copied = {source for words in instructions("COPY") if "--from=build" not in words for source in words[:-1]}

    assert copied == let_in
    assert all((ROOT / source).exists() for source in copied)


def test_named_build_stages_exist():
    stages = {words[-1] for words in instructions("FROM")}

    assert {service["build"]["target"] for service in COMPOSE["services"].values() if "build" in service} <= stages
    assert {word.split("=")[1] for words in instructions("COPY") for word in words if "--from" in word} <= stages


def test_the_application_does_not_run_as_root():
    application = DOCKERFILE.partition(" AS app")[2].partition("FROM ")[0]

    assert re.search(r"^USER [1-9]\d*$", application, re.MULTILINE)


def test_commands_of_the_image_exist():
    commands = re.findall(r"python (?:-m )?([\w.]+)", (ROOT / "Procfile").read_text())
    commands += [word for service in OURS.values() for word in service.get("command", [])[1:2]]

    commands += re.findall(r'"-m", "([\w.]+)"', DOCKERFILE)

    assert {"core.server.serve", "core.server.alive", "manage.py"} <= set(commands)
    for command in commands:
        path = command if command.endswith(".py") else command.replace(".", "/") + ".py"
        assert (ROOT / path).exists(), command


def test_every_variable_that_compose_passes_is_documented():
    explained = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", (ROOT / "docs/configuration.md").read_text()))
    passed = {name for service in OURS.values() for name in service["environment"]}
    passed |= set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))

    assert passed - explained == set()


def test_compose_holds_no_secret():
    for service in COMPOSE["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|KEY", name) or "://" in str(value):
                assert "${" in str(value) or "@" not in str(value), name
                assert not re.search("PASSWORD|SECRET|KEY", name) or str(value).startswith("${"), name


def test_services_wait_only_for_services_with_a_health_check():
    services = COMPOSE["services"]
    for service in services.values():
        for name, wanted in service.get("depends_on", {}).items():
            healthy = "healthcheck" in services[name] or services[name].get("build", {}).get("target") == "app"
            assert wanted["condition"] == "service_completed_successfully" or healthy


def test_ports_are_open_to_this_machine_alone():
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]

    assert published
    assert all(port.startswith("${PUBLISHED_ADDRESS:-127.0.0.1}:") for port in published)


def test_volumes_are_declared_and_mounted_where_nginx_and_the_application_read():
    used = [volume.split(":") for service in COMPOSE["services"].values() for volume in service.get("volumes", [])]

    assert {name for name, *_ in used} == set(COMPOSE["volumes"])
    assert {where for name, where, *_ in used if name == "media"} == {"/data/media", "/srv/media"}
    assert all(service["environment"]["MEDIA_ROOT"] == "/data/media" for service in OURS.values())


class Application(BaseHTTPRequestHandler):
    """A stub of the application that answers with X-Accel-Redirect and echoes the forwarded headers."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        if self.path == "/api/songs/1/stream":
            self.send_header("X-Accel-Redirect", "/protected/audio/a.mp3")
            self.send_header("Content-Type", "audio/mpeg")
            self.send_header("Vary", "Authorization")
        body = f"{self.path} {self.headers['X-Forwarded-For']} {self.headers['X-Forwarded-Proto']}".encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        well = (self.path, self.headers["Host"]) == ("/health/live", "music.example")
        self.send_response(200 if well else 400)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_the_health_check_sends_an_allowed_host():
    asking = [sys.executable, "-m", "core.server.alive"]
    with ThreadingHTTPServer(("127.0.0.1", 0), Health) as application:
        Thread(target=application.serve_forever, daemon=True).start()
        variables = {**os.environ, "PORT": str(application.server_port)}

        for hosts, status in {
            "music.example,other.example": 0,
            ".music.example": 0,
            "other.example": 1,
            "*": 1,
        }.items():
            assert subprocess.run(asking, env={**variables, "ALLOWED_HOSTS": hosts}, cwd=ROOT).returncode == status
        application.shutdown()

    assert subprocess.run(asking, env=variables, cwd=ROOT, capture_output=True).returncode != 0


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run nginx with our configuration, on temporary folders and ports."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    if nginx is None:
        pytest.skip("nginx is not installed")
    folder = tmp_path_factory.mktemp("nginx")
    for name, content in {
        "media/audio/a.mp3": AUDIO,
        "static/page.0123456789ab.css": b"a {}",
        "static/a.css": b"",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    application = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    Thread(target=application.serve_forever, daemon=True).start()
    port = free_port()
    text = (ROOT / "deploy/nginx.conf").read_text()
    for ours, here in {
        "worker_processes auto": f"user {account()}; worker_processes 1",
        "web:8000": f"127.0.0.1:{application.server_port}",
        "listen 8080": f"listen 127.0.0.1:{port}",
        "/tmp/nginx.pid": f"{folder}/pid",  # noqa: S108
        "/srv/media": f"{folder}/media",
        "root /srv": f"root {folder}",
    }.items():
        assert ours in text
        text = text.replace(ours, here)
    configuration = folder / "nginx.conf"
    configuration.write_text(text)
    checked = subprocess.run([nginx, "-t", "-c", configuration], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    with Process("nginx", [nginx, "-c", configuration, "-g", "daemon off;"], is_ready=lambda: accepts(port)):
        yield f"http://127.0.0.1:{port}"
    application.shutdown()


def account() -> str:
    """Return the current user, so that nginx's workers can read the temporary folders."""
    import getpass

    return getpass.getuser()


def fetch(url: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:  # noqa: S310
            return answer.status, answer.read(), dict(answer.headers)
    except HTTPError as error:
        return error.code, error.read(), dict(error.headers)


def test_nginx_sends_audio_where_the_application_says_so(proxy):
    status, body, headers = fetch(proxy + "/api/songs/1/stream")
    assert (status, body, headers["Content-Type"]) == (200, AUDIO, "audio/mpeg")
    assert (headers["Accept-Ranges"], headers["Vary"]) == ("bytes", "Authorization")

    status, body, headers = fetch(proxy + "/api/songs/1/stream", Range="bytes=100-199")
    assert (status, body) == (206, AUDIO[100:200])
    assert headers["Content-Range"] == f"bytes 100-199/{len(AUDIO)}"

    assert fetch(proxy + "/api/songs/1/stream", Range="bytes=99999-")[0] == 416


def test_stored_files_have_no_public_address(proxy):
    for path in (
        "/protected/audio/a.mp3",
        "/protected/",
        "/static/../media/audio/a.mp3",
        "/static../media/audio/a.mp3",
    ):
        assert AUDIO not in fetch(proxy + path)[1]


def test_nginx_sends_static_files_and_asks_the_application_for_others(proxy):
    hashed, plain = fetch(proxy + "/static/page.0123456789ab.css"), fetch(proxy + "/static/a.css")

    assert "immutable" in hashed[2]["Cache-Control"]
    assert "immutable" not in plain[2]["Cache-Control"]
    assert fetch(proxy + "/static/newer.css")[1].startswith(b"/static/newer.css")


def test_the_application_gets_the_address_and_scheme_of_the_client(proxy):
    assert fetch(proxy + "/api")[1] == b"/api 127.0.0.1 http"
    # Only the last address is nginx's own word, and TRUSTED_PROXIES=1 believes only that one.
    forged = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https"}
    assert fetch(proxy + "/api", **forged)[1] == b"/api 6.6.6.6, 127.0.0.1 https"


def test_errors_of_nginx_have_the_shape_of_the_api(proxy):
    host, port = proxy.removeprefix("http://").split(":")
    for length, status in {100 * 2**20 + 1: 413, 4: 200}.items():
        connection = http.client.HTTPConnection(host, int(port))
        connection.putrequest("POST", "/api/songs")
        connection.putheader("Content-Length", str(length))
        connection.endheaders(b"body")
        answer = connection.getresponse()
        assert answer.status == status
        assert status == 200 or json.load(answer)["errors"][0]["code"] == "too_large"
        connection.close()


def test_metrics_are_404_from_outside(proxy):
    assert fetch(proxy + "/metrics")[0] == 404


def test_make_help_lists_all_targets():
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1].split()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}

    listed = subprocess.run(["make"], cwd=ROOT, env=environment, capture_output=True, text=True).stdout

    named = {word for line in listed.splitlines() for word in line.partition("  ")[0].split()[1:]}
    assert {target for target in targets if "lint-" not in target} <= named
    assert subprocess.run(["make", "help"], cwd=ROOT, env=environment, capture_output=True, text=True).stdout == listed
