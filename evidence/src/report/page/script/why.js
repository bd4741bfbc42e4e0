// The box that answers why a package is there, on the summary and on a page of its own.

const MATCHES = 40;
const CHAINS = 4;

/** The packages that the words are found in: same name first, then names that begin so, then shorter names. */
const packageSearch = once(() => {
  const text = (index) => `${packages[index].name} ${packages[index].purl ?? packages[index].id}`;
  const find = finder([...packages.keys()], text);
  return (query) => {
    const typed = query.toLowerCase();
    const far = (index) => {
      const name = packages[index].name.toLowerCase();
      return (name === typed ? 0 : name.startsWith(typed) ? 1 : 2) * 1e6 + name.length;
    };
    return find(query).sort((one, other) => far(one) - far(other));
  };
});

/**
 * A search for a package: the box, the count, and a button for each match. `settled` is told the package that was
 * picked by hand, or named in full, or null while there is none; `first` is picked at once.
 */
function picker({ id, label, settled, first }) {
  const [box, asked] = searchBox(`${id}-q`, label, { input: search, keydown: enter });
  const amount = el("p", { class: "count", id: `${id}-count`, "aria-live": "polite" });
  const matches = el("div", { class: "matches", id: `${id}-matches`, role: "group", "aria-label": "Packages found" });
  const state = (place.kept[id] ??= { query: first === null ? "" : packages[first].name, picked: null });
  const wanted = first ?? state.picked;

  function search() {
    state.query = box.value.trim();
    const found = state.query === "" ? [] : packageSearch()(state.query);
    refill(matches, found.slice(0, MATCHES).map(match));
    amount.textContent = state.query === "" ? "" : matching(found.length);
    const exact = found.filter((index) => packages[index].name.toLowerCase() === state.query.toLowerCase());
    pick(found.length === 1 ? found[0] : exact.length === 1 ? exact[0] : null);
  }

  function match(index) {
    const { name: text, version } = packages[index];
    const chip = button("match", () => pick(index, true), named(text), " ", quiet(version ?? ""));
    chip.dataset.index = index;
    return chip;
  }

  function pick(index, byHand = false) {
    for (const each of matches.children) each.setAttribute("aria-pressed", each.dataset.index === String(index));
    state.picked = index;
    settled(index, byHand);
  }

  function enter(event) {
    if (event.key === "Enter") matches.querySelector("button")?.click();
  }

  box.value = state.query;
  if (state.query !== "") search();
  if (wanted !== null) pick(wanted);
  return [asked, amount, matches];
}

function matching(found) {
  const most = found > MATCHES ? `, the nearest ${MATCHES} are listed` : "";
  return count(found, "package matches", "packages match") + most;
}

/**
 * The whole box. `first` is answered at once, `settled` hears of every answer, and `most` is how many of the things
 * that were asked for are listed.
 */
function whyBox({ first = null, settled = () => {}, most }) {
  const reply = el("div", { id: "why-answer", "aria-live": "polite" }, asked(most));
  const answer = (index) => {
    refill(reply, index === null ? asked(most) : chainsAnswer(index));
    settled(index);
  };
  return [picker({ id: "why", label: "Search a package", settled: answer, first }), reply];
}

/** What the author asked for: where every chain begins. */
function asked(most) {
  if (data.roots.length === 0) return absent("Nothing is recorded as asked for.");
  const item = ([index, words, kind]) => {
    const others = reach(index);
    const brings = others === 0 ? null : `brings ${count(others, "other", "others")}`;
    const about = [kind === "package" ? null : spoken(ASKED, kind), brings].filter((each) => each !== null);
    const link = anchor(address("why", index), named(words || packages[index].name));
    return el("li", {}, link, " ", quiet(about.join("; ")));
  };
  // A package of two architectures is two packages, asked for in the same words.
  const once = new Map(data.roots.map((root) => [`${packages[root[0]].name} ${root[1]} ${root[2]}`, root]));
  const roots = [...once.values()];
  const rest = roots.length - most;
  const all = rest > 0 ? el("p", {}, anchor("#/why", `${numbers.format(rest)} more`)) : null;
  return [el("h4", {}, "What was asked for"), el("ul", { class: "asked" }, roots.slice(0, most).map(item)), all];
}

/** The chains that lead to a package, the nearest first, or that there are none. */
function chainsAnswer(index) {
  const { name: text, version } = packages[index];
  const title = el("h4", {}, named(text), " ", quiet(version ?? ""));
  const links = el(
    "p",
    { class: "onward" },
    anchor(address("package", index), "All about it"),
    " · ",
    anchor(address("graph", index), "In the graph"),
  );
  const chains = chainsTo(index);
  const list = el("div", { class: "chains" }, chains.slice(0, CHAINS).map(chainList));
  const all = () => {
    fill(list, chains.slice(CHAINS).map(chainList));
    more.remove();
    list.children[CHAINS].querySelector("a").focus({ preventScroll: true });
  };
  if (chains.length === 0) return [title, without(index), links];
  const more = button("more", all, `Show ${count(chains.length - CHAINS, "longer way")}`);
  const lead = el("p", {}, `Here by ${count(chains.length, "way", "ways")}, from what was asked for at the top:`);
  return [title, lead, list, chains.length > CHAINS ? more : null, links];
}

function without(index) {
  const lists = holdersOf(index).slice(0, CHAINS).map(chainList);
  return [absent("No recorded need leads from what was asked for to this package."), lists];
}

function whyPage([chosen, ...beyond]) {
  const index = chosen === undefined ? null : indexIn(packages, chosen);
  if (beyond.length > 0 || (chosen !== undefined && index === null)) return null;
  const title = (which) => (which === null ? "Why is this here?" : `Why is ${packages[which].name} here?`);
  let made = false;
  const settled = (which) => {
    if (!made) return;
    history.replaceState(history.state, "", which === null ? address("why") : address("why", which));
    refill(document.querySelector("main h2"), named(title(which)));
    titled(title(which));
  };
  const box = whyBox({ first: index, settled, most: Infinity });
  made = true;
  const heading = el("h3", { id: "why-title", class: "unseen" }, "Ways to it");
  const content = el("section", { id: "why", class: "box", "aria-labelledby": "why-title" }, heading, box);
  return { title: title(index), content };
}
