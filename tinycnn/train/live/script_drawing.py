"""How the live page draws: curves with their axes, arrays as small images, histograms."""

DRAWING = """
"use strict";
const by = id => document.getElementById(id);
function make(tag, text, kind) { const node = document.createElement(tag); if (text !== undefined) node.textContent = text;
  if (kind) node.className = kind; return node; }
function short(value) {
  if (value === null || value === undefined) return "";
  return value === 0 || (Math.abs(value) >= 1e-4 && Math.abs(value) < 1e6) ? String(Number(value.toPrecision(4))) : value.toExponential(2);
}
function number(value) {
  if (value === null || value === undefined) return "";
  const text = value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4) ? String(Number(value.toPrecision(3))) : value.toExponential(1);
  return text.replace(/-/g, "\\u2212");
}
function percent(share) { return share === null ? "" : (100 * share).toFixed(share > .9995 || share < .0005 ? 0 : 1) + " %"; }
function colour(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }
function channels(name) { const text = colour(name).slice(1), full = text.length === 3 ? [...text].map(each => each + each).join("") : text;
  return [0, 2, 4].map(at => parseInt(full.slice(at, at + 2), 16)); }

// Curves

function line(points, ink, marks) { return { points: points.filter(point => point[1] !== null), ink, marks }; }
function ticks(low, high, count) {
  const rough = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(rough)), step = [1, 2, 5,
    10].find(each => each * power >= rough) * power, found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) found.push(Math.abs(at) < step * 1e-9 ? 0 : at);
  return found;
}
function plot(canvas, lines, options) {
  const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight, pen = canvas.getContext("2d");
  if (!width) return;
  canvas.width = width * ratio; canvas.height = height * ratio;
  pen.scale(ratio, ratio); pen.font = "12px system-ui, 'DejaVu Sans', sans-serif"; pen.lineJoin = "round";
  let points = lines.flatMap(each => each.points);
  if (options.log) points = points.filter(point => point[1] > 0);
  if (!points.length) { pen.fillStyle = colour("--soft"); pen.fillText("no step yet", 12, height / 2); return; }
  const scale = options.log ? value => Math.log10(Math.max(value, 1e-12)) : value => value;
  const values = points.map(point => scale(point[1]));
  if (options.mark) values.push(scale(options.mark));
  let low = options.low !== undefined && !options.log ? options.low : values.reduce((a, b) => Math.min(a, b)), high = options.high !== undefined ?
    options.high :
    values.reduce((a, b) => Math.max(a, b));
  if (options.low === undefined && !options.log) low = Math.min(low, 0);
  if (!(high > low)) high = low + (Math.abs(low) || 1);
  const last = points.reduce((most, point) => Math.max(most, point[0]), 2), left = 46, bottom = height - 20, top = options.mark ? 16 : 6,
    right = width - 8;
  const x = step => left + (step - 1) / (last - 1) * (right - left), y = value => bottom - (scale(value) - low) / (high - low) * (bottom - top);
  pen.strokeStyle = colour("--line"); pen.fillStyle = colour("--soft"); pen.lineWidth = 1;
  const marks = options.log && high - low >= 1 ? ticks(Math.ceil(low), Math.floor(high), 4).filter(Number.isInteger) : ticks(low, high, 4);
  for (const at of marks) {
    const place = bottom - (at - low) / (high - low) * (bottom - top), value = options.log ? 10 ** at : at;
    pen.beginPath(); pen.moveTo(left, place); pen.lineTo(right, place); pen.stroke();
    pen.textAlign = "right"; pen.textBaseline = "middle"; pen.fillText(options.percent ? Math.round(100 * value) + " %" : number(value), left - 6,
      place);
  }
  pen.textAlign = "center"; pen.textBaseline = "top";
  for (const at of ticks(1, last, Math.max(2, width / 75)).filter(each => Number.isInteger(each) &&
    each >= 1)) pen.fillText(at.toLocaleString("en"), Math.min(x(at), right - 14), bottom + 5);
  if (options.mark) {
    pen.setLineDash([5, 4]); pen.strokeStyle = colour("--soft"); pen.beginPath(); pen.moveTo(left, y(options.mark)); pen.lineTo(right,
      y(options.mark)); pen.stroke();
    pen.setLineDash([]); pen.textAlign = "right"; pen.textBaseline = "bottom"; pen.fillText(options.word, right, y(options.mark) - 2);
  }
  for (const each of lines) {
    pen.strokeStyle = pen.fillStyle = colour(each.ink); pen.lineWidth = each.marks ? 2 : 1.4; pen.beginPath();
    each.points.forEach((point, at) => at ? pen.lineTo(x(point[0]), y(point[1])) : pen.moveTo(x(point[0]), y(point[1])));
    pen.stroke();
    if (each.marks || each.points.length === 1) for (const point of each.points) { pen.beginPath(); pen.arc(x(point[0]), y(point[1]), 3, 0, 7);
      pen.fill(); }
  }
  canvas.dataset.points = points.length;
}

// Arrays

function bytes(text) { return Uint8Array.from(atob(text), letter => letter.charCodeAt(0)); }
function mixed(from, to, share) { return from.map((value, channel) => value + share * (to[channel] - value)); }
// 256 colours for each kind: what is 0 looks like the paper, or like its panel.
function palette(kind) {
  if (kind === "grey") return [...Array(256).keys()].map(value => [value, value, value]);
  const nothing = channels("--panel"), less = channels("--less"), more = channels("--more"), most = channels("--map");
  if (kind === "positive") return [...Array(256).keys()].map(value => mixed(nothing, most, value / 255));
  return [...Array(256).keys()].map(value => { const share = (value - 127.5) / 127.5; return mixed(nothing, share < 0 ? less : more,
    Math.abs(share)); });
}
function picture(canvas, shown, sized) {
  const tiles = shown.n || 1, coloured = shown.kind === "colour" || shown.kind === "colours", data = bytes(shown.data), paint = coloured ? null :
    palette(shown.kind);
  const zoom = sized ? Math.max(1, Math.round((shown.w <= 8 ? 34 : shown.w <= 20 ? 40 : 56) / shown.w)) : 1, alone = tiles === 1;
  const scale = sized && alone ? Math.max(1, Math.min(6, Math.floor(290 / shown.w))) : zoom;
  const gap = alone ? 0 : 1, fit = Math.max(1, Math.floor(290 / ((shown.w + gap) * scale))), columns = shown.columns || Math.min(tiles, fit),
    rows = Math.ceil(tiles / columns);
  canvas.width = columns * (shown.w + gap) - gap; canvas.height = rows * (shown.h + gap) - gap;
  const pen = canvas.getContext("2d"), image = pen.createImageData(canvas.width, canvas.height), size = shown.h * shown.w;
  for (let tile = 0; tile < tiles; tile++) {
    const left = (tile % columns) * (shown.w + gap), top = Math.floor(tile / columns) * (shown.h + gap);
    for (let at = 0; at < size; at++) {
      const place = 4 * ((top + Math.floor(at / shown.w)) * canvas.width + left + at % shown.w), from = tile * size + at;
      if (shown.filled !== undefined && from >= shown.filled) continue;
      const tint = coloured ? [data[3 * from], data[3 * from + 1], data[3 * from + 2]] : paint[data[from]];
      image.data[place] = tint[0]; image.data[place + 1] = tint[1]; image.data[place + 2] = tint[2]; image.data[place + 3] = 255;
    }
  }
  pen.putImageData(image, 0, 0);
  if (sized) canvas.style.width = canvas.width * scale + "px";
}
function histogram(canvas, shown) {
  const ratio = devicePixelRatio || 1, width = 190, height = 46, pen = canvas.getContext("2d");
  canvas.width = width * ratio; canvas.height = height * ratio;
  pen.scale(ratio, ratio); pen.font = "11px system-ui, 'DejaVu Sans', sans-serif";
  const counts = shown.counts, most = Math.max(...counts, 1), each = width / Math.max(counts.length, 1), bottom = height - 14;
  pen.fillStyle = colour("--train");
  counts.forEach((count, at) => { const tall = bottom * Math.sqrt(count / most); pen.fillRect(at * each, bottom - tall, each - 1, tall); });
  pen.fillStyle = colour("--soft"); pen.textBaseline = "top";
  pen.textAlign = "left"; pen.fillText(number(shown.low), 0, bottom + 2);
  pen.textAlign = "right"; pen.fillText(number(shown.high), width, bottom + 2);
}
"""
