from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete, pre_delete

from users.signals import account_closing


def send_account_closing(instance: Any, **kwargs: Any) -> None:
    account_closing.send(type(instance), user=instance)


class UsersConfig(AppConfig):
    name = "users"

    def ready(self) -> None:
        from core.jobs import retention
        from core.storage.stored_files import discard_files_of
        from users.api import token_scheme as schema  # noqa: F401  (registers the token scheme with the OpenAPI generator)
        from users.deletion import delete_personal_traces
        from users.models import User, UserProfile
        from users.retention import prune_browser_sessions, prune_failed_logins, prune_sent_mails, prune_tokens

        # pre_delete and not User.delete(), which the admin does not call when it deletes a queryset.
        pre_delete.connect(send_account_closing, sender=User)
        post_delete.connect(discard_files_of, sender=UserProfile)
        account_closing.connect(delete_personal_traces)
        retention.register("tokens", prune_tokens)
        retention.register("browser sessions", prune_browser_sessions)
        retention.register("failed log-ins", prune_failed_logins)
        retention.register("sent mails", prune_sent_mails)
