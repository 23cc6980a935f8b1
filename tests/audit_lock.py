"""Run pip-audit on everything in Pipfile.lock: `python -m tests.audit_lock [options of pip-audit]`

Exit with 1 if a vulnerability is known. An unreachable service is a warning only: it says nothing about a change.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

LOCK = Path(__file__).parent.parent / "Pipfile.lock"
LONGEST_SECONDS = 120


def pinned(lock: Path) -> list[str]:
    """Return the pinned packages of both sections, as lines of a requirements file."""
    sections = json.loads(lock.read_text())
    packages = {**sections["default"], **sections["develop"]}
    return [f"{name}{package['version']}" for name, package in sorted(packages.items())]


def ask(requirements: list[str], options: list[str]) -> list[dict]:
    """Return pip-audit's report of each package, or an empty list if it gave none in time."""
    with tempfile.TemporaryDirectory() as folder:
        asked, answer = Path(folder, "requirements.txt"), Path(folder, "answer.json")
        asked.write_text("\n".join(requirements))
        # The lock has every dependency already, so nothing has to be resolved or fetched.
        command = [sys.executable, "-m", "pip_audit", "-r", asked, "--no-deps", "--disable-pip"]
        report = ["--format", "json", "--output", answer, "--progress-spinner", "off"]
        try:
            subprocess.run([*command, *report, *options], timeout=LONGEST_SECONDS, stderr=subprocess.DEVNULL)
            return json.loads(answer.read_text())["dependencies"]
        except (subprocess.TimeoutExpired, FileNotFoundError, ValueError):
            return []


def main(lock: Path, options: list[str]) -> int:
    requirements = pinned(lock)
    # A mirror that has only the files answers, but knows nothing: its packages are skipped.
    audited = [package for package in ask(requirements, options) if "vulns" in package]
    known = [(package, vulnerability) for package in audited for vulnerability in package["vulns"]]
    for package, vulnerability in known:
        fixed = ", ".join(vulnerability["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {vulnerability['id']}, fixed in {fixed}")
    print(f"{len(known)} known vulnerabilities in {len(audited)} of {len(requirements)} packages.")
    if len(audited) < len(requirements):
        missing = len(requirements) - len(audited)
        print(f"WARNING: no answer about {missing} packages; THEY WERE NOT AUDITED.", file=sys.stderr)
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(main(LOCK, sys.argv[1:]))
