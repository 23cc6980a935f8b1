"""Report migrations that would break a running older version. `make lint` runs it on the SQL for PostgreSQL.

While an update rolls out, the old version serves from the new tables. So a release only adds; columns that no code
reads go with a later one (CONTRIBUTING.md, Migrations).
"""

import os
import sys

import django
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState
from django_migration_linter.sql_analyser.analyser import analyse_sql_statements
from django_migration_linter.sql_analyser.postgresql import PostgresqlAnalyser

# The last migrations of the first release. Nobody ran anything older, so these and those before them may do anything.
FIRST_RELEASE = {
    "users": "0003_confirmed_addresses",
    "payments": "0006_closed_customers_by_digest",
    "music": "0011_pruned_plays",
}

# Those that contract: (app, name) of each that removes what no version that may still run reads or writes.
CONTRACTING: set[tuple[str, str]] = set()

# Those that the linter refuses though older versions run with them: (app, name) of each, with the reason.
COMPATIBLE = {
    ("music", "0019_longer_kinds_of_search_entries"),  # only widens a varchar, which rewrites no row
}


def new_migrations(loader: MigrationLoader) -> list[Migration]:
    return [
        migration
        for (app, name), migration in sorted(loader.disk_migrations.items())
        if app in FIRST_RELEASE and name > FIRST_RELEASE[app] and (app, name) not in CONTRACTING | COMPATIBLE
    ]


def breaks_older_versions(migration: Migration, before: ProjectState) -> list[str]:
    with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
        migration.apply(before, editor, collect_sql=True)
    errors, _, _ = analyse_sql_statements(PostgresqlAnalyser, editor.collected_sql, [])
    return [" ".join(filter(None, (error.message, error.table, error.column))) for error in errors]


def main() -> int:
    loader = MigrationLoader(None)
    problems = [
        f"{migration.app_label}.{migration.name}: {problem}"
        for migration in new_migrations(loader)
        for problem in breaks_older_versions(
            migration, loader.project_state((migration.app_label, migration.name), at_end=False)
        )
    ]
    if problems:
        print("A running older version would not survive (CONTRIBUTING.md, Migrations):", *problems, sep="\n  ")
    return 1 if problems else 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "Spotify_Clone.settings")
    django.setup()
    sys.exit(main())
