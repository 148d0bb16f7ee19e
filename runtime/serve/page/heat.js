import { element } from "./dom.js";

// draw shows a map of Δ, as the server gives it.
export function draw(target, map) {
  target.replaceChildren(legend(map), text(map), table(map));
}

function legend(map) {
  const scale = element("span", { class: "scale" });
  for (let i = 0; i < 9; i++) scale.append(element("i", { class: `s${i}` }));
  const p = element("p", { class: "legend" }, element("span", {}, "small Δ: passed by"), scale, element("span", {}, "large Δ: written into the state"));
  const without = map.delta.filter((row) => row === null).length;
  if (without > 0) p.append(element("span", {}, `${without} of ${map.layers.length} layers have no Δ`));
  return p;
}

const marked = (token) => token.replaceAll("\n", "↵\n");

// label is a token in one line, of which one sees something.
function label(token) {
  const seen = token.trim() === "" ? token.replaceAll(" ", "␣") : token;
  return seen.replaceAll("\n", "↵").replaceAll("\t", "⇥");
}

function text(map) {
  const p = element("p", { class: "heated" });
  map.tokens.forEach((token, i) => {
    p.append(element("span", { class: map.overall ? `s${map.overall[i]}` : undefined }, marked(token)));
  });
  return p;
}

// table has a row for every token and a column for every layer.
function table(map) {
  const layers = map.layers.length;
  const step = layers <= 12 ? 1 : Math.ceil(layers / 8);
  const head = element("tr", {}, element("th", {}, "layer"));
  for (let i = 0; i < layers; i += step) head.append(element("th", { colspan: Math.min(step, layers - i) }, String(i)));
  const body = element("tbody");
  map.tokens.forEach((token, t) => {
    const row = element("tr", { title: `${t}: Δ ${mean(map, t).toPrecision(3)}` }, element("th", {}, label(token)));
    for (const shades of map.shades) row.append(element("td", { class: shades ? `s${shades[t]}` : "none" }));
    body.append(row);
  });
  const caption = element("caption", {}, "Layers, the first on the left; a token a row. Shades are ranks within a layer.");
  return element("table", { class: "layers" }, caption, element("thead", {}, head), body);
}

function mean(map, t) {
  const rows = map.delta.filter((row) => row !== null);
  return rows.reduce((sum, row) => sum + row[t], 0) / Math.max(rows.length, 1);
}
