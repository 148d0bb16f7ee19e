"""Renders the templates with Debian's python3-jinja2, in the environment that
Hugging Face's transformers makes, and records what comes out in golden.json and
snippets.json. With a file of what @huggingface/jinja made of the same
(oracle.mjs), both must agree on all templates of families.

    python3 record.py [renderings of the other oracle]
"""

import datetime
import json
import pathlib
import re
import sys

import jinja2
import jinja2.ext
import jinja2.nodes
import jinja2.sandbox

FOLDER = pathlib.Path(__file__).parent
CLOCK = datetime.datetime(2024, 7, 6, 15, 4, 5)


class Generation(jinja2.ext.Extension):
    """The block around the model's words, a block with variables of its own."""

    tags = {"generation"}

    def parse(self, parser):
        line = next(parser.stream).lineno
        body = parser.parse_statements(["name:endgeneration"], drop_needle=True)
        return jinja2.nodes.CallBlock(self.call_method("_write"), [], [], body).set_lineno(line)

    def _write(self, caller):
        return caller()


class Raised(Exception):
    pass


def raise_exception(message):
    raise Raised(message)


def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
    return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def environment():
    e = jinja2.sandbox.ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, jinja2.ext.loopcontrols]
    )
    e.filters["tojson"] = tojson
    e.globals["raise_exception"] = raise_exception
    e.globals["strftime_now"] = CLOCK.strftime
    return e


def render(text, variables):
    try:
        return {"text": environment().from_string(text).render(**variables)}
    except Raised as e:
        return {"raised": str(e)}
    except Exception as e:  # whatever an operation says
        return {"fails": type(e).__name__}


def conversations():
    tools = json.loads((FOLDER / "tools.json").read_text())
    for c in json.loads((FOLDER / "conversations.json").read_text()):
        variables = {
            "messages": c["messages"],
            "tools": tools if "tools" in c else None,
            "documents": None,
            "add_generation_prompt": c["add_generation_prompt"],
            "bos_token": "<s>",
            "eos_token": "</s>",
        }
        variables.update(c.get("variables", {}))
        yield c["name"], variables


def main():
    golden = {}
    for file in sorted((FOLDER / "templates").glob("*.jinja")):
        golden[file.stem] = {name: render(file.read_text(), v) for name, v in conversations()}
    data = json.loads((FOLDER / "data.json").read_text())
    parts = re.split(r"^-- (.+) --\n", (FOLDER / "snippets.txtar").read_text(), flags=re.M)
    snippets = {parts[i]: render(parts[i + 1], data) for i in range(1, len(parts), 2)}
    if len(sys.argv) > 1:
        compare(golden, json.loads(pathlib.Path(sys.argv[1]).read_text()))
    write("golden.json", golden)
    write("snippets.json", snippets)


def write(name, what):
    (FOLDER / name).write_text(json.dumps(what, ensure_ascii=False, indent=1) + "\n")


def agree(want, have):
    """The other oracle does not tell what a template raises from what fails."""
    if "raised" in want:
        return have == {"fails": want["raised"]}
    return "fails" in have if "fails" in want else want == have


def compare(golden, other):
    """Ends the program if the oracles differ elsewhere than differences.json says,
    which has a reason for each."""
    known = json.loads((FOLDER / "differences.json").read_text())
    differ = {
        f"{template}/{name}": f"  jinja2 {want}\n  other  {other[template][name]}"
        for template, cases in golden.items()
        for name, want in cases.items()
        if not agree(want, other[template][name])
    }
    for case in sorted(differ.keys() - known.keys()):
        print(f"the oracles differ: {case}\n{differ[case]}", file=sys.stderr)
    for case in sorted(known.keys() - differ.keys()):
        print(f"the oracles agree: take {case} off differences.json", file=sys.stderr)
    if differ.keys() != known.keys():
        sys.exit(1)


if __name__ == "__main__":
    main()
