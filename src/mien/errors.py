"""The exceptions a user can meet: one line that says what is wrong and what to do."""

from collections.abc import Iterable, Mapping


def near(
    word: str, known: Iterable[str], words: Mapping[str, str] | None = None, listed: str = ""
) -> str:
    """How a message about a word that is none of the `known` ends: the nearest of them where one is
    near, and all, or what is `listed` of them. `words` are other words for known ones, such as
    `angry` for `anger`.

    >>> near("hapy", ["happy", "sad"]), near("zzz", ["happy", "sad"])
    ("did you mean 'happy'? choose from happy, sad", 'choose from happy, sad')
    """
    known, others, small = list(known), dict(words or {}), word.lower()
    meant = others.get(small)
    if meant is None:
        from difflib import get_close_matches  # only mistakes need it

        names = {name.lower(): name for name in [*others, *known]}
        close = get_close_matches(small, names, 1, 0.7)
        meant = others.get(close[0], names[close[0]]) if close else None
    all_of_them = listed or f"choose from {', '.join(known)}"
    return all_of_them if meant is None else f"did you mean {meant!r}? {all_of_them}"


class MienError(Exception):
    """Base of every error the user can cause and mend; commands print it and exit with code 2."""


class ImageError(MienError):
    """A picture cannot be read, is too large, or cannot be written."""


class PictureType(ImageError, TypeError):
    """What a program gave is no photograph: a type, shape or range without a meaning."""


class PictureTooLarge(ImageError):
    """A picture has more pixels than are opened."""


class FaceNotFound(MienError):
    """No face, or not the face that was asked for, is in the picture."""


class FaceUndrawable(MienError):
    """A face was found, but what it shows is no face that can be edited well: it is left alone."""


class GuideError(MienError):
    """A label, action unit or reference that mien does not know or cannot use."""


class DataError(MienError):
    """A data set or manifest is missing, incomplete or malformed."""


class AssetMissing(MienError):
    """A file that mien needs and does not ship (weights, the face model) is not where it is looked
    for.
    """


class WeightsError(MienError):
    """Weights cannot be loaded: wrong hash, wrong format, or made for another model."""


class ConfigError(MienError):
    """A recipe or an option has a field or value that mien does not know."""


class TrainingError(MienError):
    """Training cannot start or go on; the last good state is kept."""


class ProvenanceError(MienError):
    """A certificate or key cannot sign, or a signed file cannot be read."""


class VideoError(MienError):
    """A film or a curve over its time cannot be read, or a film cannot be written."""
