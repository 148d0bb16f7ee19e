import { ask } from "./api.js";
import { byID, element, say } from "./dom.js";

const path = (name) => `/v1/states/${encodeURIComponent(name)}`;

// States are those of the server's library, and which one the text continues.
export class States {
  // chosen is called with a state, or null for none, that the user has chosen.
  constructor(chosen) {
    this.list = [];
    this.base = null;
    this.chosen = chosen;
  }

  // load asks for the states; it throws if the server has no library.
  async load() {
    this.list = (await ask("GET", "/v1/states")).data;
    this.base = this.list.find((s) => s.id === this.base?.id) ?? null;
    this.draw();
  }

  // draw shows which state is a fork of which.
  draw() {
    const children = Map.groupBy(this.list, (s) => (this.list.some((p) => p.id === s.parent && p.id !== s.id) ? s.parent : ""));
    const shown = new Set();
    const branch = (parent) => {
      const list = element("ul");
      for (const s of children.get(parent) ?? []) {
        if (shown.has(s.id)) continue;
        shown.add(s.id);
        const item = this.item(s);
        if (children.has(s.id)) item.append(branch(s.id));
        list.append(item);
      }
      return list;
    };
    const top = branch("");
    for (const s of this.list) if (!shown.has(s.id)) top.append(this.item(s)); // their parents go in a circle
    top.prepend(element("li", {}, element("div", { class: "state" }, this.radio(null, "nothing: a new text"))));
    byID("tree").replaceChildren(top);
  }

  item(state) {
    const about = [state.damaged && "damaged", state.label, `${state.tokens.toLocaleString("en")} tokens`, size(state.bytes)].filter(Boolean).join(" · ");
    return element("li", {}, element("div", { class: "state" }, this.radio(state, state.id),
      this.button("Fork", `Fork ${state.id}`, () => this.fork(state)),
      this.button("Delete", `Delete ${state.id}`, () => this.remove(state)),
      element("span", { class: "what hint" }, about)));
  }

  radio(state, text) {
    const input = element("input", { type: "radio", name: "base", value: state?.id ?? "", disabled: state?.damaged });
    input.checked = this.base?.id === state?.id;
    input.addEventListener("change", () => this.choose(state));
    return element("label", {}, input, ` ${text}`);
  }

  button(text, label, pressed) {
    const b = element("button", { type: "button", class: "small", "aria-label": label }, text);
    b.addEventListener("click", pressed);
    return b;
  }

  choose(state) {
    this.base = state;
    this.chosen(state);
  }

  // fork copies a state under a name that is free, and continues from there.
  async fork(state) {
    let n = 2;
    while (this.list.some((s) => s.id === `${state.id}-${n}`)) n++;
    const name = `${state.id}-${n}`;
    await this.change(`${name} is a fork of ${state.id}.`, () => ask("POST", `${path(state.id)}/fork`, { name }), name);
  }

  async remove(state) {
    if (!confirm(`Delete the state ${state.id}? That cannot be undone.`)) return;
    await this.change(`${state.id} is deleted.`, () => ask("DELETE", path(state.id)));
  }

  // save has a text, or a conversation, read into a state and continues from there.
  save(body) {
    return this.change(`Saved as ${body.name}.`, () => ask("POST", "/v1/states", body), body.name);
  }

  // change does something to the library, and chooses a state of it, if one is named.
  async change(done, what, name) {
    const before = this.base?.id;
    try {
      say(byID("states-said"), "…");
      await what();
      if (name) this.base = { id: name };
      await this.load();
      say(byID("states-said"), done);
      if (this.base?.id !== before) this.chosen(this.base);
      return true;
    } catch (failure) {
      say(byID("states-said"), failure);
      return false;
    }
  }
}

function size(bytes) {
  if (bytes < 1e6) return `${Math.ceil(bytes / 1e3)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
