"""What the studio's tabs are built from: fields, mien's own pictures, and how an event fails."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import math
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr

from mien.errors import MienError
from mien.images import UPLOADED
from mien.web import views
from mien.web.answers import Refused
from mien.web.making import Making
from mien.web.visitors import ending

STEP: dict[str, Any] = {
    "api_visibility": "private",
    "show_progress": "hidden",
    "queue": False,
    "trigger_mode": "multiple",
}
"""How Gradio sends an event: at once and always. `static/order.js` puts them in order; Gradio's own
queue has none across events, and an answer of it may wait for the next event to be delivered.
"""

_TICK = 0.4  # s between two looks at how far something is
T = TypeVar("T")


def html(value: str, name: str, *scripts: str) -> gr.HTML:
    """A part of the page that mien draws itself (`views`), with the id `name`; scripts of
    `static/` run for it after `studio.js`.
    """
    code = "\n".join(views.script(script) for script in ("studio.js", *scripts))
    return gr.HTML(value, elem_id=name, apply_default_css=False, js_on_load=code)


@contextlib.contextmanager
def fold(title: str, name: str) -> Iterator[None]:
    """Fields that a button opens and closes. Gradio's own accordion builds its fields when it is
    opened, and a frame later sets them to what they were at before: what was moved in between is
    lost. These are there from the start, as are those of tabs with `render_children`.
    """
    button = f'<button type="button" aria-expanded="false" aria-controls="{name}">{escape(title)}'
    html(f'<h3 class="mien-fold">{button}</button></h3>', f"{name}-title", "fold.js")
    with gr.Column(elem_id=name, elem_classes="mien-folded"):
        yield


def drop(
    label: str, name: str, types: Sequence[str] = UPLOADED, height: int = 84, *, many: bool = False
) -> gr.File:
    """A field for a file of these suffixes, or `many`; what it really is, is judged when it is
    there.
    """
    return gr.File(
        label=label, file_types=list(types), height=height, elem_id=name, elem_classes="mien-drop",
        file_count="multiple" if many else "single",
    )  # fmt: skip


def methods(choices: Sequence[tuple[str, str]], name: str) -> gr.Dropdown:
    """What reads and draws, in words (`Workshop.choices`), the default first; where there is but
    one, nothing is to be chosen."""
    return gr.Dropdown(
        list(choices), value=choices[0][1], label="What reads the expression and draws the face",
        elem_id=name, interactive=len(choices) > 1,
    )  # fmt: skip


def sent(path: str | None) -> Path:
    """The file of an upload; Refused when there is none, or none any more."""
    if path is None or not Path(path).is_file():
        raise Refused(410, "gone", "the file is no longer here: send it again")
    return Path(path)


def taken(path: str) -> tuple[bytes, str]:
    """The bytes of an upload and its name; the file goes at once."""
    file = sent(path)
    data = file.read_bytes()
    file.unlink(missing_ok=True)
    return data, file.stem[:40] or "photo"


def index(event: Any, name: str = "guest") -> int:
    """The number of what was clicked on; Refused for what the page would not send."""
    text = str(getattr(event, name, ""))
    if not (text.isascii() and text.isdecimal() and len(text) < 4):
        raise Refused(422, "bad_request", "there is no such face")
    return int(text)


def or_mistake(
    event: Callable[..., Coroutine[Any, Any, T]],
) -> Callable[..., Coroutine[Any, Any, T]]:
    """An event whose failures the user sees as one line."""

    @functools.wraps(event)
    async def handled(*args: Any, **kwargs: Any) -> T:
        try:
            return await event(*args, **kwargs)
        except (MienError, Refused) as error:
            raise failure(error) from None
        except asyncio.CancelledError:  # the server ends; Gradio would take this for a bug
            raise failure(ending()) from None

    return handled


async def watched(
    making: Making, what: str, begun: str, stopping: str
) -> AsyncGenerator[list[Any], None]:
    """Until something that is being made has ended, what the page shows of it: a bar, counting so
    many of `what`; the status, once `begun` and once it is no longer wanted `stopping`; its stop
    button; nothing of the result. Whatever stops it leaves the status to this: an answer of its own
    could come after the end, and stay. Nobody who looks any more: it is stopped.
    """
    said = ""
    try:
        while not making.ended:
            now = begun if making.wanted else stopping
            status = gr.skip() if now == said else views.status(now)
            said = now
            yield [progress(making, what), status, gr.update(interactive=True), gr.skip()]
            await asyncio.sleep(_TICK)
    finally:
        if not making.ended:
            making.wanted = False


def progress(making: Making | None, what: str) -> str:
    """A bar with the time left, while something is being made: so many of `what`."""
    if making is None or making.ended:
        return ""
    done, total = making.done, making.total
    said = f"{what} {min(done, total) or done} of {total}" if total else f"{what} {done}"
    left = making.left
    if left is not None:
        said += f", {_time(left)} left"
    value = f' value="{min(done, total)}" max="{total}"' if done and total else ""
    name = f"making-{what.lower()}"
    return (
        f'<div class="mien-progress"><label for="{name}">'
        f'{said}</label><progress id="{name}"{value}></progress></div>'
    )


def _time(seconds: float) -> str:
    whole = math.ceil(seconds)
    return f"{whole} s" if whole < 90 else f"{round(whole / 60)} min"


def failure(error: MienError | Refused) -> gr.Error:
    """A mistake as the page shows it."""
    return gr.Error(str(error), duration=12, print_exception=False)
