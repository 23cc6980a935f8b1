"""Asks pip-audit for known vulnerabilities of all that the lock names: `python -m tests.audit_lock [its options]`

Exits with 1 where one is known. That nobody could be asked is a warning: a change is no worse for it.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

LOCK = Path(__file__).parent.parent / "Pipfile.lock"
LONGEST_SECONDS = 120


def pinned(lock: Path) -> list[str]:
    """What to run and what to develop with, as requirements."""
    sections = json.loads(lock.read_text())
    packages = {**sections["default"], **sections["develop"]}
    return [f"{name}{package['version']}" for name, package in sorted(packages.items())]


def ask(requirements: list[str], options: list[str]) -> list[dict]:
    """What pip-audit answers for each package; nothing where it has no answer."""
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
        print(f"WARNING: nobody could be asked about {missing} packages; THEY WERE NOT AUDITED.", file=sys.stderr)
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(main(LOCK, sys.argv[1:]))
