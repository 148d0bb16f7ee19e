// Renders the templates of families with @huggingface/jinja and prints all
// renderings as JSON: node oracle.mjs FOLDER, which holds node_modules.
import { createRequire } from "node:module";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const { Template } = createRequire(join(resolve(process.argv[2]), "x.js"))("@huggingface/jinja");
const folder = dirname(fileURLToPath(import.meta.url));
const read = (name) => readFileSync(join(folder, name), "utf8");

// The clock that strftime_now asks.
const Clock = Date;
globalThis.Date = class extends Clock {
  constructor() { super(2024, 6, 6, 15, 4, 5); }
};

function render(text, variables) {
  try {
    return { text: new Template(text).render(variables) };
  } catch (e) {
    return { fails: e.message };
  }
}

const tools = JSON.parse(read("tools.json"));
const result = {};
for (const file of readdirSync(join(folder, "templates")).sort()) {
  const cases = (result[file.replace(/\.jinja$/, "")] = {});
  for (const c of JSON.parse(read("conversations.json"))) {
    cases[c.name] = render(read(join("templates", file)), {
      messages: c.messages, tools: "tools" in c ? tools : null, documents: null, add_generation_prompt: c.add_generation_prompt,
      bos_token: "<s>", eos_token: "</s>", ...c.variables,
    });
  }
}
console.log(JSON.stringify(result, null, 1));
