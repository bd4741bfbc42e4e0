// The graph around one package: what needs it on the left, what it needs on the right. Each of them moves the middle.

const SIDE = 24;
const NODE = { width: 240, height: 26, row: 32 };
const narrow = matchMedia("(max-width: 45rem)");

function graphPage([segment, ...beyond]) {
  if (beyond.length > 0) return null;
  const index = segment === undefined ? middle() : indexIn(packages, segment);
  if (segment !== undefined && index === null) return null;
  if (index === null) return { title: "Graph", content: el("p", { class: "absent" }, "There are no packages.") };
  const search = el(
    "div",
    { class: "box" },
    picker({ id: "graph", label: "Show another package", first: null, settled: move }),
  );
  const { needs, neededBy } = edges();
  const sides = [
    side("Needed by", neededBy[index], (edge) => edge.from),
    side("Needs", needs[index], (edge) => edge.to),
  ];
  const between = " between what needs it and what it needs. Numbers say how many there are further on.";
  const explain = el("p", {}, named(packages[index].name), between);
  const links = el(
    "p",
    { class: "onward" },
    anchor(address("package", index), "All about it"),
    " · ",
    anchor(address("why", index), "Why it is here"),
  );
  const unknownNeeds = data.needs.length === 0 && !data.builtHere ? absent() : null;
  const graph = el("div", { id: "graph" }, drawing(index, sides), el("div", { class: "halves" }, sides.map(restList)));
  return { title: `Graph: ${packages[index].name}`, content: [search, explain, unknownNeeds, graph, links] };
}

/** Where to begin: with what was asked for and brings most, or else with what needs most. */
function middle() {
  const asked = data.roots.map(([index]) => index);
  const from = asked.length > 0 ? asked : [...packages.keys()];
  const most = (best, index) =>
    best === null || edges().needs[index].length > edges().needs[best].length ? index : best;
  return from.reduce(most, null);
}

/** Goes to what was picked by hand; what is only typed may be the beginning of a longer name. */
function move(index, byHand) {
  if (byHand) location.hash = address("graph", index);
}

/** One side: its nodes by name, of which the first are drawn. */
function side(title, list, end) {
  const nodes = list.map((edge) => ({ index: end(edge), edge }));
  nodes.sort((one, other) => collator.compare(packages[one.index].name, packages[other.index].name));
  return { title, nodes, drawn: nodes.slice(0, SIDE), rest: nodes.slice(SIDE) };
}

function drawing(index, sides) {
  return narrow.matches ? stacked(index, sides) : threeColumns(index, sides);
}

/** The middle between two columns. */
function threeColumns(index, [left, right]) {
  const gap = 110;
  const width = 3 * NODE.width + 2 * gap;
  const height = Math.max(left.drawn.length, right.drawn.length, 1) * NODE.row + 28;
  const centre = { x: NODE.width + gap, y: 24 + (height - 28) / 2 };
  const column = ({ drawn }, x) =>
    drawn.map((node, at) => ({ ...node, x, y: centre.y + (at - (drawn.length - 1) / 2) * NODE.row }));
  const curve = (from, to) =>
    `M${from.x} ${from.y}C${from.x + gap / 2} ${from.y} ${to.x - gap / 2} ${to.y} ${to.x} ${to.y}`;
  const end = { x: centre.x + NODE.width, y: centre.y };
  return picture(width, height, index, centre, [
    [left, column(left, 0), (node) => curve({ x: NODE.width, y: node.y }, centre)],
    [right, column(right, end.x + gap), (node) => curve(end, node)],
  ]);
}

/** The middle below one column and above the other, for narrow screens. */
function stacked(index, [above, below]) {
  const indent = 28;
  const top = 24 + NODE.row / 2;
  const centre = { x: 0, y: top + above.drawn.length * NODE.row + 8 };
  const first = centre.y + NODE.row + 30;
  const height = first + below.drawn.length * NODE.row;
  const column = ({ drawn }, y) => drawn.map((node, at) => ({ ...node, x: indent, y: y + at * NODE.row }));
  const bracket = (node) => `M${indent} ${node.y}H12V${centre.y}`;
  return picture(NODE.width + indent, height, index, centre, [
    [above, column(above, top), bracket],
    [below, column(below, first), bracket],
  ]);
}

/** Titles, lines and nodes at their places; y is the middle of a node. */
function picture(width, height, index, centre, columns) {
  const line = (path) => (node) => svg("path", { class: node.edge.held ? "line held" : "line", d: path(node) });
  const lines = columns.map(([, placed, path]) => placed.map(line(path)));
  const groups = columns.map(([{ title, nodes, drawn }, placed]) => {
    const words = `${title}: ${nodes.length === 0 && !data.builtHere ? "not known" : numbers.format(nodes.length)}`;
    const [x, y] = drawn.length > 0 ? [placed[0].x, placed[0].y - NODE.row / 2 - 6] : [null, null];
    const caption = x === null ? null : svg("text", { class: "side", x: x + 2, y }, words);
    const links = placed.map((node) => nodeLink(node, title));
    return svg("g", { role: "group", "aria-label": words }, caption, links);
  });
  const view = {
    viewBox: `0 0 ${width} ${height}`,
    role: "group",
    "aria-label": `What needs ${packages[index].name}, and what it needs`,
  };
  const drawn = svg("svg", view, lines, groups[0], centreLink(index, centre), groups[1]);
  drawn.style.maxWidth = `${width}px`;
  return drawn;
}

function nodeLink({ index, edge, x, y }, title) {
  const { needs, neededBy } = edges();
  const further = title === "Needs" ? needs[index].length : neededBy[index].length;
  const because = [edge.words.join(", ") || null, edge.held ? "brought along within" : null]
    .filter((each) => each !== null)
    .join("; ");
  const full = `${packages[index].name} ${packages[index].version ?? ""}`.trim();
  const attributes = { class: rootsOf()[index].length > 0 ? "node root" : "node", href: address("graph", index) };
  const number =
    further === 0
      ? null
      : svg(
          "text",
          { class: "further", x: x + NODE.width - 8, y: y + 4, "text-anchor": "end", "aria-hidden": "true" },
          numbers.format(further),
        );
  return svg(
    "a",
    attributes,
    svg("title", {}, because === "" ? full : `${full}: ${because}`),
    nodeBox(x, y),
    nodeLabel(index, x, y, 27),
    number,
  );
}

function centreLink(index, { x, y }) {
  const attributes = {
    id: "graph-centre",
    href: address("package", index),
    "aria-label": `${packages[index].name}, in the middle: all about it`,
  };
  return svg("a", attributes, nodeBox(x, y), nodeLabel(index, x, y, 30));
}

function nodeBox(x, y) {
  return svg("rect", { x: x + 0.5, y: y - NODE.height / 2, width: NODE.width - 1, height: NODE.height, rx: 4 });
}

function nodeLabel(index, x, y, most) {
  const text = plain(packages[index].name);
  return svg("text", { x: x + 9, y: y + 4 }, text.length > most ? `${text.slice(0, most - 1)}…` : text);
}

/** What was not drawn of a side, behind a button. */
function restList({ title, rest }) {
  if (rest.length === 0) return el("div", {});
  const list = el(
    "ul",
    { hidden: "" },
    rest.map(({ index }) => el("li", {}, anchor(address("graph", index), named(packages[index].name)))),
  );
  const opener = button("rest", open, `${title}: ${numbers.format(rest.length)} more`);
  function open() {
    list.hidden = !list.hidden;
    opener.setAttribute("aria-expanded", String(!list.hidden));
  }
  opener.setAttribute("aria-expanded", "false");
  return el("div", {}, opener, list);
}
