"""The live page's one document, and what its browser is allowed to do: nothing but ask this server."""

from __future__ import annotations

import base64
import functools
import hashlib

from .script import SCRIPT
from .style import STYLE

BODY = """
<header>
<h1 id="title">tinycnn</h1>
<p class="state"><span id="status" class="pill">connecting</span> <span id="sentence" role="status" aria-live="polite"></span></p>
<p class="numbers" id="numbers"></p>
</header>
<div class="bar">
<button id="pause" class="main" aria-keyshortcuts="Space">Pause</button>
<button id="step" aria-keyshortcuts="s">One step</button>
<a id="snapshot" class="button" download>Snapshot</a>
<span class="settings" id="settings"></span>
<span id="said" role="status" aria-live="polite"></span>
</div>
<section class="curves">
<figure><figcaption>Loss <span class="key train">training step</span> <span class="key test">test, an epoch</span>
<label><input type="checkbox" id="log"> logarithmic</label></figcaption><canvas id="loss" aria-label="curve of the loss"></canvas></figure>
<figure><figcaption>Accuracy <span class="key train">training step</span> <span class="key test">test, an epoch</span></figcaption>
<canvas id="accuracy" aria-label="curve of the accuracy"></canvas></figure>
<figure><figcaption>Learning rate of each step</figcaption><canvas id="rate" aria-label="curve of the learning rate"></canvas></figure>
</section>
<section><h2>Health</h2><div id="findings"><p class="soft">The first measured step is still to come.</p></div></section>
<section><h2>What it says of an image</h2>
<div class="looking"><figure id="current"><canvas></canvas><figcaption></figcaption></figure><div id="bars"></div>
<label class="drop" id="drop" for="file"><b>Drop a picture here</b><span class="soft">or choose a file: the network is asked at once</span>
<input type="file" id="file" accept="image/png,image/jpeg,image/gif,image/webp,image/bmp"></label></div>
<div id="gallery" role="group" aria-label="test images"></div></section>
<section><h2>Layers at a glance</h2><div class="wide"><table id="table"></table></div>
<p class="soft" id="rule">Rule of thumb: a step changes weights by about 0.001 of their size.</p></section>
<section><h2>Layer by layer</h2><p class="soft" id="when"></p><div id="layers"></div></section>
<footer><kbd>Space</kbd> pauses and goes on, <kbd>S</kbd> takes one step, <kbd>&#8592;</kbd> <kbd>&#8594;</kbd> change the image.
Activations are those of the image above; gradients are those of the last measured step. Settings changed here hold until they are given back; a
snapshot is a checkpoint that <code>tinycnn predict --model FILE</code> reads. Served by this machine to this machine; nothing leaves it.</footer>
"""


def _digest(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


# Only this script and this style run, and they may talk to nobody else.
SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        f"script-src {_digest(SCRIPT)}",
        f"style-src {_digest(STYLE)}",
        "img-src data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)


@functools.cache
def document() -> str:
    """The page; what it shows it asks for."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>tinycnn, live</title><style>{STYLE}</style></head>'
        f"<body><main>{BODY}</main><script>{SCRIPT}</script></body></html>\n"
    )
