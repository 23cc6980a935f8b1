"""Whether the server in this container answers, for the image's health check: `python -m core.server.alive`"""

import http.client
import os
import sys


def main() -> int:
    # The address itself is no host that production answers, and with HTTPS on plain HTTP is sent elsewhere.
    host = os.environ.get("ALLOWED_HOSTS", "").split(",")[0].strip(" .*") or "localhost"
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=4)
    connection.request("GET", "/health/live", headers={"Host": host, "X-Forwarded-Proto": "https"})
    return 0 if connection.getresponse().status < 400 else 1


if __name__ == "__main__":
    sys.exit(main())
