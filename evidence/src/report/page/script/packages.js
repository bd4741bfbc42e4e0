// All packages, and those of one kind.

function packageColumns() {
  return [
    { title: "Package", value: (row) => packages[row].name, cell: packageLink },
    { title: "Version", value: (row) => packages[row].version },
    { title: "Kind", value: (row) => spoken(KINDS, packages[row].kind) },
    { title: "Licence", value: (row) => packages[row].licence },
    { title: "Vouched for by", value: vouched, cell: (row) => verification(row) },
    { title: "Needed by", value: (row) => edges().neededBy[row].length, cell: (row) => whyLink(row), number: true },
    { title: "Size", value: weight, cell: (row) => bytes(weight(row)), number: true },
  ];
}

/** How many packages need this one, as the link to why it is there. */
function whyLink(index) {
  const { length } = edges().neededBy[index];
  const none = !data.builtHere ? "not known" : rootsOf()[index].length > 0 ? "asked for" : "0";
  const shown = length === 0 ? none : numbers.format(length);
  return el("a", { href: address("why", index), "aria-label": `${shown}: why ${packages[index].name} is here` }, shown);
}

function packagesTable(rows) {
  const find = finder(rows, (row) => {
    const { name: text, version, kind, licence, purl } = packages[row];
    return [text, version, kind, spoken(KINDS, kind), licence, purl].join(" ");
  });
  const caption = "Packages, with what vouches for each and how many others need it";
  return table({
    key: "packages",
    caption,
    label: "Search packages",
    noun: ["package"],
    columns: packageColumns(),
    rows,
    find,
  });
}

function packagesPage([kind, ...beyond]) {
  const kinds = tally(packages, (each) => each.kind);
  if (beyond.length > 0 || (kind !== undefined && !kinds.some(([each]) => each === kind))) return null;
  const rows = [...packages.keys()].filter((index) => kind === undefined || packages[index].kind === kind);
  const choice = (to, text, number, chosen) => chosenLink(to, chosen, text, " ", quiet(numbers.format(number)));
  const choices = el(
    "p",
    { class: "choices" },
    choice("#/packages", "All", packages.length, kind === undefined),
    kinds.map(([each, number]) => choice(address("packages", each), spoken(KINDS, each), number, each === kind)),
  );
  const title = kind === undefined ? "Packages" : `Packages: ${spoken(KINDS, kind)}`;
  return { title, content: [kinds.length > 1 ? choices : null, packagesTable(rows)] };
}
