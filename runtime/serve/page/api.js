// What the server is asked. The key stays in this module.

let key = "";

export function setKey(text) {
  key = text.trim();
}

// Failure is an answer that is none.
export class Failure extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
  // missing tells of parts that this server does not have.
  get missing() {
    return this.status === 404 || this.status === 405 || this.status === 501;
  }
}

async function send(method, path, body, signal) {
  const headers = {};
  if (key) headers.Authorization = `Bearer ${key}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
  if (answer.ok) return answer;
  let message = `the server answers ${answer.status}`;
  try {
    message = (await answer.json()).error.message;
  } catch {
    // It has said no more.
  }
  throw new Failure(answer.status, message);
}

// ask gives an answer's object, or nothing if it has none.
export async function ask(method, path, body, signal) {
  const text = await (await send(method, path, body, signal)).text();
  return text ? JSON.parse(text) : undefined;
}

// stream gives the objects of an answer as they come.
export async function* stream(path, body, signal) {
  const answer = await send("POST", path, { ...body, stream: true, stream_options: { include_usage: true } }, signal);
  let rest = "";
  for await (const text of texts(answer.body)) {
    const events = (rest + text).split("\n\n");
    rest = events.pop();
    for (const event of events) {
      const data = event.replace(/^data: /, "");
      if (data === "[DONE]") return;
      const object = JSON.parse(data);
      if (object.error) throw new Failure(500, object.error.message);
      yield object;
    }
  }
}

// texts gives the pieces of a body, of whole characters.
async function* texts(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
