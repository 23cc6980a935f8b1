from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core import checks  # noqa: F401  (registers them)
        from core.jobs import retention

        retention.register("finished tasks", retention.prune_tasks)
        if not settings.TESTING:
            post_migrate.connect(retention.schedule_after_migrate, sender=self)
