import logging
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.crypto import get_random_string

from core.jobs.worker import TwoLanes, new_worker


class Command(BaseCommand):
    help = "Run the background tasks, mails beside renditions. Any number of workers may do so at the same time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        queues = settings.TASKS["default"]["QUEUES"]
        parser.add_argument("--queue", choices=queues, help="only this one; by default all, short work beside long")
        parser.add_argument("--once", action="store_true", help="end when nothing is left to do")
        parser.add_argument("--interval", type=float, default=1, help="seconds between looks at an empty queue")

    def handle(
        self, *args: Any, queue: str | None, once: bool, interval: float, verbosity: int, **options: Any
    ) -> None:
        if verbosity == 0:
            logging.disable(logging.INFO)
        worker_id = get_random_string(32)
        if not (queue or once):
            TwoLanes(worker_id, interval=interval).run()
            return
        worker = new_worker(worker_id, queues=[queue or "*"], interval=interval, batch=once)
        worker.configure_signals()
        worker.run()
