"""The live page: a watcher that shows a run to every browser tab that asks, and lets them change it between steps.

Two kinds of threads meet here. The training thread calls the watcher's methods, takes measurements and publishes them as finished objects; the
server's threads read what was published last. Whatever needs the model, such as asking it about a dropped picture, is left as a job that the
training thread does between two steps, so that it never waits for a browser and a browser never sees half a step.
"""

from __future__ import annotations

import copy
import json
import queue
import re
import tempfile
import threading
import time
import urllib.parse
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from ...errors import DataError
from ..checkpoint import Checkpoint, save_checkpoint
from ..evaluate import as_batch
from ..run import Run
from ..watcher import Watcher
from .controls import SETTINGS, Controls, Overrides
from .curves import Curve
from .document import SECURITY_POLICY, document
from .dropped import Fit, as_input
from .pictures import image_picture, plain
from .server import Answer, Busy, LiveServer
from .sight import GALLERY, Sampler, look

EVERY = 0.5  # seconds between two samples of the layers
SHARE, LONGEST = 0.05, 10.0  # of the time that samples may take; seconds between two of them at most, however long they take
LISTENS = 3.0  # seconds after its last question a tab counts as closed
PATIENCE = 15.0  # seconds a request waits for the training thread
FAREWELL = 1.5  # seconds in which open tabs hear that the run is over

T = TypeVar("T")


class LivePage(Watcher):
    """Serves a page on 127.0.0.1 that shows a run while it learns; hand it to `train` as `watcher=`.

    Parameters
    ----------
    port : int, optional
        To listen on; the first free one from 8765 up if left out, any free one if 0.
    fit : function, optional
        Makes a dropped picture (a Pillow image) the pixels (H, W) or (H, W, 3), 0 to 255, of the network's size, and lists what it did;
        scaling if left out.
    title : str, optional
        Of the page; model and data of the run if left out.
    paused : bool
        Wait before the first step until a tab lets the run go on.

    Attributes
    ----------
    url : str
        The address with its token, without which nobody is answered.

    Raises
    ------
    UsageError
        When the port is taken, naming the next free one.

    Notes
    -----
    Layers are measured at most twice a second, and only while a tab is open. A run that nobody changes has the same bits with and without its page.
    What is changed on the page is neither in the checkpoint nor in the config: it holds as long as this page.

    Examples
    --------
    >>> with LivePage(port=0) as page:  # train(*prepared, config, watcher=page)
    ...     page.url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(self, port: int | None = None, *, fit: Fit | None = None, title: str | None = None, paused: bool = False) -> None:
        self._fit, self._title, self._begins_paused = fit, title or "", paused
        routes: dict[tuple[str, str], Callable[[bytes], Answer]] = {
            ("GET", ""): self._page,
            ("GET", "state"): self._state,
            ("GET", "snapshot"): self._snapshot,
            ("POST", "control"): self._control,
            ("POST", "image"): self._image,
        }
        self._server = LiveServer(routes, port)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="tinycnn live page", daemon=True)
        self._jobs: queue.Queue[tuple[Future[Any], Callable[[], Any]]] = queue.Queue(maxsize=16)
        self._decoding = threading.Lock()
        self._said: deque[str] = deque()
        self._status, self._sentence = "starting", "The first step has not been taken yet."
        self._heard = -LISTENS  # when a tab asked last
        self._closed = False
        self._run: Run | None = None
        self._frame = 0
        self._seen: dict[str, Any] = {}
        self._look_wanted = False
        self._dropped: np.ndarray | None = None
        self._step_ms = 0.0
        self._cost = 0.0  # seconds that the last sample took
        self._texts: dict[str, tuple[int, str]] = {}

    @property
    def url(self) -> str:
        """The address to open."""
        return self._server.url

    @property
    def listening(self) -> bool:
        """Whether a tab has asked lately."""
        return time.monotonic() - self._heard < LISTENS

    @property
    def ended_by_itself(self) -> bool:
        """Whether the run is over and nobody stopped it."""
        return self._status == "ended" and not self._stopping()

    # Its life

    def __enter__(self) -> LivePage:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if error is not None:
                self._status, self._sentence = "failed", f"The training has failed: {error or type(error).__name__}"
            if self.listening and self._run is not None:
                time.sleep(FAREWELL)
        finally:
            self.close()

    def close(self) -> None:
        """Stop listening and let go of the port; a training that pauses goes on."""
        self._closed = True
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        if self._run is not None:
            with self._controls.changed:
                self._controls.changed.notify_all()

    def hold(self) -> None:
        """Keep answering until Ctrl-C."""
        try:
            while not self._closed and self._run is not None:
                self._serve()
                with self._controls.changed:
                    self._controls.changed.wait(0.1)
        except KeyboardInterrupt:
            pass

    # What the loop calls, in the training thread

    def begin(self, run: Run, test_loader: Any, stopping: Callable[[], bool]) -> None:
        """Take the gallery's images and what a resumed run already knows."""
        # A copy, as a loop left early uses up an epoch of the loader.
        images, labels = as_batch(next(iter(copy.copy(test_loader))))
        chosen = _one_of_each(labels.data)
        self._gallery, self._labels = images.data[chosen].copy(), labels.data[chosen].tolist()
        self._controls = Controls(Overrides(run.optimizer), len(chosen))
        self._controls.paused = self._begins_paused
        self._sampler = Sampler(run.model)
        self._stopping = stopping
        self._curves = {"loss": Curve(), "accuracy": Curve(), "rate": Curve()}
        for loss, rate in zip(run.losses, run.rates, strict=True):
            self._curves["loss"].add(loss)
            self._curves["rate"].add(rate)
            self._curves["accuracy"].add(float("nan"))
        self._sums = dict(run.sums)
        info = run.run_info
        self._classes = [str(name) for name in info.get("classes") or []]
        self._mean, self._deviation = info.get("mean"), info.get("std")
        if not self._title:
            names = [Path(str(info[key])).name for key in ("model", "data") if info.get(key)]
            self._title = " on ".join(names) or type(run.model).__name__
        self._sampled = -EVERY
        self._status, self._sentence = "learning", ""
        self._run = run

    def before_step(self) -> None:
        """Do what the tabs asked for, wait while they pause, and attach the probe where a sample is due."""
        run = self._known_run()
        self._serve()
        single = self._wait(run)
        now = time.monotonic()
        if single or (self.listening and now - self._sampled >= max(EVERY, min(self._cost / SHARE, LONGEST))):
            self._sampled = now
            self._sampler.begin()
        self._step_began = time.perf_counter()

    def before_update(self) -> None:
        """Measure gradients against the old weights; set what the page has changed."""
        self._sampler.measure()
        self._controls.overrides.write()
        self._rate = float(self._known_run().optimizer.param_groups[0]["lr"])

    def after_update(self) -> None:
        """Give the optimiser back to its schedule."""
        self._controls.overrides.restore()
        self._sampler.measure_update()

    def after_step(self) -> None:
        """Put the step on the curves and publish the sample."""
        run = self._known_run()
        elapsed = 1000 * (time.perf_counter() - self._step_began)
        self._curves["loss"].add(run.losses[-1])
        self._curves["rate"].add(self._rate)
        self._curves["accuracy"].add(self._batch_accuracy(run))
        if self._sampler.active:
            self._seen = {**self._seen, **self._sampler.finish(run), "step": len(run.losses)}
            self._refresh()
            self._cost = time.perf_counter() - self._step_began - self._step_ms / 1000
        else:
            self._step_ms = elapsed if not self._step_ms else 0.9 * self._step_ms + 0.1 * elapsed

    def after_epoch(self) -> None:
        """The epoch's sums begin anew."""
        self._sums = dict(self._known_run().sums)

    def end(self) -> None:
        """Say how the run ended."""
        run = self._known_run()
        self._sampler.cancel()
        self._refresh()
        self._status = "ended"
        steps = f"{len(run.losses):,} step{'s' if len(run.losses) != 1 else ''}"
        if self._stopping():
            self._sentence = f"Stopped after {steps}" + ("; everything is saved." if run.folder else ".")
            return
        rows = run.log.epochs
        result = f"; test accuracy {100 * rows[-1]['test_accuracy']:.2f} %" if rows else ""
        self._sentence = f"The training has ended after {steps}{result}."

    def _known_run(self) -> Run:
        assert self._run is not None, "the loop calls begin first"
        return self._run

    def _wait(self, run: Run) -> bool:
        """Stand still while a tab pauses; whether the step to come is a single one."""
        began, controls = time.perf_counter(), self._controls
        waited = False
        while True:
            with controls.changed:
                if self._closed or self._stopping():
                    break
                if controls.may_step():
                    break
                waited = True
                self._status, self._sentence = "paused", f"Paused after step {len(run.losses):,}."
                controls.changed.wait(0.1)
            self._serve()
        if waited:
            run.leave_out(time.perf_counter() - began)
        self._status, self._sentence = "learning", ""
        return controls.paused

    def _serve(self) -> None:
        """Do the jobs that the server's threads left, and say what was changed."""
        run = self._known_run()
        while self._said:
            run.progress.say(f"live page, after step {len(run.losses):,}: {self._said.popleft()}")
        while True:
            try:
                future, work = self._jobs.get_nowait()
            except queue.Empty:
                break
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except Exception as error:  # it belongs to whoever asked
                    future.set_exception(error)
        if self._look_wanted and self._status != "learning":
            self._refresh()

    def _refresh(self) -> None:
        """Ask the network about the gallery and the image that is looked at, and publish it."""
        self._look_wanted = False
        image = self._controls.image
        current = self._dropped if image is None and self._dropped is not None else self._gallery[image or 0]
        found = look(self._known_run().model, current, self._gallery)
        self._seen = {**self._seen, **found, "image": image}
        self._frame += 1

    def _batch_accuracy(self, run: Run) -> float:
        """Of the batches since the last step, by what was added to the epoch's sums."""
        images = run.sums["images"] - self._sums["images"]
        right = run.sums["correct"] - self._sums["correct"]
        self._sums = dict(run.sums)
        return right / images if images > 0 else float("nan")

    # What the server's threads call

    def _ask(self, work: Callable[[], T]) -> T:
        """Have the training thread do something between two steps."""
        if self._run is None:
            raise Busy("the training has not begun yet; try again in a moment")
        future: Future[T] = Future()
        try:
            self._jobs.put_nowait((future, work))
            with self._controls.changed:
                self._controls.changed.notify_all()
            return future.result(PATIENCE)
        except queue.Full:
            raise Busy("too many requests wait for the training already; try again in a moment") from None
        except (FutureTimeout, CancelledError):
            future.cancel()
            raise Busy("the training is busy with something longer, such as measuring on the test images; try again in a moment") from None

    def _page(self, query: bytes) -> Answer:
        return 200, "text/html; charset=utf-8", document().encode(), {"Content-Security-Policy": SECURITY_POLICY}

    def _state(self, query: bytes) -> Answer:
        self._heard = time.monotonic()
        asked = urllib.parse.parse_qs(query.decode("ascii", "replace")).get("since", [""])[0]
        since = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 12 else None
        said = self._describe(since)
        # What is long is turned into text once, however many tabs ask.
        if self._run is not None:
            steps, frame = len(self._run.losses), self._frame
            long = [self._text("curves", steps, lambda: {name: curve.points() for name, curve in self._curves.items()})]
            if frame and since != frame:
                long.append(self._text("seen", frame, lambda: self._seen))
            return _json(said, *long)
        return _json(said)

    def _text(self, name: str, version: int, make: Callable[[], Any]) -> str:
        """A part of the state as JSON, made anew only when its version is another one."""
        kept = self._texts.get(name)
        if kept is None or kept[0] != version:
            kept = self._texts[name] = (version, f'"{name}":' + json.dumps(plain(make()), separators=(",", ":")))
        return kept[1]

    def _describe(self, since: int | None) -> dict[str, Any]:
        """The state as the page draws it; layers only where they are newer than the frame that the tab has, the gallery only at first."""
        said: dict[str, Any] = {"status": self._status, "sentence": self._sentence, "title": self._title}
        run = self._run
        if run is None:
            return said
        config, rows, frame = run.config, run.log.epochs, self._frame
        overrides = self._controls.overrides
        said |= {
            "step": len(run.losses),
            "epoch": min(run.epoch + 1, config.epochs),
            "epochs": config.epochs,
            "batch": run.step,
            "batches": run.progress.steps_per_epoch,
            "step_ms": self._step_ms,
            "settings": {name: {"planned": overrides.now(name), "page": overrides.values.get(name)} for name in SETTINGS},
            "rows": _rows(rows),
            "classes": self._classes,
            "frame": frame,
        }
        if since is None or since > frame:
            pictures = [image_picture(image, self._mean, self._deviation) for image in self._gallery]
            said["gallery"] = [{"picture": picture, "label": label} for picture, label in zip(pictures, self._labels, strict=True)]
        if frame and since != frame and self._dropped is not None:
            said["dropped"] = image_picture(self._dropped, self._mean, self._deviation)
        return said

    def _control(self, body: bytes) -> Answer:
        if self._run is None:
            raise Busy("the training has not begun yet; try again in a moment")
        said = self._controls.accept(body)
        self._look_wanted = True
        self._said += [each for each in said if ":" in each]
        return _json({"said": "; ".join(said)})

    def _image(self, body: bytes) -> Answer:
        if self._run is None:
            raise Busy("the training has not begun yet; try again in a moment")
        if not self._decoding.acquire(blocking=False):
            raise Busy("another picture is being read; try again in a moment")
        try:
            array, notes = as_input(body, self._gallery.shape[1:], self._mean, self._deviation, self._fit)
        finally:
            self._decoding.release()
        return _json({**self._ask(lambda: self._take_picture(array)), "notes": notes})

    def _take_picture(self, image: np.ndarray) -> dict[str, Any]:
        self._dropped, self._controls.image = image, None
        self._refresh()
        return {"probabilities": self._seen["current"]}

    def _snapshot(self, query: bytes) -> Answer:
        checkpoint, name = self._ask(self._copy_of_run)
        with tempfile.TemporaryDirectory(prefix="tinycnn-snapshot-") as folder:
            data = save_checkpoint(Path(folder) / "snapshot.npz", checkpoint).read_bytes()
        return 200, "application/octet-stream", data, {"Content-Disposition": f'attachment; filename="{name}"'}

    def _copy_of_run(self) -> tuple[Checkpoint, str]:
        run = self._known_run()
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", str(run.run_info.get("model", type(run.model).__name__)))[:40]
        return copy.deepcopy(run.checkpoint()), f"{stem}-step-{len(run.losses)}.npz"


def _json(value: dict[str, Any], *parts: str) -> Answer:
    """An object, with members that are text already added at its end."""
    text = json.dumps(plain(value), separators=(",", ":"))
    return 200, "application/json", ",".join([text[:-1], *parts]).encode() + b"}", {}


def _rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = ("epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy")
    return [{name: row[name] for name in names} for row in rows]


def _one_of_each(labels: np.ndarray) -> np.ndarray:
    """Places of the gallery's images: the first of each class, then whatever comes."""
    if not len(labels):
        raise DataError("the live page needs test images; the test loader yields none")
    classes = labels if labels.ndim == 1 else labels.argmax(1)
    _, first = np.unique(classes, return_index=True)
    order = [*first[:GALLERY].tolist(), *(place for place in range(len(labels)) if place not in set(first.tolist()))]
    return np.array(order[:GALLERY])
