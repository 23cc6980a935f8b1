"""The migration lint refuses operations that break a running older version, and accepts others."""

import pytest
from django.db import connection, models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader

from tests.lint_migrations import FIRST_RELEASE, breaks_older_versions, new_migrations

pytestmark = pytest.mark.django_db


def migration(*steps: operations.base.Operation) -> Migration:
    return type("Migration", (Migration,), {"operations": list(steps)})("9999_next", "music")


def problems(*steps: operations.base.Operation) -> list[str]:
    if connection.vendor != "postgresql":
        pytest.skip("judges PostgreSQL's SQL")
    loader = MigrationLoader(None)
    return breaks_older_versions(migration(*steps), loader.project_state())


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (operations.RemoveField("song", "explicit"), "DROPPING columns music_song explicit"),
        (operations.RenameField("song", "explicit", "is_explicit"), "RENAMING columns music_song"),
        (operations.RenameModel("Song", "Recording"), "RENAMING tables music_song"),
        (operations.DeleteModel("SongLike"), "DROPPING table music_songlike"),
        (operations.AddField("song", "bpm", models.IntegerField(default=0)), "NOT NULL constraint on columns"),
        (operations.AlterField("song", "duration", models.CharField(max_length=9)), "ALTERING columns"),
        (operations.RunSQL("ALTER TABLE music_song DROP COLUMN explicit"), "DROPPING columns"),
    ],
)
def test_operations_that_break_an_older_version_are_refused(step, told):
    assert any(problem.startswith(told) for problem in problems(step))


@pytest.mark.parametrize(
    "step",
    [
        operations.AddField("song", "bpm", models.IntegerField(null=True)),
        operations.AddField("song", "bpm", models.IntegerField(db_default=0)),
        operations.CreateModel(
            "Playlist", [("id", models.BigAutoField(primary_key=True)), ("title", models.TextField())]
        ),
        operations.AddIndex("song", models.Index("explicit", name="by_explicit")),
    ],
)
def test_additions_are_accepted(step):
    assert problems(step) == []


def test_only_migrations_after_the_first_release_are_checked():
    loader = MigrationLoader(None)
    newer = {"users": "0998_new", "music": "0999_new", "djstripe": "0999_of_others"}
    loader.disk_migrations |= {(app, name): Migration(name, app) for app, name in newer.items()}

    linted = {(found.app_label, found.name) for found in new_migrations(loader)}

    assert {("users", "0998_new"), ("music", "0999_new")} <= linted
    assert not linted & {*FIRST_RELEASE.items(), ("djstripe", "0999_of_others"), ("music", "0001_catalogue")}
    assert all(key in loader.disk_migrations for key in FIRST_RELEASE.items())
