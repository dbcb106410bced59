"""The behaviour of the live page: it asks for the state twice a second, draws it, and sends what the reader changes."""

from .script_drawing import DRAWING

SCRIPT = (
    DRAWING
    + """
const base = location.pathname.replace(/\\/*$/, "/");
const WORDS = { learning_rate: "learning rate", momentum: "momentum", weight_decay: "weight decay" };
let state = {}, frame = null, gallery = [], names = [], over = false, failures = 0;

async function ask(name, options) {
  const answer = await fetch(base + name, { cache: "no-store", ...options });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}
function say(text, wrong) { const line = by("said"); line.textContent = text; line.className = wrong ? "wrong" : ""; }
async function wish(wishes) {
  try { say((await ask("control", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(wishes) })).said); poll(); }
  catch (error) { say(error instanceof TypeError ? "the training does not answer" : error.message, true); }
}

let timer = 0, asking = false;
async function poll() {
  clearTimeout(timer);
  if (asking) return;
  asking = true;
  try {
    const told = await ask("state" + (frame === null ? "" : "?since=" + frame), { signal: AbortSignal.timeout(20000) });
    failures = 0;
    take(told);
  } catch (error) {
    failures += 1;
    if (failures > 1) lost();
  }
  asking = false;
  timer = setTimeout(poll, failures ? 2000 : 500);
}
function lost() {
  const ended = over || state.status === "failed";
  by("status").textContent = ended ? state.status : "no answer";
  by("status").className = "pill " + (ended ? state.status : "lost");
  by("sentence").textContent = (ended ? state.sentence + " " : "") + "The page is no longer served" +
    (ended ? "; what is shown is how it ended." : ": the training has stopped, or this address is an old one.");
  for (const each of document.querySelectorAll(".bar button, .bar input, #file, #gallery button")) each.disabled = true;
  by("snapshot").setAttribute("aria-disabled", "true");
}
function take(told) {
  for (const each of document.querySelectorAll(":disabled")) each.disabled = false;
  by("snapshot").setAttribute("aria-disabled", String(told.step === undefined));
  if (told.gallery) { gallery = told.gallery; names = told.classes; frame = 0; }
  state = { ...state, ...told };
  over = told.status === "ended";
  by("status").textContent = told.status; by("status").className = "pill " + told.status; by("sentence").textContent = told.sentence;
  if (told.title) { by("title").textContent = told.title; document.title = told.title + ", live"; }
  if (told.step === undefined) return;
  const rate = told.step_ms ? ", " + short(told.step_ms) + " ms a step" : "";
  by("numbers").textContent = "epoch " + told.epoch + " of " + told.epochs + (over ? "" : ", batch " + told.batch + " of " + told.batches) +
    ", step " + told.step.toLocaleString("en") + rate;
  by("pause").textContent = told.status === "paused" ? "Go on" : "Pause";
  by("pause").disabled = by("step").disabled = over || told.status === "failed";
  showSettings(told.settings);
  showCurves();
  if (told.seen) { frame = told.frame; showSeen(); }
}

function showSettings(settings) {
  for (const [name, value] of Object.entries(settings)) {
    if (value.planned === null) continue;
    const row = by("set-" + name) || makeSetting(name), input = row.querySelector("input"), held = value.page !== null;
    row.classList.toggle("held", held);
    row.querySelector(".plan").hidden = !held;
    if (document.activeElement !== input) input.value = short(held ? value.page : value.planned);
    input.title = held ? "set here; planned: " + short(value.planned) : "as planned";
    input.disabled = over;
  }
}
function makeSetting(name) {
  const row = make("span", undefined, "setting"), label = make("label", WORDS[name]), input = make("input"), plan = make("button", "as planned",
    "plan");
  row.id = "set-" + name; input.id = "input-" + name; label.htmlFor = input.id; input.inputMode = "decimal"; input.autocomplete = "off";
  const send = text => wish({ [name]: text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text });
  input.onkeydown = event => { if (event.key === "Enter") { send(input.value); input.blur(); } if (event.key === "Escape") input.blur(); };
  plan.onclick = () => wish({ [name]: null });
  row.append(label, input);
  if (name === "learning_rate") {
    for (const [word, factor] of [["\\u00f72", 0.5], ["\\u00d72", 2]]) {
      const button = make("button", word);
      button.setAttribute("aria-label", (factor > 1 ? "double" : "halve") + " the learning rate");
      button.onclick = () => { const now = state.settings[name]; wish({ [name]: (now.page === null ? now.planned : now.page) * factor }); };
      row.append(button);
    }
  }
  row.append(plan);
  by("settings").append(row);
  return row;
}

function showCurves() {
  const each = state.rows.length ? state.rows : [], perEpoch = state.batches || 1;
  const at = row => row.epoch * stepsAnEpoch(perEpoch), curves = state.curves;
  const count = names.length || (state.seen ? state.seen.current.length : 0), chance = count > 1 ? Math.log(count) : null;
  plot(by("loss"), [line(curves.loss, "--train"), line(each.map(row => [at(row), row.test_loss]), "--test", true)],
    { log: by("log").checked, mark: chance, word: "ln " + count });
  plot(by("accuracy"), [line(curves.accuracy, "--train"), line(each.map(row => [at(row), row.test_accuracy]), "--test", true)], { low: 0, high: 1,
    percent: true });
  plot(by("rate"), [line(curves.rate, "--rate")], { low: 0 });
}
// With accumulated gradients an epoch has fewer steps than batches.
function stepsAnEpoch(batches) {
  const done = (state.epoch - 1) * batches + state.batch;
  return done > 0 && over ? state.step / state.rows.length : done > 0 ? batches * Math.min(1, state.step / done) : batches;
}

function showSeen() {
  const seen = state.seen;
  showFindings(seen.findings);
  showCurrent(seen);
  showGallery(seen);
  if (seen.layers) { showTable(seen.layers); showLayers(seen); }
}
function showFindings(findings) {
  if (!findings) return;
  by("findings").replaceChildren(...findings.map(finding => {
    const box = make("div", undefined, "finding " + finding.level), head = make("p");
    head.append(make("b", finding.sentence));
    box.append(head, make("p", finding.why));
    if (finding.fix) box.append(make("p", "Try: " + finding.fix));
    return box;
  }));
}
const nameOf = number => names[number] === undefined ? String(number) : names[number];
const best = answer => answer.indexOf(Math.max(...answer));
const truth = label => Array.isArray(label) ? best(label) : label;
function showCurrent(seen) {
  const own = seen.image === null, shown = own ? state.dropped : gallery[seen.image] && gallery[seen.image].picture;
  if (!shown) return;
  picture(by("current").querySelector("canvas"), shown);
  const label = own ? null : truth(gallery[seen.image].label);
  by("current").querySelector("figcaption").textContent = own ? "your picture" : "test image: " + nameOf(label);
  const order = [...seen.current.keys()].sort((a, b) => seen.current[b] - seen.current[a]), few = order.length > 10 ? order.slice(0, 8) :
    [...seen.current.keys()];
  by("bars").replaceChildren(...few.map(number => {
    const kind = label === null ? (number === order[0] ? "right" : "") : number === label ? "right" : number === order[0] ? "wrong" : "";
    return bar(nameOf(number), seen.current[number], kind);
  }));
}
function bar(name, share, kind) {
  const row = make("div", undefined, "answer " + kind);
  row.append(make("span", name), track(share), make("span", percent(share)));
  return row;
}
function track(share) {
  const box = make("div", undefined, "track"), fill = make("div", undefined, "fill");
  fill.style.width = 100 * share + "%";
  box.append(fill);
  return box;
}
function showGallery(seen) {
  const box = by("gallery");
  if (box.children.length !== gallery.length) {
    box.replaceChildren(...gallery.map((each, number) => {
      const button = make("button"), canvas = make("canvas");
      picture(canvas, each.picture);
      button.append(canvas, make("span", "", "guess"), track(0));
      button.onclick = () => wish({ image: number });
      return button;
    }));
  }
  [...box.children].forEach((button, number) => {
    const answer = seen.answers[number], guess = best(answer), label = truth(gallery[number].label), right = guess === label;
    const text = button.querySelector(".guess");
    text.textContent = right ? "\\u2713 " + nameOf(guess) : nameOf(label) + " \\u2192 " + nameOf(guess);
    text.className = "guess " + (right ? "right" : "wrong");
    text.title = text.textContent;
    button.querySelector(".fill").style.width = 100 * answer[guess] + "%";
    button.setAttribute("aria-pressed", String(seen.image === number));
    button.setAttribute("aria-label", "test image " + (number + 1) + ", " + nameOf(label) + ", taken for " + nameOf(guess) + " with " +
      percent(answer[guess]));
  });
}

function showTable(layers) {
  const table = by("table");
  table.replaceChildren();
  const head = table.createTHead().insertRow(), body = table.createTBody();
  for (const word of ["layer", "kind", "output", "weight", "gradient / weight", "update / weight", "dead units", "forward ms",
    "backward ms"]) head.append(make("th", word));
  for (const layer of layers) {
    const row = body.insertRow(), dead = layer.dead, update = layer.update_ratio;
    const cells = [[layer.layer], [layer.kind], [layer.shape.join(" \\u00d7 ")], [number(layer.weight_rms)], [number(layer.gradient_ratio)],
      [number(update), update === null ? "" : update > 3e-2 || update < 1e-5 ? "watch" : "good"],
      [dead === null ? "" : percent(dead), dead === null ? "" : dead > .5 ? "bad" : dead > .25 ? "watch" : "good"],
      [layer.forward_ms.toFixed(2)], [layer.backward_ms ? layer.backward_ms.toFixed(2) : ""]];
    for (const [text, kind] of cells) row.append(make("td", text, kind));
  }
}
function showLayers(seen) {
  const box = by("layers");
  by("when").textContent = "Gradients, updates and times are those of step " + seen.step.toLocaleString("en") +
    (seen.left_out ? "; " + seen.left_out + " layers in the middle are not drawn." : ".");
  seen.layers.forEach((layer, place) => {
    const card = box.children[place] || box.appendChild(makeLayer());
    card.querySelector("h3").textContent = layer.layer;
    card.querySelector(".soft").textContent = layer.kind + ", " + (layer.shape.join(" \\u00d7 ") || "1") + "; mean " + number(layer.mean) +
      ", deviation " + number(layer.deviation);
    const made = seen.activations[layer.layer];
    show(card, "activations", made && made.picture, made && made.histogram, "activations");
    show(card, "error", layer.error, null, "gradient at the output, first image of the batch");
    show(card, "weight", layer.weight && layer.weight.picture, layer.weight && layer.weight.histogram, "weights");
    show(card, "gradient", layer.gradient && layer.gradient.picture, layer.gradient && layer.gradient.histogram, "gradient of the weights");
  });
  while (box.children.length > seen.layers.length) box.lastChild.remove();
}
function makeLayer() {
  const card = make("article", undefined, "layer"), head = make("header"), views = make("div", undefined, "views");
  head.append(make("h3"), make("span", undefined, "soft"));
  for (const name of ["activations", "error", "weight", "gradient"]) {
    const figure = make("figure", undefined, name);
    figure.append(make("figcaption"), make("canvas", undefined, "map"), make("canvas", undefined, "histogram"));
    views.append(figure);
  }
  card.append(head, views);
  return card;
}
function show(card, name, shown, counts, words) {
  const figure = card.querySelector("figure." + name);
  figure.hidden = !shown;
  if (!shown) return;
  const part = shown.of > shown.n && shown.n > 1 ? ", " + shown.n + " of " + shown.of : "";
  const range = shown.scale === undefined ? "" : shown.kind === "positive" ? ", 0 to " + number(shown.scale) : ", \\u00b1" + number(shown.scale);
  figure.querySelector("figcaption").textContent = words + part + range;
  picture(figure.querySelector(".map"), shown, true);
  figure.querySelector(".histogram").hidden = !counts;
  if (counts) histogram(figure.querySelector(".histogram"), counts);
}

by("pause").onclick = () => wish({ pause: state.status !== "paused" });
by("step").onclick = () => wish({ step: 1 });
by("snapshot").href = base + "snapshot";
by("log").onchange = () => showCurves();
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) || state.step === undefined) return;
  if (event.key === " " && event.target.tagName !== "BUTTON" && !by("pause").disabled) { event.preventDefault(); by("pause").click(); }
  if ((event.key === "s" || event.key === "S") && !by("step").disabled) by("step").click();
  const by_ = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (by_ && gallery.length && state.seen) {
    event.preventDefault();
    const now = state.seen.image === null ? (by_ > 0 ? -1 : 0) : state.seen.image;
    state.seen.image = (now + by_ + gallery.length) % gallery.length;
    wish({ image: state.seen.image });
  }
});

async function send(file) {
  if (!file) return;
  say("asking the network about " + file.name);
  try {
    const told = await ask("image", { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file });
    const top = best(told.probabilities);
    say(file.name + ": " + nameOf(top) + ", " + percent(told.probabilities[top]) + (told.notes.length ? " (" + told.notes.join("; ") + ")" : ""));
    poll();
  } catch (error) { say(error instanceof TypeError ? "the training does not answer" : error.message, true); }
}
by("file").onchange = event => { send(event.target.files[0]); event.target.value = ""; };
for (const kind of ["dragenter", "dragover"]) document.addEventListener(kind, event => { event.preventDefault(); by("drop").classList.add("over"); });
for (const kind of ["dragleave", "drop"]) document.addEventListener(kind, event => { event.preventDefault(); by("drop").classList.remove("over"); });
document.addEventListener("drop", event => send(event.dataTransfer && event.dataTransfer.files[0]));
addEventListener("resize", () => { if (state.curves) showCurves(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (state.curves) showCurves(); if (state.seen) showSeen(); });
poll();
"""
)
