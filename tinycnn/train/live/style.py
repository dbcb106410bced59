"""The look of the live page, light and dark, wide and narrow."""

STYLE = """
:root { --ink: #1f2933; --soft: #5b6773; --line: #d5dce3; --paper: #fff; --panel: #f5f7f9; --train: #1d4ed8; --test: #b45309; --rate: #7c3aed;
  --good: #166534; --watch: #92400e; --bad: #b42318; --good-fill: #e3f4e8; --watch-fill: #fdf0d8; --bad-fill: #fde7e4; --chosen: #d6e4ff;
  --less: #2563eb; --more: #c2410c; --map: #1f2933; --on: #fff; color-scheme: light; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ebf0; --soft: #a3b0bd; --line: #3a4653; --paper: #14191f; --panel: #1e252d; --train: #9cc1ff;
  --test: #fbbf5c; --rate: #c4a7ff; --good: #7ddc9a; --watch: #fbbf5c; --bad: #ff9a8d; --good-fill: #16301f; --watch-fill: #3b2c10;
  --bad-fill: #421d19; --chosen: #1f3f78; --less: #6ea3ff; --more: #ff8f57; --map: #f2f5f8; --on: #14191f; color-scheme: dark; } }
* { box-sizing: border-box; } [hidden] { display: none !important; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 1.2rem 1.1rem 3rem; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.12rem; margin: 1.8rem 0 .5rem; } h3 { font-size: 1rem; margin: 0; }
p { margin: .3rem 0; } .soft { color: var(--soft); } code { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, monospace; font-size: .9em; }
.state { min-height: 1.7em; } .numbers { color: var(--soft); font-variant-numeric: tabular-nums; }
.pill { border-radius: 1em; padding: .1em .7em; background: var(--panel); border: 1px solid var(--line); font-weight: 600; }
.pill.learning { background: var(--good-fill); color: var(--good); } .pill.paused { background: var(--watch-fill); color: var(--watch); }
.pill.failed, .pill.lost { background: var(--bad-fill); color: var(--bad); }
.bar { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; position: sticky; top: 0; z-index: 2; background: var(--paper);
  padding: .55rem 0;
  border-bottom: 1px solid var(--line); }
button, .button, .settings input { font: inherit; color: inherit; border: 1px solid var(--line); border-radius: 7px; background: var(--paper);
  padding: .25rem .8rem; }
button, .button { cursor: pointer; text-decoration: none; } button:hover, .button:hover { border-color: var(--train); }
button.main { background: var(--train); border-color: var(--train); color: var(--on); font-weight: 600; min-width: 6em; }
button:disabled, .button[aria-disabled=true] { opacity: .45; cursor: default; pointer-events: none; }
:focus-visible { outline: 3px solid var(--train); outline-offset: 1px; }
.settings { display: flex; flex-wrap: wrap; gap: .4rem 1rem; } .setting { display: flex; gap: .25rem; align-items: center; white-space: nowrap; }
.setting label { color: var(--soft); font-size: .9rem; } .settings input { width: 7em; padding: .25rem .5rem; font-variant-numeric: tabular-nums; }
.settings button { padding: .25rem .5rem; } .setting.held input { border-color: var(--test); background: var(--watch-fill); }
#said { font-size: .92rem; color: var(--good); flex-basis: 100%; } #said:empty { display: none; } #said.wrong { color: var(--bad); font-weight: 600; }
.curves { display: grid; grid-template-columns: 1fr 1fr .7fr; gap: 1rem 1.4rem; margin-top: 1rem; } figure { margin: 0; min-width: 0; }
.curves canvas { width: 100%; height: 210px; display: block; } figcaption { font-size: .88rem; font-weight: 600; }
figcaption .key, figcaption label { font-weight: 400; margin-left: .6em; color: var(--soft); white-space: nowrap; }
.key::before { content: ""; display: inline-block; width: 1.1em; height: .22em; vertical-align: middle; margin-right: .35em;
  background: var(--train); }
.key.test::before { background: var(--test); }
.finding { border-left: 5px solid var(--line); background: var(--panel); border-radius: 0 8px 8px 0; padding: .5rem .9rem; margin: .4rem 0; }
.finding b::before { content: "\\2713\\00a0"; } .finding.watch b::before { content: "\\0021\\00a0"; }
  .finding.bad b::before { content: "\\2717\\00a0"; }
.finding.good { border-color: var(--good); } .finding.good b { color: var(--good); } .finding.watch { border-color: var(--watch);
  background: var(--watch-fill); }
.finding.watch b { color: var(--watch); } .finding.bad { border-color: var(--bad); background: var(--bad-fill); }
  .finding.bad b { color: var(--bad); }
.finding p { font-size: .92rem; }
.looking { display: flex; flex-wrap: wrap; gap: 1rem 1.6rem; align-items: stretch; } #current { width: 176px; }
  #current canvas { border: 1px solid var(--line); width: 168px;
  height: 168px; }
#bars { flex: 1 1 300px; display: grid; align-content: start; gap: 2px; } .answer { display: grid; grid-template-columns: minmax(2em,
  7.5em) 1fr 4.2em; gap: .6em;
  align-items: center; font-size: .9rem; line-height: 1.25; font-variant-numeric: tabular-nums; } .answer span:first-child { text-align: right;
    overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; }
.track { background: var(--panel); height: .95em; border-radius: 3px; overflow: hidden; } .fill { background: var(--train); height: 100%; }
.answer.right .fill { background: var(--good); } .answer.wrong .fill { background: var(--bad); }
.drop { flex: 0 1 250px; border: 2px dashed var(--line); border-radius: 10px; padding: 1rem; display: flex; flex-direction: column;
  justify-content: center;
  text-align: center; cursor: pointer; } .drop.over { border-color: var(--train); background: var(--chosen); } .drop input { margin-top: .6rem;
    max-width: 100%; }
#gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(88px, 1fr)); gap: .5rem; margin-top: 1rem; }
#gallery button { padding: .35rem; display: grid; justify-items: center; gap: .1rem; font-size: .82rem; line-height: 1.25; }
  #gallery button[aria-pressed=true] {
  background: var(--chosen); border-color: var(--train); } #gallery canvas { width: 56px; height: 56px; } #gallery .track { width: 100%;
    height: 5px; }
canvas { image-rendering: pixelated; } .curves canvas, canvas.histogram { image-rendering: auto; }
#gallery .guess { max-width: 100%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; } .right { color: var(--good); }
  .wrong { color: var(--bad); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; } th { color: var(--soft);
  font-weight: 600; }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; } td.watch { color: var(--watch); font-weight: 600; }
td.bad { color: var(--bad); font-weight: 700; } td.good { color: var(--good); }
.layer { border-top: 1px solid var(--line); padding: .8rem 0; } .layer header { display: flex; flex-wrap: wrap; gap: .2rem 1rem;
  align-items: baseline; }
.layer .soft { font-size: .88rem; font-variant-numeric: tabular-nums; } .views { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr));
  gap: .8rem 1.4rem; margin-top: .5rem; align-items: start; }
.views figure { max-width: 100%; } .views canvas { max-width: 100%; display: block; margin-top: .25rem; } .views figcaption { font-weight: 400;
  color: var(--soft); font-size: .82rem; }
canvas.histogram { width: 190px; height: 46px; }
footer { margin-top: 2.2rem; color: var(--soft); font-size: .88rem; } kbd { border: 1px solid var(--line); border-radius: 4px; padding: 0 .35em;
  font: inherit; font-size: .85em; }
@media (max-width: 900px) { .curves, .views { grid-template-columns: 1fr 1fr; } }
@media (max-width: 640px) { body { font-size: 15px; } main { padding: .9rem .7rem 2.5rem; } .curves { grid-template-columns: 1fr; }
  .curves canvas { height: 170px; }
  .bar { position: static; } .drop { flex-basis: 100%; } #current { width: 120px; } #current canvas { width: 112px; height: 112px; }
    #bars { flex-basis: 190px; }
  .answer { grid-template-columns: minmax(1em, 4.5em) 1fr 3.6em; } }
@media print { .bar, .drop { display: none; } .layer, .finding { break-inside: avoid; } }
"""
