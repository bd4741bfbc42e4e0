// On paper nothing can be clicked: the summary brings the other sections with it, and packages are listed in full.

let printed = [];

function beforePrint() {
  const [first] = segments();
  if (first === undefined) {
    printed = paperSections().map(([title, content]) =>
      el("section", { class: "paper" }, el("h2", {}, title), content),
    );
    document.getElementById("main").append(...printed);
  }
  if (first === undefined || first === "packages") {
    for (const each of document.querySelectorAll("main .table")) each.showAll();
  }
}

function paperSections() {
  return [
    ["Provenance", provenanceParts()],
    ["Findings", findingsTable()],
    ["Hardening", hardeningSummary()],
    ["Layers", layerTables()],
    ["Documents", documentsTable()],
    ["Licences", licencesTable()],
    ["Packages", packagesTable([...packages.keys()])],
  ];
}

function afterPrint() {
  for (const each of printed) each.remove();
  printed = [];
}
