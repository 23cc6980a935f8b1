from music.conftest import make_song

__all__ = ["make_song"]
