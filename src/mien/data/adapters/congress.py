"""Official portraits of members of the US Congress, from the repository `unitedstates/images`.

Original layout: `congress/225x275/<Bioguide id>.jpg`; the id is the person. Most smile, nobody has
said who does, so the emotion is unknown.
"""

from __future__ import annotations

from mien.data.adapters.base import DataSet

DATASET = DataSet(
    name="congress",
    title="Official portraits, US Congress",
    contents="named persons, mostly smiling, varied light, 225 x 275 px",
    licence="public domain (US government work)",
    terms="training and measuring only; never publish edited pictures",
    weights="any use",
    source="https://github.com/unitedstates/images",
    obtain="take the folder congress/225x275 of the GitHub repository unitedstates/images",
    example="A000022.jpg",
    files=(r"(?:(?:congress/)?225x275/)?(?P<person>[A-Z]\d{6})\.jpg",),
    anywhere=False,
    shipped=True,
)
