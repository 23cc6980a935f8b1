"""Listeners who have played things together."""

from django.core.management import call_command
from django.utils import timezone

from music.discovery.trending.refresh import start_trends
from music.models import Play, RecentlyPlayed
from users.models import User


def in_the_charts(*songs):
    """As songs are once they were uploaded or imported: with a place among what is trending."""
    start_trends(songs)
    return songs


def played(listener, *songs, times=1):
    now = timezone.now()
    for song in songs:
        RecentlyPlayed.objects.update_or_create(
            listener=listener, song=song, defaults={"last_played_at": now, "last_counted_at": now}
        )
    Play.objects.bulk_create(Play(listener=listener, song=song) for song in songs for _ in range(times))


def crowd_plays(*songs, people=3):
    """So many new people play all of these songs."""
    start = User.objects.count()
    names = [f"fan{start + number}" for number in range(people)]
    fans = User.objects.bulk_create(User(username=n, email=f"{n}@example.com", password="!") for n in names)
    Play.objects.bulk_create(Play(listener=fan, song=song) for fan in fans for song in songs)


def build_neighbours():
    call_command("build_neighbours", verbosity=0)


def titles(answer):
    assert answer.status_code == 200, answer.content
    shelf = answer.json()
    assert (shelf["next"], shelf["previous"]) == (None, None)
    return [song["title"] for song in shelf["results"]]
