"""Sets of films and series of pictures, for research: an expression from its onset to its peak, or
with speech.
"""

from __future__ import annotations

from mien.data.adapters import labels
from mien.data.adapters.base import FILM, PICTURE, DataSet
from mien.data.sequences import TemporalProfile

_TERMS = "your own research under the agreement that you signed"

CK_PLUS = DataSet(
    name="ck-plus",
    title="Extended Cohn-Kanade (CK+)",
    contents="593 series of 123 people from rest to peak, units at the peak, emotion of 327; "
    "640 x 490 px",
    licence="academic, non-commercial, by application",
    terms=_TERMS,
    weights="non-commercial research",
    source="https://doi.org/10.5281/zenodo.11221351",
    obtain="unpack cohn-kanade-images, Emotion and FACS side by side",
    example="cohn-kanade-images/S005/001/S005_001_00000011.png",
    files=(
        r"(?:extended-)?cohn-kanade-images/(?P<person>S\d{3})/(?P<take>\d{3})/"
        r"S\d{3}_\d{3}_(?P<frame>\d+)\.png",
    ),
    beside=labels.ck_plus,
    profile=TemporalProfile.POSED,
)

OULU_CASIA = DataSet(
    name="oulu-casia",
    title="Oulu-CASIA NIR&VIS",
    contents="480 series of 80 people from rest to peak, six emotions; here visible strong light, "
    "320 x 240 px",
    licence="research, by application",
    terms=_TERMS,
    weights="non-commercial research",
    source="https://doi.org/10.1016/j.imavis.2011.07.002",
    obtain="unpack OriginalImg",
    example="OriginalImg/VL/Strong/P012/Anger/000.jpeg",
    files=(
        r"(?:\w_)?OriginalImg/VL/Strong/(?P<person>P\d{3})/(?P<emotion>[A-Za-z]+)/(?P<frame>\d+)"
        + PICTURE,
    ),
    emotions={
        "anger": "anger", "disgust": "disgust", "fear": "fear", "happiness": "happy",
        "sadness": "sad", "surprise": "surprise",
    },
    profile=TemporalProfile.POSED,
)  # fmt: skip

MUG = DataSet(
    name="mug",
    title="MUG Facial Expression Database",
    contents="86 people, six emotions from rest to peak and back, and neutral; 896 px",
    licence="research, by application",
    terms=_TERMS,
    weights="non-commercial research",
    source="https://mug.ee.auth.gr/fed",
    obtain="unpack the subjects' folders, or the manually annotated pictures",
    example="001/anger/take000/img_0000.jpg",
    files=(
        r"(?P<person>\d{3})/(?P<emotion>[a-z]+)/(?P<take>take\d+)/img_(?P<frame>\d+)\.jpg",
        r"(?P<person>\d{3})_(?P<emotion>[a-z]{2})_\d{3}_\d{4}\.jpg",
    ),
    emotions={
        "anger": "anger", "disgust": "disgust", "fear": "fear", "happiness": "happy",
        "sadness": "sad", "surprise": "surprise", "an": "anger", "di": "disgust", "fe": "fear",
        "ha": "happy", "ne": "neutral", "sa": "sad", "su": "surprise",
    },
    profile=TemporalProfile.ARC,
)  # fmt: skip

MMI = DataSet(
    name="mmi",
    title="MMI Facial Expression Database",
    contents="films from rest to peak and back of 75 people, six emotions and single units; here "
    "frontal views, 720 x 576 px",
    licence="research, by application",
    terms=_TERMS,
    weights="non-commercial research",
    source="https://mmifacedb.eu",
    obtain="unpack the downloaded sessions, folder Sessions",
    example="Sessions/1/S001-001.avi",
    files=(r"Sessions/(?P<session>\d+)/(?P<person>S\d{3})-(?P<take>\d{3})" + FILM,),
    beside=labels.mmi,
    profile=TemporalProfile.ARC,
)

RAVDESS = DataSet(
    name="ravdess",
    title="RAVDESS",
    contents="films of 24 actors who speak and sing, seven emotions of ours and calm, "
    "1280 x 720 px",
    licence="CC-BY-NC-SA-4.0",
    terms="your own non-commercial use; name the source, share alike",
    weights="non-commercial research",
    source="https://doi.org/10.5281/zenodo.1188976",
    obtain="unpack the films, Actor_01 to Actor_24 side by side",
    example="Actor_01/01-01-03-02-01-01-01.mp4",
    files=(
        r"(?:[^/]+/)?(?P<person>Actor_\d\d)/0[12]-(?P<take>0[12]-(?P<emotion>0[1-8])"
        r"(?:-\d\d){3})-\d\d" + FILM,
    ),
    emotions={
        "01": "neutral", "03": "happy", "04": "sad", "05": "anger", "06": "fear", "07": "disgust",
        "08": "surprise",
    },
    profile=TemporalProfile.SPOKEN,
    frames=3,
)  # fmt: skip

MEAD = DataSet(
    name="mead",
    title="MEAD",
    contents="films of 60 actors (48 are out) who speak, eight emotions at three levels; here from "
    "the front, 1920 x 1080 px",
    licence="research",
    terms=_TERMS,
    weights="non-commercial research",
    source="https://wywu.github.io/projects/MEAD/MEAD.html",
    obtain="unpack the actors' folders, each with its video",
    example="M003/video/front/angry/level_1/001.mp4",
    files=(
        r"(?P<person>[MW]\d{3})/(?:video/)?front/(?P<emotion>[a-z]+)/(?P<take>level_\d/\d{3})"
        + FILM,
    ),
    emotions={
        "angry": "anger", "contempt": "contempt", "disgusted": "disgust", "fear": "fear",
        "happy": "happy", "neutral": "neutral", "surprised": "surprise", "sad": "sad",
    },
    profile=TemporalProfile.SPOKEN,
    frames=3,
)  # fmt: skip

SETS = (CK_PLUS, OULU_CASIA, MUG, MMI, RAVDESS, MEAD)
