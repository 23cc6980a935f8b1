from typing import Any

from django_tasks.backends.immediate import ImmediateBackend


class AtOnce(ImmediateBackend):
    """A task backend that runs tasks when they are enqueued, except rendering, which would slow each upload down."""

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> Any:
        return super().enqueue(task, args, kwargs) if task.queue_name != "rendering" else None
