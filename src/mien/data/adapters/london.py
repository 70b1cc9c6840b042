"""Face Research Lab London Set: DeBruine & Jones (2017), doi 10.6084/m9.figshare.5047666.

Original layout: `neutral_front/NNN_03.jpg` and `smiling_front/NNN_08.jpg`, each with a `.tem` of
189 hand-checked points beside it; NNN is the person. One of the two folders may be absent.
"""

from __future__ import annotations

from mien.data.adapters.base import DataSet

DATASET = DataSet(
    name="london",
    title="Face Research Lab London Set",
    contents="102 adults, neutral and smiling, frontal, 1350 px",
    licence="CC-BY-4.0",
    terms="training, evaluation, pictures in documentation (name the source)",
    weights="any use",
    source="https://doi.org/10.6084/m9.figshare.5047666",
    obtain="unpack neutral_front.zip and smiling_front.zip of the figshare download side by side",
    example="neutral_front/003_03.jpg",
    files=(
        r"(?P<emotion>neutral)_front/(?P<person>[^/]+)_03\.jpg",
        r"(?P<emotion>smiling)_front/(?P<person>[^/]+)_08\.jpg",
    ),
    anywhere=False,
    emotions={"neutral": "neutral", "smiling": "happy"},
    shipped=True,
    points=True,
    alterable=True,
)
