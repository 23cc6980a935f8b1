import logging
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.crypto import get_random_string

from core.jobs.worker import TwoLaneWorker, make_worker


class Command(BaseCommand):
    help = "Run background tasks, short ones (mails) beside long ones (renditions). Several workers may run at once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        queues = settings.TASKS["default"]["QUEUES"]
        parser.add_argument("--queue", choices=queues, help="run this queue alone (default: all of them)")
        parser.add_argument("--once", action="store_true", help="end when the queue is empty")
        parser.add_argument("--interval", type=float, default=1, help="seconds between polls of an empty queue")

    def handle(
        self, *args: Any, queue: str | None, once: bool, interval: float, verbosity: int, **options: Any
    ) -> None:
        if verbosity == 0:
            logging.disable(logging.INFO)
        worker_id = get_random_string(32)
        if not (queue or once):
            TwoLaneWorker(worker_id, interval=interval).run()
            return
        worker = make_worker(worker_id, queues=[queue or "*"], interval=interval, batch=once)
        worker.configure_signals()
        worker.run()
