"use strict";

// Everything on the page is made here. Every text from the data becomes a text node: names of packages may be markup.

/** Characters nobody sees, some of which turn the order of the others around. */
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** The text with what is hidden in it made visible. */
function plain(text) {
  return String(text).replace(
    HIDDEN,
    (hidden) => `‹U+${hidden.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}›`,
  );
}

/** An HTML element. Attributes that are null are left out; functions listen to the event they are named after. */
function el(tag, attributes, ...children) {
  return furnish(document.createElement(tag), attributes, children);
}

/** An SVG element, made like an HTML one. */
function svg(tag, attributes, ...children) {
  return furnish(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function furnish(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== null && value !== undefined) element.setAttribute(name, plain(value));
  }
  fill(element, children);
  return element;
}

/** Adds the children: nodes, texts, lists of both; null is none. */
function fill(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child instanceof Node) element.append(child);
    else if (child !== null && child !== undefined) element.append(plain(child));
  }
}

/** Puts these children in the place of all there were. */
function refill(element, ...children) {
  element.replaceChildren();
  fill(element, children);
}

/** A name from the data, kept apart from the direction of what is around it. */
function named(text) {
  return el("bdi", {}, text);
}

function anchor(to, ...children) {
  return el("a", { href: to }, children);
}

/** A link of several to choose from. */
function chosenLink(to, chosen, ...children) {
  return el("a", { href: to, "aria-current": chosen ? "true" : null }, children);
}

function button(kind, click, ...children) {
  return el("button", { type: "button", class: kind, click }, children);
}

/** A box to search in, and the line that has it with its label. */
function searchBox(id, label, listeners) {
  const box = el("input", { type: "search", id, autocomplete: "off", spellcheck: "false", ...listeners });
  return [box, el("p", { class: "search" }, el("label", { for: id }, label), box)];
}

function code(text) {
  return el("code", {}, text);
}

function quiet(text) {
  return el("span", { class: "quiet" }, text);
}

/** Names with what each is; what is null is left out. */
function facts(pairs) {
  return el(
    "dl",
    { class: "facts" },
    pairs.filter((pair) => pair).map(([term, ...what]) => [el("dt", {}, term), el("dd", {}, what)]),
  );
}

/** A part of a page, under a heading of its own. */
function part(title, ...children) {
  return el("section", {}, el("h3", {}, title), children);
}
