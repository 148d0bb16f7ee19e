import { Failure, ask, setKey, stream } from "./api.js";
import { byID, element, say } from "./dom.js";
import { draw } from "./heat.js";
import { States } from "./states.js";

const states = new States(continueFrom);

// parts is the text since the state that it continues: what was given, and what the
// model has written.
let parts = [];
let running = null; // what stops it

const mode = () => document.querySelector("[name=mode]:checked").value;
const text = () => parts.map((p) => p.text).join("");

// connect asks what there is, and for a key if one is wanted.
async function connect() {
  try {
    const model = (await ask("GET", "/v1/models")).data[0];
    byID("model").textContent = document.title = model.id;
    byID("door").hidden = true;
    byID("modes").hidden = !model.chat;
    byID("remember").hidden = !model.explain;
    say(byID("status"), "ready");
  } catch (failure) {
    byID("door").hidden = failure.status !== 401;
    if (failure.status === 401) byID("key").focus();
    say(byID("status"), failure.status === 401 ? "asks for a key" : failure);
    return;
  }
  try {
    await states.load();
    byID("states").hidden = false;
  } catch (failure) {
    byID("states").hidden = failure.missing;
    if (!failure.missing) say(byID("states-said"), failure);
  }
}

// continueFrom begins a text behind a state, or anew.
function continueFrom(state) {
  running?.abort();
  parts = [];
  byID("text").replaceChildren();
  say(byID("speed"), "");
  byID("base").hidden = !state;
  if (state) {
    byID("base-name").textContent = state.id;
    byID("base-what").textContent = `${state.tokens.toLocaleString("en")} tokens read`;
  }
}

// add begins a part of the text and gives the node that holds it.
function add(who, content) {
  const part = { who, text: content };
  const node = document.createTextNode(content);
  parts.push(part);
  byID("text").append(element("span", { class: who }, node));
  return (more) => {
    const box = byID("text");
    const below = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    part.text += more;
    node.appendData(more);
    if (below) box.scrollTop = box.scrollHeight;
  };
}

// settings are what the fields say; an empty one says nothing.
function settings() {
  const body = {};
  for (const name of ["max_tokens", "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "seed"]) {
    const field = byID(name);
    if (!field.checkValidity()) throw new Error(`${field.labels[0].textContent}: ${field.validationMessage}`);
    if (field.value !== "") body[name] = Number(field.value);
  }
  if (byID("end").value !== "") body.stop = byID("end").value;
  if (states.base) body.state = states.base.id;
  return body;
}

// given is the text, or the conversation, that a request is about.
function given() {
  if (mode() === "text") return { prompt: text() };
  return { messages: parts.map((p) => ({ role: p.who === "you" ? "user" : "assistant", content: p.text })) };
}

async function run() {
  if (running) return;
  const prompt = byID("prompt");
  try {
    const wanted = settings();
    if (prompt.value !== "") add("you", prompt.value);
    if (parts.length === 0 && !states.base) throw new Error("There is nothing to continue: write a prompt.");
    prompt.value = "";
    const path = mode() === "text" ? "/v1/completions" : "/v1/chat/completions";
    await follow(path, { ...wanted, ...given() });
  } catch (failure) {
    say(byID("speed"), failure);
    if (failure instanceof Failure && failure.status === 401) connect();
  }
}

// follow shows what the model writes, until it ends or is stopped.
async function follow(path, body) {
  running = new AbortController();
  busy(true);
  const speed = new Speed();
  let write = null;
  try {
    for await (const event of stream(path, body, running.signal)) {
      const choice = event.choices[0];
      const piece = choice?.text ?? choice?.delta?.content ?? "";
      if (piece) {
        write ??= add("model", "");
        write(piece);
        speed.piece();
      }
      if (choice?.finish_reason) speed.end = choice.finish_reason === "stop" ? "ended" : "as long as wanted";
      if (event.usage) speed.tokens = event.usage.completion_tokens;
      say(byID("speed"), speed.text());
    }
  } catch (failure) {
    if (failure.name !== "AbortError") throw failure;
    speed.end = "stopped";
    say(byID("speed"), speed.text());
  } finally {
    running = null;
    busy(false);
  }
}

// Speed counts tokens; until the server tells, there is one in each piece.
class Speed {
  constructor() {
    this.begun = this.last = performance.now();
    this.first = 0;
    this.tokens = this.pieces = 0;
    this.end = "";
  }
  piece() {
    this.last = performance.now();
    this.first ||= this.last;
    this.pieces++;
  }
  text() {
    const n = this.tokens || this.pieces;
    const list = [`${n} tokens`];
    if (n > 1 && this.last > this.first) list.push(`${((1000 * (n - 1)) / (this.last - this.first)).toFixed(1)} tokens/s`);
    if (this.first) list.push(`the first after ${((this.first - this.begun) / 1000).toFixed(2)} s`);
    if (this.end) list.push(this.end);
    return list.join(" · ");
  }
}

function busy(on) {
  byID("text").setAttribute("aria-busy", on);
  byID("run").disabled = on;
  byID("stop").disabled = !on;
  say(byID("status"), on ? "writing…" : "ready");
  for (const input of document.querySelectorAll("[name=mode], #save button")) input.disabled = on;
}

// save has the text, the prompt included that was not run, read into a state.
async function save() {
  const name = byID("name").value;
  const prompt = byID("prompt");
  if (prompt.value !== "") add("you", prompt.value);
  prompt.value = "";
  if (parts.length === 0) {
    say(byID("states-said"), new Error("There is no text to save: write one, or fork a state."));
    return;
  }
  const body = { name, label: byID("label").value || undefined, state: states.base?.id, ...given() };
  if (await states.save(body)) byID("save").reset();
}

async function explain() {
  const said = byID("explain-said");
  try {
    say(said, "reading…");
    const map = await ask("POST", "/v1/explain", { prompt: byID("explained").value });
    draw(byID("map"), map);
    say(said, `${map.tokens.length} tokens, ${map.layers.length} layers`);
  } catch (failure) {
    say(said, failure);
  }
}

// submits has a form do something instead of leaving the page.
function submits(id, what) {
  byID(id).addEventListener("submit", (event) => {
    event.preventDefault();
    what();
  });
}

submits("ask", run);
submits("save", save);
submits("explain", explain);
submits("door", () => {
  setKey(byID("key").value);
  connect();
});
byID("stop").addEventListener("click", () => running?.abort());
byID("anew").addEventListener("click", () => {
  continueFrom(states.base);
  byID("prompt").focus();
});
byID("take").addEventListener("click", () => {
  byID("explained").value = text();
  explain();
});
for (const input of document.querySelectorAll("[name=mode]")) {
  input.addEventListener("change", () => {
    byID("text").classList.toggle("chat", mode() === "chat");
    continueFrom(states.base);
  });
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") running?.abort();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target === byID("prompt")) run();
});
byID("sampling").open = matchMedia("(min-width: 60rem)").matches;
connect();
