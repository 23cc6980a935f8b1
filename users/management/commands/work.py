from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.crypto import get_random_string

from users.working import LeasedWorker


class Command(BaseCommand):
    help = "Run the background tasks. As many workers as you like may do so at the same time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        queues = settings.TASKS["default"]["QUEUES"]
        parser.add_argument("--queue", choices=queues, help="only this one; all of them by default")
        parser.add_argument("--once", action="store_true", help="end when nothing is left to do")
        parser.add_argument("--interval", type=float, default=1, help="seconds between looks at an empty queue")

    def handle(self, *args: Any, queue: str | None, once: bool, interval: float, **options: Any) -> None:
        worker = LeasedWorker(
            queue_names=[queue or "*"],
            excluded_queue_names=[],
            interval=interval,
            batch=once,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=get_random_string(32),
        )
        worker.configure_signals()
        worker.run()
