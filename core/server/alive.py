"""Health check of the container image: `python -m core.server.alive` exits 0 if the server answers."""

import http.client
import os
import sys


def main() -> int:
    # Production answers neither the host 127.0.0.1 nor, with HTTPS on, plain HTTP: name a host that it does answer,
    # and say what a proxy would.
    host = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip(" .*") or "localhost"
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=4)
    connection.request("GET", "/health/live", headers={"Host": host, "X-Forwarded-Proto": "https"})
    return 0 if connection.getresponse().status < 400 else 1


if __name__ == "__main__":
    sys.exit(main())
