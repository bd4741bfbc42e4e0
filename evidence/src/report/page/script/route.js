// Which page is shown: the part of the address after # says it.

/** The address of a page within the report. */
function address(...segments) {
  return `#/${segments.map(encodeURIComponent).join("/")}`;
}

function packageLink(index) {
  return anchor(address("package", index), named(packages[index].name));
}

/** The link to a file of an image, which shows the end of its path or all of it. */
function fileLink(image, path, shown = path) {
  return anchor(fileAddress(image, path), named(shown));
}

function fileAddress(image, path) {
  return address("file", imageKeys()[image], ...path.split("/").filter(Boolean));
}

function folderAddress(image, folder) {
  return address("files", imageKeys()[image], ...folder.split("/").filter(Boolean));
}

/** A web page is linked only if it is one; anything else is shown as it is. */
function webLink(text) {
  return /^https?:\/\//i.test(text) ? el("a", { href: text, rel: "noopener noreferrer" }, named(text)) : named(text);
}

/** The number that a segment is, if a list has an entry of that number. */
function indexIn(list, segment) {
  return /^\d{1,9}$/.test(segment) && Number(segment) < list.length ? Number(segment) : null;
}

function segments() {
  try {
    return location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  } catch {
    return [location.hash];
  }
}

/**
 * Pages by the first segment: the section they belong to, and what makes them of the other segments, or null if there
 * is no such page.
 */
const PAGES = {
  packages: ["packages", packagesPage],
  package: ["packages", packagePage],
  why: ["why", whyPage],
  graph: ["graph", graphPage],
  files: ["files", filesPage],
  file: ["files", filePage],
  licences: ["licences", licencesPage],
  licence: ["licences", licencePage],
  layers: ["layers", layersPage],
  hardening: ["hardening", hardeningPage],
  provenance: ["provenance", provenancePage],
  findings: ["findings", findingsPage],
  documents: ["documents", documentsPage],
};

/** The page of these segments: `{section, title, content}`. */
function pageOf([first, ...rest]) {
  if (first === undefined) return { section: "", ...summaryPage() };
  const [section, make] = Object.hasOwn(PAGES, first) ? PAGES[first] : ["none", () => null];
  return { section, ...(make(rest) ?? nowhere()) };
}

function nowhere() {
  const home = anchor("#/", "Go to the summary");
  return {
    title: "No such page",
    content: [el("p", {}, "This report has nothing at ", code(location.hash), ". ", home, ".")],
  };
}

/** Where the reader was at each entry of the browser's history, so that going back leads to the same rows. */
const places = new Map();
let place;

/** The place of the entry that is shown now, and whether it is a known one. Times make keys that no reload repeats. */
function arrive() {
  const known = places.get(history.state);
  if (known) return [known, true];
  const key = performance.timeOrigin + performance.now() + places.size;
  places.set(key, { top: 0, kept: {} });
  history.replaceState(key, "");
  return [places.get(key), false];
}

const reportTitle = document.title;

function titled(title) {
  document.title = `${plain(title)} · ${reportTitle}`;
}

/** Shows the page of the address. The heading takes the focus, except when the report has just been opened. */
function show(opened) {
  const [arrived, again] = arrive();
  place = arrived;
  const { section, title, content } = pageOf(segments());
  const heading = el("h2", { tabindex: "-1" }, named(title));
  refill(document.getElementById("main"), heading, content);
  titled(title);
  for (const link of document.querySelectorAll("#nav a")) {
    if (link.hash.slice(2) === section) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!opened) heading.focus({ preventScroll: true });
  scrollTo(0, again ? place.top : 0);
}
