"""Sets of photographs of posed expressions, for research: labels are in the files' names."""

from __future__ import annotations

from mien.data.adapters.base import FILM, PICTURE, DataSet
from mien.data.sequences import TemporalProfile

_TERMS = "your own research under the agreement that you signed"

RAFD = DataSet(
    name="rafd",
    title="Radboud Faces Database",
    contents="67 people, eight emotions, three gazes; here heads to 45 degrees, 681 x 1024 px",
    licence="non-commercial research, by application",
    terms=_TERMS,
    weights="non-commercial research",
    source="https://rafd.socsci.ru.nl",
    obtain="unpack the download, as many folders as it has",
    example="Rafd090_01_Caucasian_female_angry_frontal.jpg",
    files=(
        r"Rafd(?P<angle>045|090|135)_(?P<person>\d+)_[a-z]+_(?:fe)?male_(?P<emotion>[a-z]+)_"
        r"(?:frontal|left|right)\.jpg",
    ),
    emotions={
        "angry": "anger", "contemptuous": "contempt", "disgusted": "disgust", "fearful": "fear",
        "happy": "happy", "neutral": "neutral", "sad": "sad", "surprised": "surprise",
    },
)  # fmt: skip

KDEF = DataSet(
    name="kdef",
    title="Karolinska Directed Emotional Faces",
    contents="70 people, seven emotions, two sessions; here heads to 45 degrees, 562 x 762 px",
    licence="non-commercial research",
    terms=_TERMS,
    weights="non-commercial research",
    source="https://kdef.se",
    obtain="unpack KDEF_and_AKDEF.zip",
    example="KDEF/AF01/AF01AFS.JPG",
    files=(r"(?:[^/]+/)?[AB](?P<person>[FM]\d\d)(?P<emotion>A[FN]|DI|HA|NE|SA|SU)(?:S|HL|HR)\.JPG",),
    emotions={
        "af": "fear", "an": "anger", "di": "disgust", "ha": "happy", "ne": "neutral", "sa": "sad",
        "su": "surprise",
    },
)  # fmt: skip

CFD = DataSet(
    name="cfd",
    title="Chicago Face Database, with CFD-MR and CFD-INDIA",
    contents="827 people neutral, 158 also happy, angry and fearful, 2444 x 1718 px",
    licence="non-commercial research, by application",
    terms=_TERMS,
    weights="non-commercial research",
    source="https://www.chicagofaces.org",
    obtain="unpack the download",
    example="Images/CFD/BF-001/CFD-BF-001-025-N.jpg",
    files=(r"(?:[^/]+/)*CFD-(?P<person>[A-Z]{2}-\d{3})-\d{3}-(?P<emotion>N|HO|HC|A|F)" + PICTURE,),
    emotions={"n": "neutral", "ho": "happy", "hc": "happy", "a": "anger", "f": "fear"},
)

NIMSTIM = DataSet(
    name="nimstim",
    title="NimStim Set of Facial Expressions",
    contents="43 people, seven emotions and calm, mouth open and closed",
    licence="research, by application",
    terms=_TERMS,
    weights="non-commercial research",
    source="https://danlab.psychology.columbia.edu/content/nimstim-set-facial-expressions",
    obtain="unpack the download",
    example="01F_AN_C.BMP",
    files=(r"(?P<person>\d\d[FM])_(?P<emotion>[A-Z]{2})_[OCX]" + PICTURE,),
    emotions={
        "an": "anger", "di": "disgust", "fe": "fear", "ha": "happy", "ne": "neutral", "sa": "sad",
        "sp": "surprise", "su": "surprise",
    },
)  # fmt: skip

FACES = DataSet(
    name="faces",
    title="FACES",
    contents="171 people, young, middle-aged and old, six emotions, two pictures of each",
    licence="registered research use",
    terms=_TERMS,
    weights="non-commercial research",
    source="https://faces.mpdl.mpg.de",
    obtain="unpack the download",
    example="004_o_m_a_a.jpg",
    files=(r"(?P<person>\d{3})_[ymo]_[mf]_(?P<emotion>[adfhns])_[ab]\.jpg",),
    emotions={
        "a": "anger", "d": "disgust", "f": "fear", "h": "happy", "n": "neutral", "s": "sad",
    },
)  # fmt: skip

JAFFE = DataSet(
    name="jaffe",
    title="Japanese Female Facial Expression",
    contents="ten women, seven emotions, 213 grey pictures of 256 px",
    licence="non-commercial research",
    terms=_TERMS,
    weights="non-commercial research",
    source="https://doi.org/10.5281/zenodo.3451524",
    obtain="unpack the download",
    example="KA.AN1.39.tiff",
    files=(r"(?P<person>[A-Z]{2})\.(?P<emotion>[A-Z]{2})\d\.\d+" + PICTURE,),
    emotions={
        "an": "anger", "di": "disgust", "fe": "fear", "ha": "happy", "ne": "neutral", "sa": "sad",
        "su": "surprise",
    },
)  # fmt: skip

ADFES = DataSet(
    name="adfes",
    title="Amsterdam Dynamic Facial Expression Set",
    contents="22 people, seven emotions of ours, pride and embarrassment; films from rest to peak, "
    "pictures of the peak; here those that face forward, 720 x 576 px",
    licence="academic research, by application",
    terms=_TERMS,
    weights="non-commercial research",
    source="https://aice.uva.nl/research-tools/adfes-stimulus-set/adfes-stimulus-set.html",
    obtain="unpack the download",
    example="F01-Joy-Face Forward.mpg",
    files=(
        r"(?P<person>[FM]\d\d)-(?P<emotion>[A-Za-z]+)-Face Forward" + PICTURE,
        r"(?P<person>[FM]\d\d)-(?P<emotion>[A-Za-z]+)-Face Forward" + FILM,
    ),
    emotions={
        "anger": "anger", "contempt": "contempt", "disgust": "disgust", "fear": "fear",
        "joy": "happy", "neutral": "neutral", "sadness": "sad", "surprise": "surprise",
    },
    profile=TemporalProfile.POSED,
)  # fmt: skip

SETS = (RAFD, KDEF, CFD, NIMSTIM, FACES, JAFFE, ADFES)
