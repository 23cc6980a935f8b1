"""Listeners and plays for the tests of trends, neighbours and recommendations."""

from django.core.management import call_command
from django.utils import timezone

from music.discovery.trending.refresh import start_trends
from music.models import Play, RecentlyPlayed
from users.models import User


def in_the_charts(*songs):
    """Give the songs their rows in the trends, as an upload or an import does, and return them."""
    start_trends(songs)
    return songs


def played(listener, *songs, times=1):
    """Record that the listener has played each song so many times, now."""
    now = timezone.now()
    for song in songs:
        RecentlyPlayed.objects.update_or_create(
            listener=listener, song=song, defaults={"last_played_at": now, "last_counted_at": now}
        )
    Play.objects.bulk_create(Play(listener=listener, song=song) for song in songs for _ in range(times))


def crowd_plays(*songs, people=3):
    """Create so many new listeners who have each played all of these songs."""
    start = User.objects.count()
    names = [f"fan{start + number}" for number in range(people)]
    fans = User.objects.bulk_create(User(username=n, email=f"{n}@example.com", password="!") for n in names)
    Play.objects.bulk_create(Play(listener=fan, song=song) for fan in fans for song in songs)


def build_neighbours():
    call_command("build_neighbours", verbosity=0)


def titles(answer):
    assert answer.status_code == 200, answer.content
    page = answer.json()
    assert (page["next"], page["previous"]) == (None, None)  # these lists have a single page
    return [song["title"] for song in page["results"]]
