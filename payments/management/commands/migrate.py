from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from payments.stripe.fresh_database import create_tables, is_empty


class Command(migrate.Command):
    """Django's `migrate`, which creates dj-stripe's tables from its models if the database is empty."""

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        is_full_run = not (options["app_label"] or options["plan"] or options["check_unapplied"])
        if is_full_run and is_empty(connection):
            # dj-stripe's tables have foreign keys to users, which has to be there first.
            super().handle(*args, **{**options, "app_label": "users", "run_syncdb": False})
            self.stdout.write("  Creating the tables of dj-stripe from its models… ", ending="")
            create_tables(connection)
            self.stdout.write(self.style.SUCCESS("OK"))
        super().handle(*args, **options)
