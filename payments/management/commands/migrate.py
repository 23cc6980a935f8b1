from typing import Any

from django.core.management.commands import migrate
from django.db import connections

from payments.stripe.fresh_database import is_brand_new, make_tables


class Command(migrate.Command):
    """Django's own, but for dj-stripe's tables in a brand-new database."""

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        everything = not (options["app_label"] or options["plan"] or options["check_unapplied"])
        if everything and is_brand_new(connection):
            # dj-stripe's tables point at ours, so these come first.
            super().handle(*args, **{**options, "app_label": "users", "run_syncdb": False})
            self.stdout.write("  Making the tables of dj-stripe from its models… ", ending="")
            make_tables(connection)
            self.stdout.write(self.style.SUCCESS("OK"))
        super().handle(*args, **options)
