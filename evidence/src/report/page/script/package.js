// The page of a package: what it is, what vouches for it, why it is there, what is around it, its files.

function packagePage([segment, ...beyond]) {
  const index = segment === undefined || beyond.length > 0 ? null : indexIn(packages, segment);
  if (index === null) return null;
  const each = packages[index];
  const about = each.description === null ? null : el("p", {}, named(each.description));
  return {
    title: `${each.name} ${each.version ?? ""}`.trim(),
    content: [about, packageFacts(index), whyPart(index), aroundPart(index), filesPart(index)],
  };
}

function packageFacts(index) {
  const each = packages[index];
  const held = packages[each.holder];
  return facts([
    ["Kind", named(spoken(KINDS, each.kind))],
    ["Version", known(each.version)],
    ["Licence", each.licence === null ? unknown() : licenceLinks(index)],
    ["Supplier", known(each.supplier)],
    ["Home page", each.homepage === null ? unknown() : webLink(each.homepage)],
    [
      "Vouched for by",
      held && each.verification === null
        ? ["the package it came with: ", verification(index, 1)]
        : verification(index, 1),
    ],
    [
      "Compiled",
      data.builtHere ? (each.compiledHere ? "here, as part of this build" : "not here: it came as it is") : unknown(),
    ],
    each.source === null ? null : ["Source", named(each.source)],
    held ? ["Brought along by", packageLink(each.holder)] : null,
    ["In", each.images.map((image) => imageKeys()[image]).join(", ")],
    [
      "Package URL",
      each.purl === null
        ? unknown()
        : el("span", { class: "digest" }, code(each.purl), " ", copyButton(each.purl, "package URL")),
    ],
    ["SHA-256", digest(each.sha256)],
  ]);
}

/** The licence as the package states it, and the names in it that have a page. */
function licenceLinks(index) {
  const { licence } = packages[index];
  const pages = [...data.licences.keys()].filter((each) => data.licences[each].packages.includes(index));
  if (pages.length === 1 && data.licences[pages[0]].name === licence) return licenceLink(pages[0]);
  return [
    named(licence),
    pages.length > 0 ? ": " : null,
    pages.map((each, at) => [at > 0 ? ", " : null, licenceLink(each)]),
  ];
}

function whyPart(index) {
  const chains = chainsTo(index);
  if (chains.length === 0) return part("Why it is here", without(index));
  const more =
    chains.length > 1
      ? el("p", {}, anchor(address("why", index), `All ${numbers.format(chains.length)} ways that lead here`))
      : null;
  return part("Why it is here", chainList(chains[0]), more);
}

function aroundPart(index) {
  const { needs, neededBy } = edges();
  const graph = el("p", {}, anchor(address("graph", index), "Show it in the graph"));
  const lists = el(
    "div",
    { class: "halves" },
    neighbours("Needed by", neededBy[index], (edge) => edge.from),
    neighbours("Needs", needs[index], (edge) => edge.to),
  );
  return part("Around it", lists, graph);
}

function neighbours(title, list, end) {
  const columns = [
    { title: "Package", value: (edge) => packages[end(edge)].name, cell: (edge) => packageLink(end(edge)) },
    { title: "As", value: (edge) => edge.words[0] ?? null, cell: (edge) => because(edge) },
  ];
  const none = data.builtHere ? el("p", {}, `${title}: none.`) : el("p", {}, `${title}: not known.`);
  return list.length === 0
    ? none
    : table({
        key: title,
        caption: `${title}: ${numbers.format(list.length)}`,
        columns,
        rows: list,
        noun: ["package"],
      });
}

function filesPart(index) {
  return part(
    "Its files",
    packages[index].images.map((image) => {
      const files = filesOf()[image]?.[index] ?? [];
      if (files.length === 0) return el("p", {}, `No files in ${imageKeys()[image]}.`);
      const caption = `Files in ${imageKeys()[image]}: ${numbers.format(files.length)}`;
      const find = files.length > 20 ? finder(files, (file) => file[0]) : null;
      const [path, , layer, size] = fileColumns(image);
      const label = `Search its files in ${imageKeys()[image]}`;
      return table({
        key: `files-${image}`,
        caption,
        label,
        noun: ["file"],
        columns: [path, layer, size],
        rows: files,
        find,
      });
    }),
  );
}
