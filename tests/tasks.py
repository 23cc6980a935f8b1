from typing import Any

from django_tasks.backends.immediate import ImmediateBackend


class AtOnce(ImmediateBackend):
    """Runs tasks where they are enqueued, all but rendering, which would make each upload slow."""

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        return super().enqueue(task, args, kwargs) if task.queue_name != "rendering" else None
