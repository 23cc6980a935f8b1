"""Everything at once, for a trial: database, demo, server and worker. `python -m core.server.run`"""

import http.client
import io
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

import django
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connections

from core.server.serve import check_address_is_free, close_to_others, die_with_parent

GRACE_SECONDS = 10


def prepare() -> str:
    """Migrate the database and make the demo. Return the line that says how to log in."""
    print("Preparing the database and the demo (the first time about half a minute)", flush=True)
    django.setup()
    close_to_others()
    call_command("migrate", interactive=False, verbosity=0)
    output = io.StringIO()
    try:
        call_command("make_demo", stdout=output)
    except CommandError as error:
        sys.exit(str(error))
    connections.close_all()
    return output.getvalue().splitlines()[-1]  # the command ends with it, whether the demo is new or not


def answers(host: str, port: int) -> bool:
    try:
        connection = http.client.HTTPConnection(host, port, timeout=5)
        connection.request("GET", "/")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False


def announce(address: str, logins: str) -> None:
    print(f"\nRunning: the server, and the worker for renditions and mails. Data: {places_of_data()}.")
    print("Ctrl-C ends both.\n")
    print(f"Start page  {address}/\nAPI         {address}/api/\nDocs        {address}/api/docs")
    print(f"Admin       {address}/admin/\n")
    print(logins, flush=True)


def places_of_data() -> str:
    """Say in words where rows and files are."""
    database, files = settings.DATABASES["default"], settings.STORAGES["default"]
    rows = "PostgreSQL" if "postgresql" in database["ENGINE"] else f"SQLite in {database['NAME']}"
    bucket = files.get("OPTIONS", {}).get("bucket_name")
    return f"{rows}, files in {f'the bucket {bucket}' if bucket else settings.MEDIA_ROOT}"


def start(*arguments: str) -> subprocess.Popen:
    """A Python process whose group is its own: Ctrl-C reaches it through us, once."""
    return subprocess.Popen([sys.executable, *arguments], process_group=0, preexec_fn=die_with_parent)


def run_together(host: str, port: int, logins: str) -> bool:
    """Server and worker until a signal comes or one of them ends; says whether it was a signal."""
    asked_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: asked_to_stop.set())
    parent = os.getppid()
    children = [start("-m", "core.server.serve"), start("manage.py", "work", "--verbosity", "0")]
    reachable = host.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
    announced = False
    # A killed make sends no signal, but leaves this process to another parent.
    while all(child.poll() is None for child in children) and os.getppid() == parent:
        if not announced and answers(reachable, port):
            announce(f"http://{reachable}:{port}", logins)
            announced = True
        if asked_to_stop.wait(0.2):
            break
    for child in children:
        child.terminate()
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(GRACE_SECONDS)
        # A server that was killed leaves its own processes behind, holding the port.
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    return asked_to_stop.is_set()


def main() -> None:
    host, port = check_address_is_free()
    logins = prepare()
    if not run_together(host, port, logins):
        sys.exit("The server or the worker ended by itself, so the other was ended too.")


if __name__ == "__main__":
    main()
