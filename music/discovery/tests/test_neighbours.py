import csv
import gzip
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from core.jobs.schedule import schedule
from music.discovery.neighbours.builder import EVERY, build_hourly, build_neighbours
from music.discovery.neighbours.lookup import neighbours_of
from music.discovery.neighbours.models import ItemKind
from music.discovery.neighbours.taste import taste_of
from music.models import FavoriteSong, Neighbour, Play, SongLike
from music.tests import listening_crowd
from music.tests.listening_crowd import crowd_plays

COLUMNS = ["user_id", "artist_id", "plays"]


def stored_neighbours_of(song):
    rows = Neighbour.objects.filter(kind=ItemKind.SONG, item=song.pk).order_by("-weight")
    return [row.neighbour for row in rows]


def test_songs_heard_by_the_same_people_become_neighbours(make_song, capsys):
    one, other, alone = make_song("One"), make_song("Other"), make_song("Alone")
    crowd_plays(one, other)
    crowd_plays(alone)
    call_command("build_neighbours")
    assert stored_neighbours_of(one) == [other.pk]
    assert stored_neighbours_of(other) == [one.pk]
    assert stored_neighbours_of(alone) == []
    assert capsys.readouterr().out == "2 neighbours\n"


def test_a_hit_is_a_weaker_neighbour_than_a_song_with_the_same_listeners(make_song):
    niche, twin, hit = make_song("Niche"), make_song("Twin"), make_song("Hit")
    crowd_plays(niche, twin, hit, people=5)
    crowd_plays(hit, people=40)
    listening_crowd.build_neighbours()
    assert stored_neighbours_of(niche) == [twin.pk, hit.pk]


def test_likes_and_favorites_make_neighbours(make_song, make_user):
    liked, favorite = make_song("Liked"), make_song("Favorite")
    for name in ("ada", "ben"):
        fan = make_user(name)
        SongLike.objects.create(listener=fan, song=liked)
        FavoriteSong.objects.create(listener=fan, song=favorite)
    listening_crowd.build_neighbours()
    assert stored_neighbours_of(liked) == [favorite.pk]


def test_private_songs_and_very_old_plays_make_no_neighbours(make_song, private_song):
    one, other = make_song("One"), make_song("Other")
    crowd_plays(one, private_song)
    crowd_plays(one, other)
    Play.objects.filter(song=other).update(at=timezone.now() - timedelta(days=400))
    listening_crowd.build_neighbours()
    assert not Neighbour.objects.exists()


def test_a_new_build_deletes_outdated_neighbours(make_song):
    one, other = make_song("One"), make_song("Other")
    crowd_plays(one, other)
    listening_crowd.build_neighbours()
    Play.objects.filter(song=other).delete()
    listening_crowd.build_neighbours()
    assert stored_neighbours_of(one) == []


def test_without_listeners_there_are_no_neighbours(db, capsys):
    call_command("build_neighbours")
    assert capsys.readouterr().out == "0 neighbours\n"


def test_a_taste_weighs_by_rank_and_equal_strengths_are_equal():
    assert taste_of({}) == {}
    assert taste_of({"a": 1}) == {"a": 0.75}
    assert taste_of({"a": 500, "b": 2, "c": 2, "d": 1}) == {"a": 0.9375, "b": 0.75, "c": 0.75, "d": 0.5625}


def test_a_score_sums_the_weights_and_names_the_largest(db):
    a, b, x, y = (uuid4() for _ in range(4))
    weights = {(a, x): 0.5, (b, x): 0.25, (a, y): 0.7, (a, b): 9.0}
    Neighbour.objects.bulk_create(
        Neighbour(kind=ItemKind.SONG, item=item, neighbour=neighbour, weight=weight, built_at=timezone.now())
        for (item, neighbour), weight in weights.items()
    )
    found = neighbours_of({a: 1.0, b: 1.0}, kind=ItemKind.SONG, limit=5)
    assert [(row.item, row.because_of, row.score) for row in found] == [(x, a, 0.75), (y, a, 0.7)]
    assert neighbours_of({a: 1.0}, kind=ItemKind.ARTIST, limit=5) == []
    assert neighbours_of({}, kind=ItemKind.SONG, limit=5) == []


def test_building_one_kind_leaves_the_other_alone(make_song):
    one, other = make_song("One"), make_song("Other")
    crowd_plays(one, other)
    listening_crowd.build_neighbours()
    build_neighbours([{uuid4(): 1.0, uuid4(): 0.5}] * 2, kind=ItemKind.ARTIST)
    assert Neighbour.objects.filter(kind=ItemKind.ARTIST).count() == 2
    assert stored_neighbours_of(one) == [other.pk]


@pytest.fixture
def queue(settings):
    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}}
    return DBTaskResult.objects.filter(task_path=build_hourly.module_path)


def test_scheduling_a_build_twice_queues_it_once(db, queue):
    schedule(build_hourly)
    schedule(build_hourly)
    assert queue.count() == 1


def test_the_hourly_build_builds_and_schedules_the_next(make_song, queue):
    one, other = make_song("One"), make_song("Other")
    crowd_plays(one, other)
    build_hourly.call()
    assert stored_neighbours_of(one) == [other.pk]
    [waiting] = queue
    assert timedelta() < waiting.run_after - timezone.now() <= EVERY


def write_plays(path, rows):
    with (gzip.open if path.suffix == ".gz" else open)(path, "wt", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return path


@pytest.fixture
def two_camps(tmp_path):
    """Plays of six listeners of rock and six of jazz. The test file hides one artist of one listener in each camp."""
    camps = {"r": ["queen", "kiss", "rush"], "j": ["monk", "mingus", "coltrane"]}
    rows = [(f"{camp}{n}", name, 9 - n) for camp, names in camps.items() for n in range(6) for name in names]
    hidden = [("r0", "rush", 9), ("j0", "monk", 9)]
    train = write_plays(tmp_path / "train.csv.gz", [row for row in rows if row not in hidden])
    return {"train": train, "test": write_plays(tmp_path / "test.csv", hidden)}


def test_the_evaluation_reports_ndcg_and_recall(db, two_camps, tmp_path, capsys):
    call_command("evaluate_recommendations", **two_camps, output=tmp_path / "out.csv")
    figures = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert figures == {"nDCG@10": "1.0000", "nDCG@20": "1.0000", "recall@10": "1.0000", "recall@20": "1.0000"}
    rows = list(csv.DictReader((tmp_path / "out.csv").open()))
    assert {"user_id": "r0", "rank": "1", "artist_id": "rush"} in rows
    assert {"user_id": "j0", "rank": "1", "artist_id": "monk"} in rows
    assert not Neighbour.objects.exists()


def test_a_miss_and_a_listener_without_history_score_zero(db, two_camps, tmp_path, capsys):
    test = write_plays(tmp_path / "hidden.csv", [("r0", "rush", 1), ("r0", "nobody knows", 1), ("stranger", "kiss", 1)])
    call_command("evaluate_recommendations", train=two_camps["train"], test=test)
    figures = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert figures["recall@10"] == "0.2500"
    assert figures["nDCG@10"] == "0.3066"  # (1 / (1 + 1/log2(3)) + 0) / 2


@pytest.mark.parametrize("content", ["", "user_id,artist_id\n1,2\n", "user_id,artist_id,plays\n1,2,many\n"])
def test_a_missing_or_malformed_file_is_an_error_that_names_it(db, two_camps, tmp_path, content):
    bad = tmp_path / "bad.csv"
    bad.write_text(content)
    with pytest.raises(CommandError, match=r"bad\.csv"):
        call_command("evaluate_recommendations", train=two_camps["train"], test=bad)
    with pytest.raises(CommandError, match=r"missing\.csv"):
        call_command("evaluate_recommendations", train=tmp_path / "missing.csv", test=bad)
