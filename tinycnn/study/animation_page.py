"""An animation as one self-contained page: play and pause, arrow keys, a slider; print shows a sheet of all frames."""

from __future__ import annotations

import html
from typing import Any

from .animation import Animation
from .animation_layout import BOTTOM, LETTER, LINE_SIZE, layout_of, line_letters, wrapped
from .animation_svg import drawing, style
from .explain_page import STYLE
from .page import script_data

__all__ = ["notebook_frame", "page"]

PACES = ((400, "fast"), (900, "medium"), (2000, "slow"))  # milliseconds a step
OWN_STYLE = """
main { max-width: 1500px; }
.stage { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
.stage:focus-visible { outline: 3px solid var(--from); }
.stage svg { display: block; width: 100%; max-height: 82vh; }
.stage:fullscreen { border: 0; background: var(--paper); display: flex; align-items: center; }
.stage:fullscreen svg { max-height: 100vh; }
#at { flex: 1 1 12rem; min-width: 9rem; accent-color: var(--from); }
#said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
#sheet { display: none; }
ol.lines { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .9rem; overflow-wrap: anywhere; }
@media (max-width: 700px) { .stage svg { min-width: 620px; } #said { position: static; width: auto; height: auto; clip-path: none; font-size: 1.15rem;
  overflow-wrap: anywhere; } }
@media print { .stage, #said, details { display: none; } #sheet { display: grid; grid-template-columns: 1fr 1fr; gap: 4mm; }
  #sheet svg { width: 100%; border: 1px solid #999; break-inside: avoid; } main { max-width: none; padding: 0; } }
"""

SCRIPT = """
const film = JSON.parse(document.getElementById("data").textContent), frames = film.frames;
const svg = document.querySelector(".stage svg"), by = id => document.getElementById(id);
function cellsOf(root) {
  const found = new Map();
  root.querySelectorAll("g[data-at]").forEach(group => found.set(group.dataset.at, group));
  return found;
}
const cells = cellsOf(svg);
let now = 0, timer = 0;
function show(root, map, number) {
  const written = new Map();
  for (let each = 0; each <= number; each++) for (const [at, text] of frames[each].writes) written.set(at, text);
  const marks = new Map(frames[number].marks.map(([at, role, small]) => [at, [role, small]]));
  map.forEach((group, at) => {
    const [kind, text] = film.base[at], mark = marks.get(at);
    group.setAttribute("class", mark ? mark[0] : kind);
    group.querySelector(".number").textContent = written.has(at) ? written.get(at) : text;
    const small = group.querySelector(".small");
    if (small) {
      small.textContent = mark ? mark[1] : "";
      small.setAttribute("font-size", Math.min(film.cell * .3, .92 * film.cell / (film.letter * Math.max(small.textContent.length, 1))));
    }
    if (root === svg && mark) group.parentNode.append(group);  // thick borders lie above thin ones
  });
  root.querySelector(".count").textContent = (number + 1) + " / " + frames.length;
  const lines = root.querySelector(".lines"), rows = frames[number].rows;
  lines.replaceChildren(...rows.map((row, place) => {
    const text = document.createElementNS("http://www.w3.org/2000/svg", "text");
    text.setAttribute("class", "words line"); text.setAttribute("x", film.width / 2); text.setAttribute("text-anchor", "middle");
    text.setAttribute("y", film.height - film.bottom / 2 + 24 - (rows.length - 1) * 24 + 48 * place);
    text.setAttribute("font-size", film.size); text.textContent = row;
    return text;
  }));
}
function go(number) {
  now = Math.max(0, Math.min(frames.length - 1, number));
  show(svg, cells, now);
  by("at").value = now + 1; by("said").textContent = frames[now].line;
  by("where").textContent = "step " + (now + 1) + " of " + frames.length;
}
function pause() { clearTimeout(timer); timer = 0; by("play").textContent = "Play"; by("play").setAttribute("aria-pressed", "false"); }
function tick() {
  if (now + 1 >= frames.length) { pause(); return; }
  go(now + 1);
  timer = setTimeout(tick, Number(by("pace").value));
}
function play() {
  if (timer) { pause(); return; }
  if (now + 1 >= frames.length) go(0);
  by("play").textContent = "Pause"; by("play").setAttribute("aria-pressed", "true");
  timer = setTimeout(tick, Number(by("pace").value));
}
by("play").onclick = play;
by("back").onclick = () => { pause(); go(now - 1); };
by("on").onclick = () => { pause(); go(now + 1); };
by("at").oninput = () => { pause(); go(Number(by("at").value) - 1); };
by("full").onclick = () => document.fullscreenElement ? document.exitFullscreen() : document.querySelector(".stage").requestFullscreen();
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
  if (event.key === " " && event.target.tagName !== "BUTTON") { event.preventDefault(); play(); return; }
  const next = { ArrowRight: now + 1, ArrowLeft: now - 1, PageDown: now + 1, PageUp: now - 1, Home: 0, End: frames.length - 1 }[event.key];
  if (next !== undefined) { event.preventDefault(); pause(); go(next); }
});
addEventListener("beforeprint", () => {
  if (by("sheet").children.length) return;
  frames.forEach((frame, number) => { const copy = svg.cloneNode(true); by("sheet").append(copy); show(copy, cellsOf(copy), number); });
});
go((Number(location.hash.slice(1)) || 1) - 1);  // #5 in the address opens the fifth step
"""


def page(animation: Animation) -> str:
    """The page, which needs no network."""
    title = html.escape(animation.title)
    notes = "".join(f'<p class="lead">{html.escape(note)}</p>' for note in animation.notes)
    lines = "".join(f"<li>{html.escape(frame.line)}</li>" for frame in animation.frames)
    count = len(animation.frames)
    paces = "".join(f'<option value="{ms}"{" selected" if ms == 900 else ""}>{words}</option>' for ms, words in PACES)
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>{title}</title><style>{STYLE}{OWN_STYLE}{style()}</style></head><body><main>
<h1>{html.escape(animation.operator)}</h1>
<div class="stage" tabindex="0">{drawing(animation, 0)}</div>
<p id="said" aria-live="polite"></p>
<div class="bar"><button id="play" aria-pressed="false">Play</button>
<button id="back" aria-label="previous step">&#8592;</button><button id="on" aria-label="next step">&#8594;</button>
<input id="at" type="range" min="1" max="{count}" value="1" aria-label="step">
<label>pace <select id="pace">{paces}</select></label><button id="full">Full screen</button><span class="where" id="where"></span></div>
{notes}<div id="sheet"></div>
<details><summary>Every step in words</summary><ol class="lines">{lines}</ol></details>
<footer>Arrow keys step, the space bar plays and pauses, Home and End go to the ends; printing gives a sheet of all steps.
The numbers come from running the operator with its reference kernel.</footer></main>
<script type="application/json" id="data">{script_data(_data(animation))}</script><script>{SCRIPT}</script></body></html>
"""


def _data(animation: Animation) -> dict[str, Any]:
    """What the script needs: each cell's beginning, and each frame's marks, writes and lines."""
    layout = layout_of(animation)

    def at(place: tuple[int, int, int]) -> str:
        return " ".join(map(str, place))

    base = {
        at((which, i, j)): [panel.kinds[i][j], panel.texts[i][j]]
        for which, panel in enumerate(animation.panels)
        for i in range(panel.rows)
        for j in range(panel.columns)
    }
    frames = [
        {
            "marks": [[at(place), mark.role, mark.small] for place, mark in frame.marks.items()],
            "writes": [[at(place), text] for place, text in frame.writes.items()],
            "line": frame.line,
            "rows": wrapped(frame.line, line_letters(layout)),
        }
        for frame in animation.frames
    ]
    return {
        "base": base, "frames": frames, "cell": layout.cell, "letter": LETTER, "width": layout.width, "height": layout.height,
        "bottom": BOTTOM, "size": LINE_SIZE,
    }  # fmt: skip


def notebook_frame(animation: Animation) -> str:
    """The page inside a frame, so that its style stays its own."""
    title, inside = html.escape(animation.operator), html.escape(page(animation), quote=True)
    return f'<iframe title="{title}" style="width:100%;height:720px;border:0" srcdoc="{inside}"></iframe>'
