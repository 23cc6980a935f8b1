"""A load generator: requests one after another on a few connections, sent by wrk where it is installed."""

import http.client
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from urllib.parse import urlsplit

# Each thread of wrk begins somewhere else in the list. The last line says what was measured, in microseconds.
SCRIPT = """
local requests, place, threads = {}, 0, 0
function setup(thread) thread:set("id", threads); threads = threads + 1 end
function init()
  for line in io.lines("%s") do
    local method, path, token, range = line:match("(%%S+) (%%S+) (%%S+) (%%S+)")
    local headers = {}
    if token ~= "-" then headers["Authorization"] = "Token " .. token end
    if range ~= "-" then headers["Range"] = range end
    requests[#requests + 1] = wrk.format(method, path, headers)
  end
end
function request() place = place %% #requests + 1; return requests[place] end
function done(summary, latency)
  local e = summary.errors
  print(string.format("RESULT %%d %%d %%d %%d", summary.requests, latency:percentile(50), latency:percentile(95),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Request:
    path: str
    method: str = "GET"
    token: str = "-"  # noqa: S105
    range: str = "-"

    @property
    def line(self) -> str:
        return f"{self.method} {self.path} {self.token} {self.range}"


@dataclass(frozen=True)
class Load:
    """The number of answered requests, and the 50th and 95th percentile of their times in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p95: float


def load(url: str, requests: Sequence[Request], *, seconds: float, connections: int) -> Load:
    run = _wrk if shutil.which("wrk") else _by_ourselves
    began = time.perf_counter()
    number, p50, p95, failed = run(url, requests, seconds, connections)
    if failed:
        raise RuntimeError(f"{failed} of {number} requests such as {requests[0].line} failed")
    return Load(number, time.perf_counter() - began, p50 / 1000, p95 / 1000)


def _wrk(url: str, requests: Sequence[Request], seconds: float, connections: int) -> tuple[int, ...]:
    with tempfile.TemporaryDirectory() as folder:
        lines, script = Path(folder, "requests"), Path(folder, "script.lua")
        lines.write_text("".join(request.line + "\n" for request in requests))
        script.write_text(SCRIPT % lines)
        options = ("-t1", f"-c{connections}", f"-d{seconds:.0f}s", "--timeout", "30s", "-s", script)
        said = subprocess.run([str(shutil.which("wrk")), *options, url], capture_output=True, text=True, check=True)
    [result] = [line for line in said.stdout.splitlines() if line.startswith("RESULT")]
    return tuple(int(number) for number in result.split()[1:])


def _by_ourselves(url: str, requests: Sequence[Request], seconds: float, connections: int) -> tuple[int, ...]:
    host, port = urlsplit(url).hostname or "", urlsplit(url).port
    turns, times, failed, stop = cycle(requests), [], [], time.perf_counter() + seconds

    def client() -> None:
        connection = http.client.HTTPConnection(host, port, timeout=30)
        while (began := time.perf_counter()) < stop:
            request = next(turns)
            headers = {} if request.token == "-" else {"Authorization": f"Token {request.token}"}  # noqa: S105
            headers |= {} if request.range == "-" else {"Range": request.range}
            connection.request(request.method, request.path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            times.append((time.perf_counter() - began) * 1e6)
            failed.extend([answer.status] * (answer.status >= 400))

    threads = [threading.Thread(target=client) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    return len(times), int(times[len(times) // 2]), int(times[int(len(times) * 0.95)]), len(failed)
