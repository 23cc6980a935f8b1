"""Results of random queries over random names have every word of the query, as a plain rule in Python checks."""

import random
import unicodedata
from itertools import pairwise

import pytest
from rapidfuzz.distance import OSA

from music.models import Album, Genre

LETTERS = "bcdé"
UNSPACED = "夕凪通信"
SIGNS = ["!!!", "!!", "❤", "❤️", "🔥", "🦋", "÷", "÷÷", "$$$"]


class Writer:
    """Generates names of few letters, many of them similar, and queries that resemble the names."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def word(self):
        letters, most = (UNSPACED, 5) if self.random.random() < 0.2 else (LETTERS, self.random.choice([2, 4, 7, 12]))
        return "".join(self.random.choices(letters, k=self.random.randint(1, most)))

    def name(self):
        if self.random.random() < 0.1:
            return self.random.choice(SIGNS)
        name = " ".join(self.word() for _ in range(self.random.choice([1, 1, 2, 3])))
        return self.random.choice([name, name.upper(), name.title()])

    def query(self, names):
        words = [word for name in self.random.sample(names, self.random.choice([1, 1, 2])) for word in name.split()]
        self.random.shuffle(words)
        return " ".join(map(self.changed, words[: self.random.randint(1, 4)]))

    def changed(self, word):
        if not word.isalnum():
            return word
        at = self.random.randrange(len(word))
        return self.random.choice([word, word, word[: at + 1], word + self.word(), word[:at] + "b" + word[at:]])


def words_of(text):
    plain = unicodedata.normalize("NFD", text.replace("\ufe0f", "").lower())
    words = "".join(character for character in plain if character != "\u0301").split()
    if any(any(map(str.isalnum, word)) for word in words):
        return [word for word in words if any(map(str.isalnum, word))]
    return ["".join(words)]


def has(word, neighbors, texts):
    """Return whether one of the texts, each a list of words, has the word: whole, as a prefix, mistyped or split."""
    joined = ["".join(text) for text in texts]
    if any(letter in UNSPACED for letter in word):
        return any(word in text for text in joined)
    words = [other for text in texts for other in text]
    pairs = [one + other for text in texts for one, other in pairwise(text)]
    if not word.isalnum():
        return any(other.startswith(word) for other in words)
    typos = 2 if len(word) > 3 else 1
    return (
        any(other.startswith(word) or OSA.distance(word, other) <= typos for other in words)
        or any(word == pair or (len(word) == len(pair) + 1 and OSA.distance(word, pair) == 1) for pair in pairs)
        or any(neighbor in words + pairs for neighbor in neighbors)
    )


def fits(query, texts):
    words = words_of(query)
    if "".join(words) in map("".join, texts):
        return True
    for at, word in enumerate(words):
        neighbors = [word + after for after in words[at + 1 : at + 2]] + [before + word for before in words[:at][-1:]]
        if not has(word, neighbors, texts):
            return False
    return True


def is_whole(query, texts):
    words = {word for text in texts for word in text}
    return "".join(words_of(query)) in map("".join, texts) or all(word in words for word in words_of(query))


@pytest.mark.parametrize("seed", range(3))
def test_every_result_has_each_word_and_lists_find_the_same(api, make_user, make_song, seed):
    writer = Writer(seed)
    artists = [make_user(f"x{number}", role="artist", name=writer.name()) for number in range(8)]
    albums = [Album.objects.create(title=writer.name(), artist=artist) for artist in artists]
    genre = Genre.objects.create(title="zzz")
    texts = {}
    for number in range(60):
        artist, album = artists[number % 8], albums[number % 8] if number % 3 else None
        song = make_song(writer.name(), artist=artist, album=album, genre=genre, play_count=10 ** (number % 7))
        shown = [words_of(song.title), words_of(artist.name)]
        texts[str(song.pk)] = shown, [*shown, words_of(album.title) if album else [], ["zzz"], [artist.username]]
    titles = api.get("/api/songs?limit=100").json()["results"]
    names = [song["title"] for song in titles]
    for number in range(80):
        song = titles[number % len(titles)]
        query = writer.query(names) if number < 60 else song["title"]
        found = api.get("/api/songs/search", {"q": query, "type": "song", "limit": 100}).json()["songs"]
        ids = [row["id"] for row in found]
        for row in found:
            assert fits(query, texts[row["id"]][1]), (query, row["title"], row["artist"]["name"])
        wholes = [is_whole(query, texts[pk][0]) for pk in ids]
        if len(words_of(query)) > 1 or not any(letter in UNSPACED for letter in query):
            assert wholes == sorted(wholes, reverse=True), (query, [row["title"] for row in found])
        assert number < 60 or song["id"] in ids, query
        listed = api.get("/api/songs", {"search": query, "limit": 100}).json()["results"]
        assert {row["id"] for row in listed} == set(ids), query
