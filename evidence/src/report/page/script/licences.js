// Licences, with the packages that state them and the texts that were found.

function licenceLink(index) {
  return anchor(address("licence", index), named(data.licences[index].name));
}

function licencesTable() {
  const columns = [
    { title: "Licence", value: (row) => data.licences[row].name, cell: licenceLink },
    { title: "Packages", value: (row) => data.licences[row].packages.length, number: true },
    { title: "Texts", value: (row) => data.licences[row].texts.length, number: true },
  ];
  const rows = [...data.licences.keys()];
  const find = finder(rows, (row) => data.licences[row].name);
  const caption = "Licences, as packages state them";
  return table({ key: "licences", caption, label: "Search licences", noun: ["licence"], columns, rows, find });
}

function licencesPage(beyond) {
  return beyond.length > 0 ? null : { title: "Licences", content: licencesTable() };
}

function licencePage([segment, ...beyond]) {
  const index = segment === undefined || beyond.length > 0 ? null : indexIn(data.licences, segment);
  if (index === null) return null;
  const licence = data.licences[index];
  const title = licence.name === "unknown" ? "Licence not known" : licence.name;
  const texts =
    licence.texts.length === 0 ? el("p", {}, "No text of it was found in the image.") : licence.texts.map(licenceText);
  return { title, content: [part("Packages", packagesTable(licence.packages)), part("Texts", texts)] };
}

/** A text behind a button: there may be hundreds of long ones, so each is written when it is opened. */
function licenceText(index) {
  const text = data.texts[index];
  const body = el("pre", { tabindex: "0" });
  const fit = () => (body.textContent = body.textContent || plain(text.text.replace(/[\r\f]/g, "")));
  const first = text.files[0];
  const from = text.files.map(([image, file]) =>
    el("li", {}, fileLink(image, images[image].files[file][0]), " ", quiet(imageKeys()[image])),
  );
  const where = first ? images[first[0]].files[first[1]][0] : "no file";
  const also = from.length > 1 ? ` and ${count(from.length - 1, "other file")}` : "";
  const summary = el("summary", {}, named(text.id ?? "Text"), " ", quiet(`${where}${also}`));
  return el("details", { toggle: fit }, summary, el("ul", { class: "lines" }, from), body);
}
