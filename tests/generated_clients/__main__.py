"""Generate clients from the published document, compile them, and use them against a server.

`python -m tests.generated_clients`. Exit with 77 where Node is missing.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from music.tests.samples import audio_sample
from tests.processes import ROOT, manage, server

HERE = Path(__file__).parent
PYTHON, TYPESCRIPT = HERE / "python", HERE / "typescript"
TOOLS = ROOT / ".venv-clients" / "bin"
NOT_TESTED = 77


def run(*command: object, folder: Path) -> None:
    # The generator has ruff format what it wrote.
    environment = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}"}
    done = subprocess.run(list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


def compile_python(document: Path) -> None:
    shutil.rmtree(PYTHON / "generated", ignore_errors=True)
    options = ["--config", "generator.yml", "--meta", "none", "--output-path", "generated", "--fail-on-warning"]
    run(TOOLS / "openapi-python-client", "generate", "--path", document, *options, folder=PYTHON)
    run(TOOLS / "mypy", "--config-file=", "--explicit-package-bases", "story.py", "generated", folder=PYTHON)


def compile_typescript(document: Path) -> None:
    tools = TYPESCRIPT / "node_modules" / ".bin"
    run(tools / "openapi-typescript", document, "--output", "generated/schema.ts", folder=TYPESCRIPT)
    run(tools / "tsc", folder=TYPESCRIPT)


def main() -> None:
    if not shutil.which("node"):
        print("Node is missing.", file=sys.stderr)
        sys.exit(NOT_TESTED)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        document, audio = folder / "document.json", folder / "harbour.mp3"
        audio.write_bytes(audio_sample("mp3"))
        environment = {
            "DATABASE_URL": f"sqlite:///{folder}/db.sqlite3",
            "MEDIA_ROOT": str(folder / "media"),
            "EMAIL_URL": "dummy:",
        }
        for command in (["spectacular", "--format", "openapi-json", "--file", str(document)], ["migrate"]):
            done = manage(*command, environment=environment)
            assert done.returncode == 0, done.stderr
        compile_python(document)
        print("openapi-python-client: compiled")
        compile_typescript(document)
        print("openapi-typescript: compiled")
        with server(environment) as running:
            run(TOOLS / "python", "story.py", running.url, audio, folder=PYTHON)
            print("openapi-python-client: logged in, listed, searched, played, uploaded")
            run("node", "generated/compiled/story.js", running.url, audio, folder=TYPESCRIPT)
            print("openapi-typescript: logged in, listed, searched, played, uploaded")


if __name__ == "__main__":
    main()
