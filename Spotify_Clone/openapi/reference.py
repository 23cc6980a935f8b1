"""The words of the API reference: introduction, tags, operations in reading order, and the error codes.

`openapi.py` builds the rest of the document from the code. Settings import this module, so it imports no Django.
"""

from typing import NamedTuple

TITLE = "Music API"

INTRODUCTION = """\
A music-streaming service: artists upload recordings, listeners find them, play them and keep what they like.

## Start

1. `POST /api/users` registers an account, `POST /api/login` logs in; both answer a token.
2. Send the token with every request: `Authorization: Token <token>`, the word `Token`, a space, and the token.
3. `GET /api/songs` lists songs. `audio_file` of each is an address that an `<audio>` element plays as it is.

To try operations out, press *Authorize* in [the interactive docs](/api/docs) and enter the word `Token`, a space, and
your token.

## Conventions

- Bodies are JSON in UTF-8. Operations that take a file take `multipart/form-data`; a file input that was left empty
  counts as not sent.
- Ids are UUIDs. Times are ISO 8601 in UTC, dates are `YYYY-MM-DD`, durations are whole seconds.
- Unknown query parameters and unknown fields in a body are ignored. A known one with a bad value is a 400.
- Public reads carry an `ETag`; send it as `If-None-Match`, and an unchanged answer is a 304 without a body.

## Lists

Every list answers `{"next", "previous", "results"}`. To read on, follow `next` until it is null; rows that are added
or removed meanwhile neither repeat nor hide others. `limit` sets the size of a page, 1 to 100. Computed lists such as
trending or radio have one page only.

## Errors

Every error has one shape. `code` is for programs and never changes, `detail` is a sentence for people, and `attr` names
the field or parameter, or is null. Several errors of fields come in one answer.

```json
{"type": "validation_error", "errors": [{"code": "required", "detail": "This field is required.", "attr": "title"}]}
```
"""

ACCOUNTS = "Accounts"
PROFILE = "Profile"
SONGS = "Songs"
ALBUMS = "Albums"
GENRES = "Genres"
ARTISTS = "Artists"
DISCOVERY = "Discovery"
LISTENING = "Listening"
LIBRARY = "Library"
ADS = "Ads"
SUBSCRIPTIONS = "Subscriptions"
MEMBERS = "Plan members"
WEBHOOKS = "Webhooks"

TAGS = [
    {"name": ACCOUNTS, "description": "Register, log in and out; passwords, e-mail addresses and devices."},
    {"name": PROFILE, "description": "The caller's own profile, preferences and data."},
    {"name": SONGS, "description": "The catalogue's songs. Everybody reads, artists upload, owners change."},
    {"name": ALBUMS, "description": "Albums and the songs on them."},
    {"name": GENRES, "description": "Genres, which artists add."},
    {"name": ARTISTS, "description": "Artists, their songs, and following them."},
    {"name": DISCOVERY, "description": "Find music: search, charts, recommendations and radio."},
    {"name": LISTENING, "description": "Play, stream and download songs."},
    {"name": LIBRARY, "description": "What a listener likes, keeps and played."},
    {"name": ADS, "description": "Ads, which come with `play` where the plan has them."},
    {"name": SUBSCRIPTIONS, "description": "Plans, and paying for them through Stripe."},
    {"name": MEMBERS, "description": "People on a Duo or Family plan."},
    {"name": WEBHOOKS, "description": "Events that other services deliver."},
]


class Operation(NamedTuple):
    id: str
    tag: str
    summary: str
    description: str
    # Codes that this operation answers beside those of its kind, as "code" or "code on field".
    errors: tuple[str, ...] = ()
    # Fields that a JSON body needs although a form may bring a file in their place.
    needed_in_json: tuple[str, ...] = ()


OPERATIONS = {
    # Accounts
    "POST /api/users": Operation(
        "register",
        ACCOUNTS,
        "Register an account",
        "Create a listener's or an artist's account and answer a token, so that the caller is logged in at once. "
        "Without `username` one is made from the e-mail address.",
        ("unique on email", "unique on username", "password_too_short on password"),
    ),
    "POST /api/login": Operation(
        "login",
        ACCOUNTS,
        "Log in",
        "Answer a token for an e-mail address (or username) and its password. A token lives for 30 days from its last "
        "use. A wrong pair is answered the same way whether or not the account exists.",
        ("invalid_credentials",),
    ),
    "POST /api/logout": Operation(
        "logout", ACCOUNTS, "Log out", "End the token of this request. It stops working at once."
    ),
    "POST /api/logout/all": Operation(
        "logoutEverywhere", ACCOUNTS, "Log out everywhere", "End every token of the caller, on every device."
    ),
    "GET /api/sessions": Operation(
        "listSessions",
        ACCOUNTS,
        "List devices",
        "List the devices on which the caller is logged in, newest first. Each has a token of its own.",
    ),
    "DELETE /api/sessions/{id}": Operation(
        "endSession", ACCOUNTS, "Log a device out", "End a device's token. The current device may be logged out too."
    ),
    "POST /api/password/change": Operation(
        "changePassword",
        ACCOUNTS,
        "Change the password",
        "Set a new password and answer a new token. Every older token ends.",
        ("invalid_password on old_password", "password_too_short on new_password"),
    ),
    "POST /api/password/reset": Operation(
        "requestPasswordReset",
        ACCOUNTS,
        "Ask for a new password",
        "Send a mail with a link that sets a new password, good once and for an hour. The answer is the same whether "
        "or not the address is known.",
    ),
    "POST /api/password/reset/confirm": Operation(
        "confirmPasswordReset",
        ACCOUNTS,
        "Set a new password by a link",
        "Set a new password with `uid` and `token` of the link in the mail. Every token of the account ends.",
        ("invalid_token", "password_too_short on new_password"),
    ),
    "POST /api/email/change": Operation(
        "changeEmail",
        ACCOUNTS,
        "Change the e-mail address",
        "Send a link to the new address; the account gets it when the link is followed. The old address is told, with "
        "a way to stop it. The answer is the same for an address that has an account.",
        ("invalid_password on password",),
    ),
    "POST /api/email/verify": Operation(
        "verifyEmail",
        ACCOUNTS,
        "Confirm an e-mail address",
        "Confirm an address with the token of the link in the mail, good once and for a day.",
        ("invalid_token",),
    ),
    # Profile
    "GET /api/profile": Operation(
        "getProfile",
        PROFILE,
        "Get the profile",
        "Return the caller's account, preferences, subscription, and what the plan allows.",
    ),
    "PUT /api/profile": Operation(
        "replaceProfile",
        PROFILE,
        "Replace the profile",
        "Change the profile. Fields that are not sent keep their values. A form sends a new picture; JSON null takes "
        "the picture away.",
        ("subscription_required", "has_works on role", "unique on username", "invalid_image on profile_picture"),
    ),
    "PATCH /api/profile": Operation(
        "updateProfile",
        PROFILE,
        "Change the profile",
        "Change some fields of the profile. A form sends a new picture; JSON null takes the picture away.",
        ("subscription_required", "has_works on role", "unique on username", "invalid_image on profile_picture"),
    ),
    "DELETE /api/profile": Operation(
        "deleteAccount",
        PROFILE,
        "Delete the account",
        "Delete the caller's account and everything it owns, files included. This can't be undone, so it asks for the "
        "password.",
        ("invalid_password on password",),
    ),
    "GET /api/profile/export": Operation(
        "exportData",
        PROFILE,
        "Export one's data",
        "Download everything that is stored about the caller as one JSON document.",
    ),
    # Songs
    "GET /api/songs": Operation(
        "listSongs",
        SONGS,
        "List songs",
        "List the public songs and the caller's own. Filters combine; case and accents make no difference.",
    ),
    "POST /api/songs": Operation(
        "createSong",
        SONGS,
        "Upload a song",
        "Upload a recording: MP3, WAV, M4A, FLAC, OGG or AAC up to 50 MB, recognized by its content. For artists. "
        "What is not sent comes from the file's tags, the title else from its name. `album` is the id of one of the "
        "caller's albums; `album_title` and `genre` are titles, and made if new.",
        (
            "invalid_audio on audio_file",
            "file_too_large on audio_file",
            "empty_file on audio_file",
            "does_not_exist on album",
            "email_not_verified",
        ),
    ),
    "GET /api/songs/{id}": Operation(
        "getSong",
        SONGS,
        "Get a song",
        "Return a song with the state of its renditions and its loudness. Private songs exist for their artist alone.",
    ),
    "PUT /api/songs/{id}": Operation(
        "replaceSong",
        SONGS,
        "Replace a song",
        "Change a song; `title` is required. Fields that are not sent keep their values, the recording too. "
        "For the song's artist.",
        ("blank on title", "invalid_audio on audio_file", "file_too_large on audio_file", "empty_file on audio_file"),
    ),
    "PATCH /api/songs/{id}": Operation(
        "updateSong",
        SONGS,
        "Change a song",
        "Change some fields of a song. A new recording replaces the old one. For the song's artist.",
        ("blank on title", "invalid_audio on audio_file", "file_too_large on audio_file", "empty_file on audio_file"),
    ),
    "DELETE /api/songs/{id}": Operation(
        "deleteSong", SONGS, "Delete a song", "Delete a song and its files. For the song's artist."
    ),
    "GET /api/songs/{id}/waveform": Operation(
        "getWaveform",
        SONGS,
        "Get the waveform",
        "Return a thousand numbers from 0 to 1 that draw the song.",
        ("not_ready",),
    ),
    # Albums
    "GET /api/albums": Operation(
        "listAlbums",
        ALBUMS,
        "List albums",
        "List albums, the latest release first. An album without a public song is seen by its artist alone.",
    ),
    "POST /api/albums": Operation(
        "createAlbum",
        ALBUMS,
        "Create an album",
        "Create an album; songs are put on it when they are uploaded or changed. For artists.",
        ("invalid_image on cover_image", "file_too_large on cover_image", "email_not_verified"),
    ),
    "GET /api/albums/{id}": Operation("getAlbum", ALBUMS, "Get an album", "Return an album."),
    "PUT /api/albums/{id}": Operation(
        "replaceAlbum",
        ALBUMS,
        "Replace an album",
        "Change an album; `title` is required. Fields that are not sent keep their values, the cover too. "
        "For the album's artist.",
        ("blank on title", "invalid_image on cover_image", "file_too_large on cover_image"),
    ),
    "PATCH /api/albums/{id}": Operation(
        "updateAlbum",
        ALBUMS,
        "Change an album",
        "Change some fields of an album. A form sends a new cover; JSON null takes the cover away. "
        "For the album's artist.",
        ("blank on title", "invalid_image on cover_image", "file_too_large on cover_image"),
    ),
    "DELETE /api/albums/{id}": Operation(
        "deleteAlbum", ALBUMS, "Delete an album", "Delete an album. Its songs stay. For the album's artist."
    ),
    "GET /api/albums/{id}/songs": Operation(
        "listAlbumSongs", ALBUMS, "List an album's songs", "List the album's songs by disc and track."
    ),
    # Genres
    "GET /api/genres": Operation("listGenres", GENRES, "List genres", "List genres by title."),
    "POST /api/genres": Operation(
        "createGenre",
        GENRES,
        "Create a genre",
        "Create a genre. Titles are unique whatever their case. For artists.",
        ("unique on title", "email_not_verified"),
    ),
    "GET /api/genres/{id}": Operation("getGenre", GENRES, "Get a genre", "Return a genre."),
    "PUT /api/genres/{id}": Operation(
        "replaceGenre",
        GENRES,
        "Replace a genre",
        "Rename a genre, as long as no other artist uses it. For the artist who created it.",
        ("unique on title", "genre_in_use"),
    ),
    "PATCH /api/genres/{id}": Operation(
        "updateGenre",
        GENRES,
        "Change a genre",
        "Rename a genre, as long as no other artist uses it. For the artist who created it.",
        ("unique on title", "genre_in_use"),
    ),
    "DELETE /api/genres/{id}": Operation(
        "deleteGenre",
        GENRES,
        "Delete a genre",
        "Delete a genre, as long as no other artist uses it. For the artist who created it.",
        ("genre_in_use",),
    ),
    # Artists
    "GET /api/artists": Operation("listArtists", ARTISTS, "List artists", "List artists by name."),
    "GET /api/artists/{id}": Operation(
        "getArtist", ARTISTS, "Get an artist", "Return an artist. Counts are those of public songs and albums."
    ),
    "GET /api/artists/{id}/profile": Operation(
        "getArtistProfile",
        ARTISTS,
        "Get an artist's profile",
        "Return an artist with total plays and likes, and the ten songs that are played most.",
    ),
    "GET /api/artists/{id}/songs": Operation(
        "listArtistSongs", ARTISTS, "List an artist's songs", "List the artist's songs, newest first."
    ),
    "POST /api/artists/{id}/follow": Operation(
        "followArtist",
        ARTISTS,
        "Follow an artist",
        "Follow an artist. Following again changes nothing and answers 200.",
        ("self_follow",),
    ),
    "DELETE /api/artists/{id}/follow": Operation(
        "unfollowArtist", ARTISTS, "Unfollow an artist", "Stop following an artist, whether or not one did."
    ),
    "GET /api/artists/following": Operation(
        "listFollowedArtists",
        ARTISTS,
        "List followed artists",
        "List the artists that the caller follows, newest first.",
    ),
    "GET /api/artists/followers": Operation(
        "listFollowers", ARTISTS, "List followers", "List the caller's followers, newest first. For artists."
    ),
    # Discovery
    "GET /api/songs/search": Operation(
        "searchSongs",
        DISCOVERY,
        "Search",
        "Find songs, albums, artists and genres, the best match first. Each result has every word of the query: whole, "
        "as a beginning, or with one typo in a short word and two in a longer one. Accents, case, punctuation and the "
        "order of words make no difference. A narrower `type` leaves the other lists empty.",
    ),
    "GET /api/songs/trending": Operation(
        "listTrendingSongs",
        DISCOVERY,
        "List trending songs",
        "List the songs that are played and liked most, recent plays weighing more. At most a minute behind.",
    ),
    "GET /api/songs/random": Operation(
        "listRandomSongs",
        DISCOVERY,
        "List random songs",
        "List public songs by chance, each as likely as any other and none twice.",
    ),
    "GET /api/songs/recommendations": Operation(
        "listRecommendedSongs",
        DISCOVERY,
        "List recommendations",
        "List songs that follow from the caller's plays, likes, favorites and followed artists, each with its reason. "
        "New and anonymous callers get what is trending.",
    ),
    "GET /api/songs/{id}/similar": Operation(
        "listSimilarSongs", DISCOVERY, "List similar songs", "List songs that go with this one, the best first."
    ),
    "GET /api/songs/radio": Operation(
        "getRadio",
        DISCOVERY,
        "Play a radio",
        "List songs that go with a song, an artist or a genre; send exactly one of the three seeds. To go on, send the "
        "ids that came already as `exclude`.",
        ("not_found",),
    ),
    # Listening
    "POST /api/songs/{id}/play": Operation(
        "playSong",
        LISTENING,
        "Play a song",
        "Count a play, remember it, and return an address to stream from that needs no header. A repeat within 30 "
        "seconds of the last counted play does not count. `ad` comes with each third counted play where the plan has "
        "ads.",
    ),
    "GET /api/songs/{id}/stream": Operation(
        "streamSong",
        LISTENING,
        "Stream a song",
        "Send the audio, or the range of bytes that was asked for. At most the quality of the plan and of `quality`: "
        "the upload where its bitrate is within, else the best rendition. Anonymous callers get what the Free plan "
        "has. A private song needs the signed address that `audio_file` has.",
        ("invalid_signature", "no_audio"),
    ),
    "GET /api/songs/{id}/download": Operation(
        "downloadSong",
        LISTENING,
        "Download a song",
        "Send the best file that the plan allows as an attachment, named after artist and title.",
        ("subscription_required", "no_audio"),
    ),
    "POST /api/songs/{id}/skip": Operation(
        "skipSong",
        LISTENING,
        "Skip a song",
        "Skip a song and return how many skips remain in this hour. Over the plan's limit the answer is 403, with "
        "`Retry-After` in seconds.",
        ("skip_limit_reached",),
    ),
    # Library
    "POST /api/songs/{id}/like": Operation("likeSong", LIBRARY, "Like a song", "Like a song. Again changes nothing."),
    "POST /api/songs/{id}/unlike": Operation(
        "unlikeSong", LIBRARY, "Unlike a song", "Take a like back. Without one nothing changes."
    ),
    "GET /api/songs/liked": Operation(
        "listLikedSongs", LIBRARY, "List liked songs", "List the songs that the caller likes, newest first."
    ),
    "POST /api/songs/{id}/favorite": Operation(
        "addFavoriteSong",
        LIBRARY,
        "Add a favorite song",
        "Add a song to the caller's favorites. Again changes nothing and answers 200.",
    ),
    "DELETE /api/songs/{id}/favorite": Operation(
        "removeFavoriteSong",
        LIBRARY,
        "Remove a favorite song",
        "Remove a song from the caller's favorites, whether or not it was one.",
    ),
    "GET /api/songs/favorites": Operation(
        "listFavoriteSongs", LIBRARY, "List favorite songs", "List the caller's favorite songs, newest first."
    ),
    "POST /api/albums/{id}/favorite": Operation(
        "addFavoriteAlbum",
        LIBRARY,
        "Add a favorite album",
        "Add an album to the caller's favorites. Again changes nothing and answers 200.",
    ),
    "DELETE /api/albums/{id}/favorite": Operation(
        "removeFavoriteAlbum",
        LIBRARY,
        "Remove a favorite album",
        "Remove an album from the caller's favorites, whether or not it was one.",
    ),
    "GET /api/albums/favorites": Operation(
        "listFavoriteAlbums", LIBRARY, "List favorite albums", "List the caller's favorite albums, newest first."
    ),
    "GET /api/songs/recently_played": Operation(
        "listRecentlyPlayedSongs",
        LIBRARY,
        "List recently played songs",
        "List the songs that the caller played, each once, the last one first.",
    ),
    "DELETE /api/songs/recently_played": Operation(
        "clearRecentlyPlayed",
        LIBRARY,
        "Clear the listening history",
        "Forget what the caller played. The songs' play counts stay.",
    ),
    # Ads
    "GET /api/ads/{id}/audio": Operation(
        "streamAd", ADS, "Stream an ad", "Send the ad's audio, or the range of bytes that was asked for."
    ),
    "POST /api/ads/{id}/impression": Operation(
        "recordAdImpression",
        ADS,
        "Record an impression",
        "Record that the ad was played or shown. It counts once for each time that `play` returned the ad.",
    ),
    "POST /api/ads/{id}/click": Operation(
        "recordAdClick",
        ADS,
        "Record a click",
        "Record that the ad's link was followed. It counts once for each time that `play` returned the ad.",
    ),
    # Subscriptions
    "GET /api/subscriptions": Operation(
        "listPlans", SUBSCRIPTIONS, "List plans", "List the plans, the cheapest first."
    ),
    "GET /api/subscriptions/current": Operation(
        "getSubscription",
        SUBSCRIPTIONS,
        "Get the subscription",
        "Return the caller's own subscription, or the one that the caller is a member of. Without either, the Free "
        "plan.",
    ),
    "POST /api/subscriptions/subscribe": Operation(
        "subscribe",
        SUBSCRIPTIONS,
        "Subscribe or change the plan",
        "Start a subscription (201), or change the plan of the current one (200). The first one starts with the free "
        "trial, once per person. Where the card asks its owner for something, confirm `client_secret` with Stripe.js. "
        "With an `Idempotency-Key` a repeated request gets the first one's answer.",
        (
            "already_subscribed",
            "free_plan",
            "already_member",
            "card_declined",
            "too_many_members",
            "invalid on payment_method",
            "required on payment_method",
            "does_not_exist on plan_id",
            "student_verification_required",
            "email_not_verified",
            "in_progress",
            "payments_failed",
            "payments_unavailable",
        ),
    ),
    "POST /api/subscriptions/checkout": Operation(
        "createCheckout",
        SUBSCRIPTIONS,
        "Subscribe on Stripe's page",
        "Return the address of a page of Stripe's on which the caller subscribes, trial included. Stripe sends the "
        "caller back to `success_url` or `cancel_url`, which must be addresses of this service's frontend.",
        (
            "already_subscribed",
            "free_plan",
            "already_member",
            "invalid on success_url",
            "student_verification_required",
            "email_not_verified",
            "payments_failed",
            "payments_unavailable",
        ),
    ),
    "POST /api/subscriptions/portal": Operation(
        "createPortal",
        SUBSCRIPTIONS,
        "Manage cards on Stripe's page",
        "Return the address of a page of Stripe's on which the caller changes cards and sees invoices.",
        ("no_subscription", "invalid on return_url", "payments_failed", "payments_unavailable"),
    ),
    "POST /api/subscriptions/cancel": Operation(
        "cancelSubscription",
        SUBSCRIPTIONS,
        "Cancel the subscription",
        "Cancel at the end of the period. Until then nothing changes, and it can be resumed.",
        ("no_subscription", "payments_failed", "payments_unavailable"),
    ),
    "POST /api/subscriptions/resume": Operation(
        "resumeSubscription",
        SUBSCRIPTIONS,
        "Resume the subscription",
        "Take a cancellation back before the period ends.",
        ("no_subscription", "payments_failed", "payments_unavailable"),
    ),
    "GET /api/subscriptions/invoices": Operation(
        "listInvoices", SUBSCRIPTIONS, "List invoices", "List the caller's invoices, newest first."
    ),
    "GET /api/subscriptions/student": Operation(
        "getStudentStatus",
        SUBSCRIPTIONS,
        "Get the student application",
        "Return how the caller's application for the Student plan stands, and until when an approval lasts.",
    ),
    "POST /api/subscriptions/student": Operation(
        "applyAsStudent",
        SUBSCRIPTIONS,
        "Apply for the Student plan",
        "Apply with a school e-mail address or with a document: a PDF, or a picture as JPEG, PNG or WebP, up to 10 MB. "
        "An admin decides, and the document is deleted then. An approval lasts a year.",
        ("required on school_email", "invalid_document on document", "file_too_large on document"),
        needed_in_json=("school_email",),
    ),
    # Plan members
    "GET /api/subscriptions/members": Operation(
        "listMembers",
        MEMBERS,
        "List members",
        "List the members and open invitations of the caller's Duo or Family plan, without the owner.",
        ("no_seats",),
    ),
    "POST /api/subscriptions/members": Operation(
        "inviteMember",
        MEMBERS,
        "Invite a member",
        "Send an invitation by mail, good once and for 7 days. It takes a seat until then.",
        ("already_member on email", "no_seats_left", "no_seats"),
    ),
    "PATCH /api/subscriptions/members/{id}": Operation(
        "updateMember",
        MEMBERS,
        "Change a member",
        "Set whether the member is a child, for whom explicit songs don't exist. For the plan's owner.",
    ),
    "DELETE /api/subscriptions/members/{id}": Operation(
        "removeMember", MEMBERS, "Remove a member", "End a member's seat, or an invitation. For the plan's owner."
    ),
    "POST /api/subscriptions/join": Operation(
        "joinPlan",
        MEMBERS,
        "Join a plan",
        "Take the seat that an invitation is for, with the token of the link in the mail.",
        ("invalid_token", "already_subscribed", "already_member"),
    ),
    "POST /api/subscriptions/leave": Operation(
        "leavePlan",
        MEMBERS,
        "Leave a plan",
        "Give the seat on another person's plan back. A child's seat is ended by the plan's owner alone.",
        ("no_subscription", "child_account"),
    ),
    # Webhooks
    "POST /api/stripe/webhook": Operation(
        "receiveStripeEvent",
        WEBHOOKS,
        "Receive an event of Stripe's",
        "For Stripe: take a signed event. The same event again changes nothing.",
        ("unsigned_event", "invalid_event", "payments_failed", "payments_unavailable"),
    ),
}


PARAMETERS = {
    "id": "The id, a UUID.",
    "limit": "The size of a page, 1 to 100; in search, of each list.",
    "cursor": "A place in the list, as `next` and `previous` have it.",
    "ordering": "The order of the list; with `-` descending. Rows without a value come last both ways.",
    "search": "Words to find, as `/api/songs/search` finds them.",
    "title": "A part of the title.",
    "genre": "A genre's id or whole title.",
    "artist": "An artist's id or whole name.",
    "album": "An album's id or whole title.",
    "date_from": "Released on this day or later.",
    "date_to": "Released on this day or earlier.",
    "explicit": "Explicit songs alone, or none of them.",
    "q": "What to find; the last word may be unfinished.",
    "type": "What kind of result to find.",
    "time_range": "The time whose plays and likes count.",
    "seed_song": "The id of a song to start from.",
    "seed_artist": "The id of an artist to start from.",
    "seed_genre": "The id of a genre to start from.",
    "exclude": "Ids of songs to leave out, up to 1,000, with commas between them.",
    "quality": "The best quality to send; by default the listener's preference.",
    "signature": "Part of a signed address; `audio_file` and `stream_url` bring it along.",
    "Range": "The bytes to send, such as `bytes=0-65535`.",
    "If-None-Match": "The `ETag` of an earlier answer: 304 if it is still the same.",
    "Idempotency-Key": "A name for this attempt, up to 255 characters: sent again, it gets the same answer again.",
    "Stripe-Signature": "Stripe's signature of the event.",
    "X-Request-ID": "A name for the request in the server's log; the answer repeats it.",
}


# Of fields, in requests and answers alike; what serializers say of the others stands.
FIELDS = {
    "album": "The id of one of the caller's albums.",
    "album_title": "The title of one of the caller's albums, in place of `album`; created if new.",
    "genre": "A genre's title; created if new.",
    "title": "The title.",
    "release_date": "The day of release.",
    "track_number": "The place on its disc.",
    "disc_number": "The disc of its album.",
    "explicit": "Whether the words are explicit.",
    "licensing_info": "License or rights, as the artist states them.",
    "name": "The name that others read.",
    "payment_method": "The id of a payment method, as Stripe.js gives it to the client.",
    "plan_id": "The id of a plan.",
    "client_secret": "For Stripe.js, where the card asks its owner for something; else null.",
    "skips_remaining": "Skips that remain in these 60 minutes; null: no limit.",
    "skip_limit": "Skips in any 60 minutes; null: no limit.",
    "loudness": "Null until it is measured, and for silence.",
    "gain": "Decibels to add so that songs are equally loud.",
    "members_used": "Seats in use: owner, members and open invitations.",
    "is_child": "A child's account plays no explicit songs.",
    "play_count": "How often the song was played.",
    "like_count": "How many listeners like the song.",
    "is_liked": "Whether the caller likes it; false for anonymous callers.",
    "is_favorite": "Whether it is among the caller's favorites; false for anonymous callers.",
    "is_following": "Whether the caller follows the artist; false for anonymous callers.",
    "audio_file": "In answers, an address that an `<audio>` element plays as it is, or null without audio. "
    "To upload: MP3, WAV, M4A, FLAC, OGG or AAC, up to 50 MB.",
}


class Problem(NamedTuple):
    status: str
    code: str
    detail: str
    attr: str | None = None

    @property
    def kind(self) -> str:
        if self.status == "400" and self.code not in REQUEST_ERRORS:
            return "validation_error"
        return "client_error" if self.status < "500" else "server_error"


# 400 of a request that was not read as far as its fields.
REQUEST_ERRORS = ("parse_error", "bad_request", "too_large")

# By status and name, which is the code but for those in CODES.
DETAILS = {
    "400": {
        "required": "This field is required.",
        "invalid": "Give a whole number from 1 to 100.",
        "blank": "This field may not be blank.",
        "parse_error": "JSON parse error - Expecting value: line 1 column 1 (char 0)",
        "unique": "This is taken already.",
        "does_not_exist": 'Invalid pk "7a1f3f0e-5d0c-4d67-9f5e-2b8a4f6f1c55" - object does not exist.',
        "password_too_short": "This password is too short. It must contain at least 8 characters.",
        "invalid_password": "This is not your password.",
        "invalid_token": "This link is not valid, was used already, or has expired. Ask for another.",
        "has_works": "Delete your songs and albums first, or stay an artist.",
        "invalid_audio": "The sound in this MP3 file can't be decoded. Export it again.",
        "file_too_large": "This file is too large. Upload a smaller one.",
        "empty_file": "This file is empty. Choose another one.",
        "invalid_image": "This is not an image that we can read. Upload a whole JPEG, PNG, GIF or WebP.",
        "invalid_document": "Send a PDF, or a picture as JPEG, PNG or WebP.",
        "self_follow": "You can't follow yourself.",
        "already_subscribed": "You already have a subscription.",
        "free_plan": "The free plan needs no subscription.",
        "already_member": "You are a member of a plan already. Leave it first.",
        "card_declined": "Your card was declined.",
        "too_many_members": "This plan has fewer seats than are taken on yours.",
        "no_subscription": "You have no subscription.",
        "no_seats_left": "All seats of your plan are taken.",
        "invalid_event": "This is not an event of Stripe.",
        "unsigned_event": "This was not signed by Stripe, or its signature is too old.",
    },
    "401": {
        "not_authenticated": "Authentication credentials were not provided.",
        "authentication_failed": "This token is unknown, has expired or was revoked. Log in again.",
        "invalid_credentials": "The e-mail address or the password is wrong.",
    },
    "403": {
        "permission_denied": "You do not have permission to perform this action.",
        "email_not_verified": "Confirm your e-mail address first: follow the link in the mail.",
        "subscription_required": "Your plan does not include this. Subscribe to have it.",
        "skip_limit_reached": "You have used all your skips for now. Subscribe to skip as often as you like.",
        "genre_in_use": "Other artists use this genre, so it can't be changed or deleted.",
        "invalid_signature": "This URL has expired or was changed. Request a new one.",
        "student_verification_required": "This plan is for students. Apply first.",
        "no_seats": "Your plan has no seats for others.",
        "child_account": "The owner of the plan ends a child's seat.",
    },
    "404": {
        "not_found": "Not found.",
        "no_audio": "This song has no audio.",
        "not_ready": "The waveform is not ready yet. Try again in a minute.",
    },
    "406": {
        "not_acceptable": "Could not satisfy the request Accept header.",
    },
    "409": {
        "conflict": "This was changed at the same moment by somebody else. Look again, and try once more.",
        "in_progress": "Another payment request of yours is still running. Wait until it ends.",
    },
    "411": {
        "length_required": "Send the body with its Content-Length, not in chunks.",
    },
    "413": {
        "body_too_large": "The request's body is larger than 100 MB.",
    },
    "415": {
        "unsupported_media_type": 'Unsupported media type "text/plain" in request.',
    },
    "429": {
        "throttled": "Request was throttled. Expected available in 30 seconds.",
    },
    "502": {
        "payments_failed": "The payment service can't be reached right now. Nothing was changed.",
    },
    "503": {
        "database_unavailable": "The database can't be reached right now. Nothing was changed.",
        "storage_unavailable": "Files can't be stored or read right now. Nothing was changed.",
        "payments_unavailable": "Payments are not set up on this server. Everything else works.",
    },
}
CODES = {"unsigned_event": "invalid_signature", "body_too_large": "too_large"}
EXAMPLE_FIELDS = {"required": "title", "invalid": "limit", "blank": "title"}
PROBLEMS = {
    name: Problem(status, CODES.get(name, name), detail, EXAMPLE_FIELDS.get(name))
    for status, details in DETAILS.items()
    for name, detail in details.items()
}
