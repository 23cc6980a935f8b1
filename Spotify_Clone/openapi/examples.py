"""Example values of the API reference: of what is answered by schema, of what is sent by operation id."""

from typing import Any

ARTIST_ID = "5f0c9a52-1c1b-4a3e-9d0e-6a5d3a1f7b10"
ALBUM_ID = "0b9c7c1e-52f5-4b0a-8f39-3e1f0c2d4a61"
GENRE_ID = "c2f5b8aa-0d3b-4f6e-a1f4-7b8c9d0e1f22"
SONG_ID = "7a1f3f0e-5d0c-4d67-9f5e-2b8a4f6f1c55"
PLAN_ID = "1d2c3b4a-5f6e-4a7b-8c9d-0e1f2a3b4c5d"
TOKEN = "b3f1c0d2e4a59687b3f1c0d2e4a59687b3f1c0d2e4a59687b3f1c0d2e4a59687"  # noqa: S105
SERVER = "https://music.example"
STREAM = f"{SERVER}/api/songs/{SONG_ID}/stream"

ARTIST_SUMMARY = {"id": ARTIST_ID, "username": "luna", "name": "Luna Varga"}
GENRE = {"id": GENRE_ID, "title": "Synthwave"}
COVER = f"{SERVER}/media/covers/9e107d9d-372b-4b68-8d5a-1f2e3d4c5b6a.jpg"
USER = {
    "id": "e4d909c2-90d0-4b1c-a068-ffaddf22cbd0",
    "email": "nina@example.com",
    "username": "nina",
    "name": "Nina",
    "role": "artist",
    "date_joined": "2026-05-04T09:30:00Z",
}
SONG: dict[str, Any] = {
    "id": SONG_ID,
    "title": "Kettle Song",
    "artist": ARTIST_SUMMARY,
    "album": {"id": ALBUM_ID, "title": "Kitchen Tapes", "cover_image": COVER},
    "genre": GENRE,
    "track_number": 3,
    "disc_number": 1,
    "duration": 214,
    "release_date": "2026-03-20",
    "explicit": False,
    "visibility": "public",
    "licensing_info": "CC BY 4.0",
    "audio_file": STREAM,
    "play_count": 1204,
    "like_count": 87,
    "is_liked": True,
    "is_favorite": False,
    "created_at": "2026-03-20T08:00:00Z",
    "updated_at": "2026-03-21T10:15:00Z",
}
ALBUM = {
    "id": ALBUM_ID,
    "title": "Kitchen Tapes",
    "artist": ARTIST_SUMMARY,
    "release_date": "2026-03-20",
    "cover_image": COVER,
    "song_count": 9,
    "duration": 2012,
    "is_favorite": False,
    "created_at": "2026-03-20T08:00:00Z",
}
ARTIST = {
    **ARTIST_SUMMARY,
    "profile_picture": f"{SERVER}/media/pictures/4a8a08f0-9d37-4b73-95de-8f0c1a2b3c4d.jpg",
    "song_count": 24,
    "album_count": 2,
    "follower_count": 310,
    "is_following": False,
}
FREE = {"audio_quality": "medium", "offline_mode": False, "ad_free": False, "skip_limit": 6}
PREMIUM = {"audio_quality": "high", "offline_mode": True, "ad_free": True, "skip_limit": None}
SUBSCRIPTION = {
    "plan": "family",
    "status": "active",
    "current_period_end": "2026-12-24T10:00:00Z",
    "cancel_at_period_end": False,
    "trial_end": None,
}
CURRENT_SUBSCRIPTION = {**SUBSCRIPTION, "role": "owner", "max_members": 6, "members_used": 3}
FORM_FILE = "(the bytes of the file)"

ANSWERS: dict[str, Any] = {
    "AccountWithToken": {"token": TOKEN, "user": USER},
    "NewToken": {"token": TOKEN},
    "Session": {
        "id": "2c1743a3-91b0-4d5f-8f2e-3a4b5c6d7e8f",
        "device": "Firefox on Linux",
        "created_at": "2026-11-02T18:20:00Z",
        "last_used_at": "2026-11-28T07:00:00Z",
        "current": True,
    },
    "Profile": {
        "user": USER,
        "profile_picture": None,
        "audio_quality": "high",
        "offline_mode": True,
        "subscription": SUBSCRIPTION,
        "features": PREMIUM,
    },
    "Song": SONG,
    "SongDetail": {
        **SONG,
        "status": "ready",
        "status_reason": None,
        "loudness": {"lufs": -11.2, "peak": -0.4, "gain": -2.8},
    },
    "LibrarySong": {**SONG, "added_at": "2026-11-20T21:05:00Z"},
    "PlayedSong": {**SONG, "played_at": "2026-11-28T07:12:00Z"},
    "RecommendedSong": {
        **SONG,
        "is_liked": False,
        "reason": {"kind": "followed_artist", "artist": ARTIST_SUMMARY},
    },
    "Waveform": {"points": [0.0, 0.12, 0.48, 0.31] * 250},
    "Album": ALBUM,
    "LibraryAlbum": {**ALBUM, "is_favorite": True, "added_at": "2026-11-20T21:05:00Z"},
    "Genre": GENRE,
    "Artist": ARTIST,
    "FollowedArtist": {**ARTIST, "is_following": True, "followed_at": "2026-10-01T12:00:00Z"},
    "Follower": {
        "id": "3b5d5c37-12a9-4e0a-9b1d-5e6f7a8b9c0d",
        "username": "sam",
        "followed_at": "2026-10-01T12:00:00Z",
    },
    "ArtistProfile": {**ARTIST, "total_plays": 18250, "total_likes": 940, "top_songs": [SONG]},
    "SearchResults": {"songs": [SONG], "albums": [ALBUM], "artists": [ARTIST], "genres": [GENRE]},
    "Playback": {
        "play_count": 1205,
        "stream_url": f"{STREAM}?signature=1vE2cK:9yq3",
        "quality": "medium",
        "expires_at": "2026-11-28T13:12:00Z",
        "ad": None,
    },
    "SkipAllowance": {"skips_remaining": 5},
    "LikeState": {"is_liked": True, "like_count": 88},
    "FavoriteState": {"is_favorite": True},
    "FollowState": {"is_following": True},
    "Plan": {
        "id": PLAN_ID,
        "plan_type": "individual",
        "name": "Individual",
        "price": "10.99",
        "currency": "USD",
        "billing_cycle": "month",
        "trial_days": 30,
        "max_members": 1,
        "features": PREMIUM,
    },
    "CurrentSubscription": CURRENT_SUBSCRIPTION,
    "SubscribeResult": {"subscription": CURRENT_SUBSCRIPTION, "client_secret": None},
    "HostedPage": {"url": "https://checkout.stripe.com/c/pay/cs_test_a1b2c3"},
    "Invoice": {
        "date": "2026-11-24",
        "amount": "16.99",
        "currency": "USD",
        "status": "paid",
        "url": "https://invoice.stripe.com/i/acct_1/test_a1b2c3",
    },
    "PlanMember": {
        "id": "8f14e45f-ceea-467f-a0e6-1b2c3d4e5f60",
        "user": None,
        "email": "kim@example.com",
        "is_child": False,
        "status": "invited",
        "joined_at": None,
        "expires_at": "2026-12-05T09:00:00Z",
    },
    "StudentStatus": {"status": "pending", "expires_at": None},
}

PASSWORD = "long and winding road"  # noqa: S105
BODIES: dict[str, dict[str, Any]] = {
    "register": {"email": "nina@example.com", "password": PASSWORD, "name": "Nina", "role": "artist"},
    "login": {"email": "nina@example.com", "password": PASSWORD},
    "changePassword": {"old_password": PASSWORD, "new_password": "across the universe"},
    "requestPasswordReset": {"email": "nina@example.com"},
    "confirmPasswordReset": {"uid": "NQ", "token": "c8x2mn-1f0e", "new_password": "across the universe"},
    "changeEmail": {"email": "nina@music.example", "password": PASSWORD},
    "verifyEmail": {"token": "eyJ1c2VyIjoi:1vE2cK:9yq3"},
    "replaceProfile": {"username": "nina", "name": "Nina", "audio_quality": "high", "profile_picture": FORM_FILE},
    "updateProfile": {"audio_quality": "low"},
    "deleteAccount": {"password": PASSWORD},
    "createSong": {
        "audio_file": FORM_FILE,
        "title": "Kettle Song",
        "album_title": "Kitchen Tapes",
        "genre": "Synthwave",
        "release_date": "2026-03-20",
        "visibility": "private",
    },
    "replaceSong": {"title": "Kettle Song", "genre": "Synthwave", "track_number": 3, "explicit": False},
    "updateSong": {"visibility": "public"},
    "createAlbum": {"title": "Kitchen Tapes", "release_date": "2026-03-20", "cover_image": FORM_FILE},
    "replaceAlbum": {"title": "Kitchen Tapes", "release_date": "2026-03-20"},
    "updateAlbum": {"title": "Kitchen Tapes (Deluxe)"},
    "createGenre": {"title": "Synthwave"},
    "replaceGenre": {"title": "Synthwave"},
    "updateGenre": {"title": "Synthwave"},
    "subscribe": {"plan_id": PLAN_ID, "payment_method": "pm_1PqRsTuVwXyZ"},
    "createCheckout": {"plan_id": PLAN_ID},
    "createPortal": {},
    "applyAsStudent": {"school_email": "nina@school.example"},
    "inviteMember": {"email": "kim@example.com", "is_child": False},
    "updateMember": {"is_child": True},
    "joinPlan": {"token": "mR8wq2Jt5vXc"},
}
