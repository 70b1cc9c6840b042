"""What a method answers to what one photograph in the studio was asked for: kept, so that a step
back costs only the pasting."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from mien.editor import Draft, Editor
from mien.guides import ExpressionSpec, Label
from mien.images import Photo
from mien.methods.registry import MODEL, with_head
from mien.server.wish import Wish
from mien.types import AlignedFace, Face, Faces, Float

LIVE_FACE = 256
"""Side, px, at which a face is drawn while a slider is moved, at most."""
_KEPT = 24  # drafts of one photograph: 4 to 30 MB each, by the size of the face
_KEPT_CROPS = 4  # of one photograph: 15 MB each, at most


class Drafts:
    """Of the faces of one photograph, counted as they are given. Used by one thread."""

    def __init__(self, photo: Photo, faces: Sequence[Face]) -> None:
        self._photo, self._faces = photo, faces
        self._made: OrderedDict[tuple[object, ...], Draft] = OrderedDict()
        self._crops: OrderedDict[tuple[object, ...], tuple[AlignedFace, Faces[Float]]] = (
            OrderedDict()
        )

    def full(self, editor: Editor, face: int, wish: Wish) -> Draft:
        """What makes a face show a wish, at the face's own size."""
        return self.labels(editor, face, [wish])[0]

    def live(self, editor: Editor, face: int, wish: Wish) -> Draft:
        """The same drawn at `LIVE_FACE`, unless it is there in full. Not kept: a slider hardly
        stands twice where it stood."""
        named = _named(editor, face, wish)
        if named in self._made:
            return self._made[named]
        crop = self._crop(editor, face)
        draft = editor.draft_of(*crop, wish.guide, wish.intensity, LIVE_FACE)
        if draft.head != MODEL:  # a network has one size
            self._made[named] = draft
            self._forget()
        return draft

    def labels(self, editor: Editor, face: int, wishes: Sequence[Wish]) -> list[Draft]:
        """What makes a face show each of several wishes; those that are labels, and were not asked
        for yet, all at once."""
        new = [w for w in wishes if _named(editor, face, w) not in self._made]
        labels = [w for w in new if w.spec.to and w.spec == ExpressionSpec(to=w.spec.to)]
        if len(labels) > 1:
            guide = Label([str(w.spec.to) for w in labels])
            crowd = [self._faces[face]] * len(labels)
            drafts = editor.draft(self._photo, crowd, guide, labels[0].intensity)
            self._made.update(
                (_named(editor, face, w), d) for w, d in zip(labels, drafts, strict=True)
            )
        for wish in new if len(labels) <= 1 else ():
            made = editor.draft_of(*self._crop(editor, face), wish.guide, wish.intensity)
            self._made[_named(editor, face, wish)] = made
        drafts = [self._made[_named(editor, face, w)] for w in wishes]
        self._forget()
        return drafts

    def _forget(self) -> None:
        while len(self._made) > _KEPT:
            self._made.popitem(last=False)

    def _crop(self, editor: Editor, face: int) -> tuple[AlignedFace, Faces[Float]]:
        """A face as a method gets it, as a crop and as a batch."""
        named = with_head(editor.method), face
        if named not in self._crops:
            crop = editor.crop(self._photo.pixels, self._faces[face])
            self._crops[named] = crop, Faces.stack([crop])
        self._crops.move_to_end(named)
        while len(self._crops) > _KEPT_CROPS:
            self._crops.popitem(last=False)
        return self._crops[named]


def _named(editor: Editor, face: int, wish: Wish) -> tuple[object, ...]:
    return with_head(editor.method), face, wish.key
