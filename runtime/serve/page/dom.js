// Elements are made here and nowhere else: what a model has written, and labels,
// enter the page as text.

// element makes an element with attributes; children are elements or texts.
export function element(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) e.setAttribute(name, value === true ? "" : value);
  }
  e.append(...children);
  return e;
}

// byID finds an element of the page.
export const byID = (id) => document.getElementById(id);

// say shows a message, or an error.
export function say(target, message) {
  const failed = message instanceof Error;
  target.textContent = failed ? message.message : message;
  target.classList.toggle("wrong", failed);
}
