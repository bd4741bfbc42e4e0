// Why a package is there: the ways to it from what the author asked for.

/**
 * The shortest way from each thing that was asked for to a package, shortest first: `{start, edges}`.
 * One walk from the package backwards finds all of them, and meets what is near before what is far.
 */
function chainsTo(target) {
  const { starts, onward } = upFrom(target);
  return starts.filter((start) => rootsOf()[start].length > 0).map((start) => chain(start, onward));
}

/** What a package was brought along by, where nothing else is known of why it is there. */
function holdersOf(target) {
  const { onward, starts } = upFrom(target);
  const outermost = starts.filter((start) => start !== target && edges().neededBy[start].length === 0);
  return outermost.map((start) => chain(start, onward)).filter(({ edges }) => edges.every(({ held }) => held));
}

function upFrom(target) {
  const onward = new Map([[target, null]]);
  const starts = [target];
  for (const at of starts) {
    for (const edge of edges().neededBy[at]) {
      if (onward.has(edge.from)) continue;
      onward.set(edge.from, edge);
      starts.push(edge.from);
    }
  }
  return { starts, onward };
}

function chain(start, onward) {
  const edges = [];
  for (let edge = onward.get(start); edge; edge = onward.get(edge.to)) edges.push(edge);
  return { start, edges };
}

/** How many other packages are there for the sake of this one, directly or not. */
function reach(start) {
  const reached = new Set([start]);
  for (const at of reached) for (const { to } of edges().needs[at]) reached.add(to);
  return reached.size - 1;
}

/** A chain as a list: what was asked for, then each package with why it is needed by the one before it. */
function chainList({ start, edges }) {
  const asked = rootsOf()[start].map(({ words, kind }) => askedFor(words, kind));
  const first = el("li", {}, step(start), el("span", { class: "because" }, asked));
  const rest = edges.map((edge) => el("li", {}, step(edge.to), el("span", { class: "because" }, because(edge))));
  const target = edges.length > 0 ? edges.at(-1).to : start;
  return el(
    "ol",
    { class: "chain", "aria-label": `From ${packages[start].name} to ${packages[target].name}` },
    first,
    rest,
  );
}

function step(index) {
  return el("span", { class: "step" }, packageLink(index), " ", quiet(packages[index].version ?? ""));
}

function askedFor(words, kind) {
  return [spoken(ASKED, kind), words === "" ? "" : ": ", words === "" ? null : code(words), " "];
}

/** Why the one before needs it, in the words of its requirement. */
function because({ words, held }) {
  const needed = words.length > 0 ? ["needed as ", words.map((each, at) => [at > 0 ? ", " : "", code(each)])] : null;
  if (!held) return needed ?? "needed";
  return needed ? [needed, ", and brought along within"] : "brought along within";
}
