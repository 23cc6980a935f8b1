"""The demo's listeners, and what they did in the past weeks: plays, likes, favorites, follows, an application.

The listeners do the same on every machine; only the dates follow the day on which the demo is made. Counters are
written as they follow from the rows, so `manage.py recount` finds nothing to repair.
"""

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from PIL import Image, ImageColor, ImageDraw, ImageFont

from core.errors import DomainError
from core.storage.stored_files import save_with_file
from demo.programme import ARTISTS, every_piece
from demo.synthesis import render_piece
from music.advertising.models import Ad
from music.catalogue.ffmpeg import encode_mp3
from music.catalogue.models import Album, ArtistCounts, Song, SongCounts
from music.library.models import ArtistFollow, FavoriteAlbum, FavoriteSong, SongLike
from music.playback.models import Play, RecentlyPlayed
from payments.models import PlanType, Subscription, SubscriptionPlan
from payments.stripe.prices import sync_plan
from payments.students import apply
from payments.subscription_changes import subscribe
from users.models import User, UserProfile
from users.registration import free_username

WEEKS = 6
NAMES = (
    *("Amara Diallo", "Benedikt Vogel", "Chiara Rinaldi", "Dmitri Sokolov", "Elif Yılmaz", "Farid Haddad"),
    *("Greta Nyström", "Hiroshi Tanaka", "Inês Carvalho", "Jakub Wiśniewski", "Kateryna Bondar", "Liam O’Connor"),
    *("Mei-Ling Chen", "Noah Abebe", "Ольга Миронова", "Pedro Álvarez", "Quynh Trần", "Rosa Jiménez"),
    *("Sanjay Iyer", "Tove Lindgren", "Ugo Moretti", "Vera Novak", "Wanjiru Kamau", "Ξένια Παππά"),
)
SUBSCRIBERS = (PlanType.INDIVIDUAL, PlanType.DUO, PlanType.FAMILY, PlanType.INDIVIDUAL)
COLORS = ("#264653", "#2a9d8f", "#e9c46a", "#f4a261", "#e76f51", "#6d597a", "#355070", "#b56576", "#588157", "#bc6c25")


def email_of(number: int) -> str:
    return f"listener{number:02}@example.com"


def invite_listeners(main: User) -> None:
    """Make the listeners and all that they did, once; `main` is the account that visitors log in with."""
    if User.objects.known_as(email_of(len(NAMES))).exists():
        return
    chance = Random(20)  # noqa: S311  (a demo, the same every time)
    with transaction.atomic():
        now = timezone.now().replace(minute=0, second=0, microsecond=0)
        crowd = [make_listener(number, name, now) for number, name in enumerate(NAMES, 1)]
        songs = list(Song.objects.filter(artist__email__in=[artist.email for artist in ARTISTS]).order_by("title"))
        chance.shuffle(songs)
        play_and_like([main, *crowd], songs, chance, now)
        follow_and_keep([main, *crowd], songs, chance)
    for number, user in enumerate([*User.objects.filter(songs__in=songs).distinct().order_by("email"), main, *crowd]):
        if number % 4 != 3:  # some people have no picture
            give_picture(user, number)
    make_ads()
    student_card = drawn("Student card", (640, 400), "#355070")
    apply(crowd[2], school_email="chiara@students.example.edu", document=ContentFile(student_card, name="document.png"))
    apply(crowd[6], school_email="greta@uni.example.edu")


def make_listener(number: int, name: str, now: datetime) -> User:
    """Create a listener without a password, so that no login is possible."""
    joined = now - timedelta(days=WEEKS * 7 + 90 - 3 * number)
    return User.objects.create_user(
        email_of(number), free_username(f"listener{number:02}"), name=name, date_joined=joined
    )


def play_and_like(listeners: list[User], songs: list[Song], chance: Random, now: datetime) -> None:
    # As everywhere, few songs are played by many, and everybody has a taste of their own.
    popularity = [1 / (place + 2) for place in range(len(songs))]
    plays, likes = [], []
    last_played: dict[tuple, datetime] = {}
    for listener in listeners:
        taste = [weight * chance.uniform(0.2, 2) for weight in popularity]
        hours = sorted(chance.uniform(1, WEEKS * 7 * 24) for _ in range(chance.randint(20, 70)))
        for hour, song in zip(hours, chance.choices(songs, taste, k=len(hours)), strict=True):
            at = now - timedelta(hours=hour)
            plays.append(Play(listener=listener, song=song, at=at))
            last_played.setdefault((listener.pk, song.pk), at)
        liked = set(chance.choices(songs, taste, k=chance.randint(2, 9)))
        likes += [SongLike(listener=listener, song=song) for song in sorted(liked, key=lambda song: song.title)]
    Play.objects.bulk_create(sorted(plays, key=lambda play: play.at))
    RecentlyPlayed.objects.bulk_create(
        RecentlyPlayed(listener_id=listener, song_id=song, last_played_at=at, last_counted_at=at)
        for (listener, song), at in last_played.items()
    )
    SongLike.objects.bulk_create(likes)
    for like in likes:
        like.created_at = now - timedelta(hours=chance.uniform(1, WEEKS * 7 * 24))
    SongLike.objects.bulk_update(likes, ["created_at"])
    played, likes_of = Counter(play.song_id for play in plays), Counter(like.song_id for like in likes)
    for song in songs:
        SongCounts.objects.filter(song=song).update(
            play_count=F("play_count") + played[song.pk], like_count=F("like_count") + likes_of[song.pk]
        )


def follow_and_keep(listeners: list[User], songs: list[Song], chance: Random) -> None:
    artists = sorted({song.artist for song in songs}, key=lambda artist: str(artist.email))
    albums = list(Album.objects.filter(artist__in=artists).order_by("title"))
    follows = [
        ArtistFollow(follower=listener, artist=artist)
        for listener in listeners
        for artist in chance.sample(artists, chance.randint(1, 3))
    ]
    ArtistFollow.objects.bulk_create(follows)
    for artist_id, number in Counter(follow.artist_id for follow in follows).items():
        ArtistCounts.objects.filter(artist=artist_id).update(follower_count=F("follower_count") + number)
    for listener in listeners[::2]:
        FavoriteSong.objects.bulk_create(
            FavoriteSong(listener=listener, song=song) for song in chance.sample(songs, chance.randint(1, 5))
        )
        FavoriteAlbum.objects.bulk_create(
            FavoriteAlbum(listener=listener, album=album) for album in chance.sample(albums, chance.randint(1, 2))
        )


def give_picture(user: User, number: int) -> None:
    initials = "".join(word[0] for word in user.name.split()[:2])
    picture = ContentFile(drawn(initials, (320, 320), COLORS[number % len(COLORS)]), name="picture.png")
    save_with_file(UserProfile.objects.get(user=user), "profile_picture", profile_picture=picture)


def drawn(text: str, size: tuple[int, int], color: str) -> bytes:
    """Return a PNG with a text in its middle on a color gradient."""
    image = Image.new("RGB", size)
    draw = ImageDraw.Draw(image)
    red, green, blue = ImageColor.getrgb(color)[:3]
    for y in range(size[1]):
        share = 1.15 - 0.5 * y / size[1]
        draw.line((0, y, size[0], y), fill=tuple(min(255, round(part * share)) for part in (red, green, blue)))
    font = ImageFont.load_default(size=min(size[1] // 3, size[0] // max(len(text), 1)))
    draw.text((size[0] / 2, size[1] / 2), text, fill="#fffaf0", font=font, anchor="mm")
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def make_ads() -> None:
    pieces = list(every_piece())
    adverts = (("Harbor Coffee", pieces[3], "#bc6c25", 2), ("Second-hand Bicycles", pieces[11], "#2a9d8f", 1))
    for name, piece, color, weight in adverts:
        sound = render_piece(replace(piece, form=(("theme", 2), ("ending", 1))))
        ad = Ad(name=name, link="https://example.com/", weight=weight)
        ad.audio.save("ad.mp3", ContentFile(encode_mp3(sound)), save=False)
        ad.image.save("ad.png", ContentFile(drawn(name, (640, 320), color)), save=False)
        ad.save()


def subscribe_listeners() -> Iterator[str]:
    """Give some listeners a plan, where a stand-in for Stripe runs; yields a line for each."""
    users = list(User.objects.filter(email__in=[email_of(number) for number in range(8, 8 + len(SUBSCRIBERS))]))
    if not users or Subscription.objects.filter(user__in=users).exists():
        return
    plans: dict[str, Any] = {plan.plan_type: plan for plan in SubscriptionPlan.objects.paid_for()}
    try:
        for plan in plans.values():
            sync_plan(plan)
        for user, plan_type in zip(users, SUBSCRIBERS, strict=True):
            subscribe(user, plans[plan_type], payment_method="pm_card_visa", attempt=f"demo-{user.pk}")
            yield f"{user} subscribes to {plans[plan_type]}"
    except DomainError as error:
        yield f"Nobody in the demo subscribes: {error.detail}"
