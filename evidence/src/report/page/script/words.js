// How numbers, times and the short words of the data are said.

const NOT_BUILT_HERE = "Not known: this image was not built by clnstrt.";

const numbers = new Intl.NumberFormat("en");

/** "1 package", "1,204 packages"; the noun's plural is given where it is not made with an s. */
function count(number, noun, plural = `${noun}s`) {
  return `${numbers.format(number)} ${number === 1 ? noun : plural}`;
}

/** A number of bytes as people say it. */
function bytes(number) {
  if (number === null || number === undefined) return unknown();
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let unit = 0;
  for (; number >= 999.5 && unit < units.length - 1; unit += 1) number /= 1000;
  return `${unit === 0 || number >= 99.5 ? numbers.format(Math.round(number)) : number.toFixed(1)} ${units[unit]}`;
}

function time(text) {
  const moment = new Date(text);
  if (Number.isNaN(moment.getTime())) return text;
  const said = { dateStyle: "long", timeStyle: "short", timeZone: "UTC" };
  return el("time", { datetime: text }, `${new Intl.DateTimeFormat("en-GB", said).format(moment)} UTC`);
}

function unknown() {
  return quiet("not known");
}

/** The text, or that it is not known. */
function known(text) {
  return text === null || text === undefined || text === "" ? unknown() : named(text);
}

/** A paragraph about something that is missing: nobody can know it, or it was not done. */
function absent(otherwise) {
  return el("p", { class: "absent" }, data.builtHere ? otherwise : NOT_BUILT_HERE);
}

/** Any value of the data in words. */
function said(value) {
  if (value === null) return unknown();
  if (Array.isArray(value) && value.every((each) => typeof each !== "object")) return named(value.join(", "));
  return named(typeof value === "object" ? JSON.stringify(value) : value);
}

const KINDS = {
  deb: "Debian",
  pypi: "Python",
  npm: "JavaScript",
  gem: "Ruby",
  maven: "Java",
  golang: "Go",
  cargo: "Rust",
  source: "source",
  application: "application",
};

/** What vouches for a package's bytes, in a table and in full. */
const VERIFICATIONS = {
  openpgp: ["signed release", "a signed release of its distribution (OpenPGP)"],
  signature: ["signature", "its project's own signature"],
  dsc: ["signed source", "a developer's signature of its source (.dsc)"],
  "index-hash": ["index digest", "the digest its index gave over TLS, pinned since"],
  "unsigned-upstream": [
    "nothing",
    "nothing: its digest came over a connection nobody vouches for, and is pinned since",
  ],
  own: ["author", "its author alone: it was not fetched"],
};

const ASKED = { package: "asked for by the author", base: "part of the base", application: "the author's application" };

/** A word of the data in the words of a table, or as it is if the table has none. */
function spoken(table, word) {
  return Object.hasOwn(table, word) ? table[word] : word;
}

/** What vouches for a package, in a few words; `at` 1 for all of them. */
function verification(index, at = 0) {
  const word = vouched(index);
  if (word === null) return unknown();
  return Object.hasOwn(VERIFICATIONS, word) ? VERIFICATIONS[word][at] : named(word);
}

/** What a state means to somebody who does not see its colour. */
const STATES = { good: ["✓", "good"], warn: ["!", "look at this"], bad: ["✗", "bad"], unknown: ["?", "not known"] };

function mark(state) {
  const [sign, word] = STATES[state];
  return el(
    "span",
    { class: `mark ${state}` },
    el("span", { "aria-hidden": "true" }, sign),
    el("span", { class: "unseen" }, `${word}: `),
  );
}
