"""Two S3 servers: moto accepts every signature; rclone checks them, but answers 200 to a Range."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from moto.server import ThreadedMotoServer

from tests.processes import accepts, object_store

BUCKET = "music"


class Store(NamedTuple):
    endpoint_url: str
    access_key: str = "access"
    secret_key: str = "secret"

    def options(self) -> dict:
        return {
            "bucket_name": BUCKET,
            "access_key": self.access_key,
            "secret_key": self.secret_key,
            "endpoint_url": self.endpoint_url,
            "region_name": "us-east-1",
            "signature_version": "s3v4",
            "addressing_style": "path",
            "file_overwrite": False,
            "default_acl": None,
            "querystring_auth": True,
        }

    def create_bucket(self) -> None:
        boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        ).create_bucket(Bucket=BUCKET)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Store]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    store = Store(f"http://{host}:{port}")
    store.create_bucket()
    yield store
    server.stop()


@pytest.fixture(scope="session")
def rclone_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with object_store(tmp_path_factory.mktemp("rclone")) as process:
        store = Store(process.url)
        store.create_bucket()
        yield store


def serve_folder(store: Store, folder: Path) -> subprocess.Popen:
    """Serve the folder by rclone at the address of the store; its content survives a restart."""
    address = urlsplit(store.endpoint_url)
    log = folder.with_suffix(".log")
    with log.open("a") as output:
        server = subprocess.Popen(
            [
                *(Path(sys.executable).with_name("rclone"), "serve", "s3", folder, "--config", ""),
                *("--addr", address.netloc, "--auth-key", f"{store.access_key},{store.secret_key}"),
            ],
            stdout=output,
            stderr=output,
        )
    while not accepts(address.port):
        assert server.poll() is None, log.read_text()
        time.sleep(0.05)
    return server


@pytest.fixture
def use_store(settings) -> Callable[[Store], None]:
    """Return a function that points the default storage at a store: `use_store(s3_server)`."""

    def use(store: Store) -> None:
        default = {"BACKEND": "core.storage.s3.S3Storage", "OPTIONS": store.options()}
        settings.STORAGES = {**settings.STORAGES, "default": default}

    return use
