// What the image was built from and by what, whether a second build gives the same, and what was found on the way.

function provenanceParts() {
  const given = data.provenance;
  if (given === null) return [absent("Not recorded."), reproducedPart()];
  const { config } = given;
  const source = [
    ["Builder", known(given.builder)],
    ["Build type", webLink(given.buildType)],
    ["Configuration", named(config.path), " ", digest(config.digest)],
    ["Repository", config.repository === null ? unknown() : webLink(config.repository)],
    ["Commit", config.commit === null ? unknown() : digest(config.commit)],
    ["Plan", digest(given.plan)],
    ["Lock", digest(given.lock)],
    ["Inputs", count(given.materials, "recorded input")],
  ];
  return [
    part("What it was built from", facts(source)),
    part("Parameters", listed("Parameters of the build", ["Parameter", "Value"], given.parameters)),
    part("What build commands could reach", listed("The sandbox of the build", ["What", "How"], given.sandbox)),
    reproducedPart(),
  ];
}

function listed(caption, titles, object) {
  const rows = Object.entries(object ?? {});
  return rows.length === 0 ? el("p", {}, "None are recorded.") : pairs(caption, titles, rows);
}

function reproducedPart() {
  const { state, words } = reproducedPoint();
  const different = (data.reproducible?.different ?? []).map((step) => el("li", {}, named(step)));
  return part(
    "Does a second build give the same?",
    el("p", {}, mark(state), words, "."),
    different.length > 0 ? [el("p", {}, "Different the second time:"), el("ul", {}, different)] : null,
  );
}

function provenancePage(beyond) {
  return beyond.length > 0 ? null : { title: "Provenance", content: provenanceParts() };
}

function findingsTable() {
  if (data.findings.length === 0) return el("p", { class: "absent" }, `${findingsPoint().words}.`);
  const columns = [
    {
      title: "Level",
      value: (row) => row[0],
      cell: (row) => [mark(row[0] === "error" ? "bad" : "warn"), named(row[0])],
    },
    { title: "Code", value: (row) => row[1], cell: (row) => code(row[1]) },
    { title: "Finding", value: (row) => row[2] },
  ];
  const find = finder(data.findings, (row) => row.join(" "));
  return table({
    key: "findings",
    caption: "What was found",
    label: "Search findings",
    noun: ["finding"],
    columns,
    rows: data.findings,
    find,
  });
}

function findingsPage(beyond) {
  return beyond.length > 0 ? null : { title: "Findings", content: findingsTable() };
}

function documentsTable() {
  if (data.documents.length === 0) return el("p", { class: "absent" }, "None were written with this report.");
  const columns = [
    { title: "Document", value: (row) => row[0] },
    { title: "Form", value: (row) => row[1] },
    { title: "Size", value: (row) => row[3], cell: (row) => bytes(row[3]), number: true },
    { title: "Digest", value: (row) => row[2], cell: (row) => digest(row[2], true), plain: true },
  ];
  return table({
    key: "documents",
    caption: "Documents about this image, for other programs to read",
    columns,
    rows: data.documents,
  });
}

function documentsPage(beyond) {
  return beyond.length > 0 ? null : { title: "Documents", content: documentsTable() };
}
