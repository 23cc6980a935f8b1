"""Everything at once, for a trial: database, demo, server and worker. `python -m Spotify_Clone.run`"""

import http.client
import os
import signal
import subprocess
import sys
import threading

import django
from django.core.management import call_command
from django.db import connections

from Spotify_Clone.serve import free_address

GRACE_SECONDS = 10


def prepare() -> None:
    print("Preparing the database and the demo (the first time about half a minute)", flush=True)
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    call_command("make_demo")
    connections.close_all()


def answers(host: str, port: int) -> bool:
    try:
        connection = http.client.HTTPConnection(host, port, timeout=5)
        connection.request("GET", "/health/live")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False


def announce(address: str) -> None:
    print(f"\nAPI    {address}/api/\nDocs   {address}/api/docs\nAdmin  {address}/admin/\n")
    print("Ctrl-C ends the server and the worker.", flush=True)


def run_together(host: str, port: int) -> bool:
    """Server and worker until a signal comes or one of them ends; says whether it was a signal."""
    asked_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: asked_to_stop.set())
    parent = os.getppid()
    children = [
        subprocess.Popen([sys.executable, "-m", "Spotify_Clone.serve"]),
        subprocess.Popen([sys.executable, "manage.py", "db_worker"]),
    ]
    reachable = host.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
    announced = False
    # A killed make sends no signal, but leaves this process to another parent.
    while all(child.poll() is None for child in children) and os.getppid() == parent:
        if not announced and answers(reachable, port):
            announce(f"http://{reachable}:{port}")
            announced = True
        if asked_to_stop.wait(0.2):
            break
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
    return asked_to_stop.is_set()


def main() -> None:
    host, port = free_address()
    prepare()
    if not run_together(host, port):
        sys.exit("The server or the worker ended by itself, so the other was ended too.")


if __name__ == "__main__":
    main()
