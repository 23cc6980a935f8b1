"""Run every fault script, one after the other, and print a table of the results: `python -m tests.faults [--quick]`"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.faults.aftermath import REPORT, end_in_order_when_told
from tests.faults.service import PREPARED, SKIPPED, Service

SCRIPTS = (
    "kill_server",
    "kill_worker",
    "restart_postgres",
    "lose_storage",
    "fill_media",
    "fill_database",
    "fill_sqlite",
    "lose_cache",
    "lose_everything",
)


def main(options: list[str]) -> int:
    results = {}
    with tempfile.TemporaryDirectory(prefix="faults", dir="/tmp") as folder:
        report = Path(folder, "report")
        report.touch()
        environment = {**os.environ, REPORT: str(report), PREPARED: str(prepare(Path(folder)))}
        for script in SCRIPTS:
            print(f"\n{script}", flush=True)
            command = [sys.executable, "-m", f"tests.faults.{script}", *options]
            results[script] = finished(subprocess.Popen(command, env=environment))
        print(table([json.loads(line) for line in report.read_text().splitlines()]))
    for script, code in results.items():
        if code:
            print(f"{script}: {'SKIPPED' if code == SKIPPED else 'FAILED'}")
    return any(code not in (0, SKIPPED) for code in results.values())


def finished(script: subprocess.Popen) -> int:
    try:
        return script.wait()
    finally:  # also after SIGTERM: the script cleans up what it started
        script.terminate()
        script.wait()


def prepare(folder: Path) -> Path:
    """Create a migrated PostgreSQL cluster for the scripts to copy."""
    with Service() as service:
        service.set_up_django()
        service.manage("migrate", "--verbosity", "0")
        from django.db import connections

        connections.close_all()
        service.database.stop()
        subprocess.run(["cp", "-a", service.database.folder / "data", folder / "data"], check=True)
    return folder / "data"


def table(verdicts: list[dict]) -> str:
    lines = [
        "| what was killed | in flight | acknowledged, then lost | files without a row, swept | served again (s) |",
        "| --- | --- | --- | --- | --- |",
    ]
    for verdict in verdicts:
        acknowledged = ", ".join(f"{number} {what}" for what, number in verdict["acknowledged"].items())
        lost = "; ".join(verdict["problems"]) or "nothing"
        times = ", ".join(f"{what} {seconds:.1f}" for what, seconds in verdict["served_again"].items())
        in_flight = sum(verdict["in_flight"].values())
        lines.append(f"| {verdict['killed']} | {in_flight} | {acknowledged}: {lost} | {verdict['orphans']} | {times} |")
    return "\n" + "\n".join(lines) + "\n"


if __name__ == "__main__":
    end_in_order_when_told()
    sys.exit(main(sys.argv[1:]))
