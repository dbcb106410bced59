"""The options and the life of the live page that `tinycnn train --live` serves."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import UsageError
from .common import Console, whole_number


def add_live_options(parser: argparse.ArgumentParser) -> None:
    """--live, --port, --open, --paused and --hold."""
    parser.add_argument("--live", action="store_true", help="serve a page on 127.0.0.1 that shows the run while it learns, and lets you change it")
    parser.add_argument("--port", type=whole_number(0), metavar="N", help="of the live page (default: the first free one from 8765 up)")
    parser.add_argument("--open", action="store_true", help="open the live page in the browser")
    parser.add_argument("--paused", action="store_true", help="wait before the first step until the live page lets the run go on")
    parser.add_argument("--hold", action="store_true", help="keep serving the live page after the training, until Ctrl-C")


@contextmanager
def live_page(arguments: argparse.Namespace, console: Console, info: dict[str, Any]) -> Iterator[Any]:
    """The page as a watcher of the training inside the block; None where nobody asked for it."""
    if not arguments.live:
        for option in ("port", "open", "paused", "hold"):
            if getattr(arguments, option) not in (None, False):
                raise UsageError(f"--{option} goes with --live; add it")
        yield None
        return
    from ..train.live import LivePage
    from .predict import prepare

    page = LivePage(arguments.port, fit=lambda picture: prepare(picture, info), paused=arguments.paused)
    with page:
        console.say(f"live page: {page.url}")
        if arguments.open:
            import webbrowser

            webbrowser.open(page.url)
        yield page
        if arguments.hold and page.ended_by_itself:
            console.say(f"the live page stays until Ctrl-C: {page.url}")
            page.hold()
