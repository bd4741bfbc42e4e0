// The files of an image, folder by folder or by search.

/**
 * The columns of a list of files, named from the folder they are shown in. Rows are files, or folders
 * `{folder, files, size}`.
 */
function fileColumns(image, folder = "") {
  const within = (path) => path.slice(folder.length + (folder === "" ? 0 : 1));
  return [
    {
      title: "Path",
      value: (row) => row.folder ?? row[0],
      cell: (row) =>
        row.folder
          ? anchor(folderAddress(image, row.folder), named(`${within(row.folder)}/`))
          : fileLink(image, row[0], within(row[0])),
    },
    {
      title: "Package",
      value: (row) => packages[row[3]]?.name ?? null,
      cell: (row) => (row.folder ? quiet(count(row.files, "file")) : owner(row[3])),
    },
    {
      title: "Layer",
      value: (row) => row[2] ?? null,
      cell: (row) => (row.folder ? "" : layerLink(image, row[2])),
      number: true,
    },
    {
      title: "Size",
      value: (row) => (row.folder ? row.size : row[1]),
      cell: (row) => (row[5] ? quiet("link") : bytes(row.folder ? row.size : row[1])),
      number: true,
    },
  ];
}

function owner(index) {
  return packages[index] ? packageLink(index) : quiet("no package");
}

function layerLink(image, layer) {
  const title = images[image].layers[layer]?.title ?? null;
  return anchor("#/layers", title, String(layer));
}

/** What is directly in a folder: its folders, with what is below them summed up, and then its files. */
function entries(image, folder) {
  const start = `${folder}/`;
  const folders = new Map();
  const files = [];
  for (const file of images[image].files) {
    if (!file[0].startsWith(start)) continue;
    const end = file[0].indexOf("/", start.length);
    if (end < 0) files.push(file);
    else addBelow(folders, file[0].slice(0, end), file[1]);
  }
  return [...folders.values(), ...files];
}

function addBelow(folders, folder, size) {
  if (!folders.has(folder)) folders.set(folder, { folder, files: 0, size: 0 });
  const sum = folders.get(folder);
  sum.files += 1;
  sum.size += size;
}

/** The image that a segment names; the first where there is no segment. */
function imageNamed(segment) {
  const index = segment === undefined ? 0 : imageKeys().indexOf(segment);
  return images[index] ? index : null;
}

function filesPage([segment, ...steps]) {
  const image = imageNamed(segment);
  if (image === null) return null;
  const folder = steps.map((step) => `/${step}`).join("");
  const rows = entries(image, folder);
  if (rows.length === 0 && folder !== "") return null;
  const below = images[image].files.filter((file) => file[0].startsWith(`${folder}/`));
  const find = finder(below, (file) => file[0].slice(folder.length));
  const caption = `What is in ${folder || "/"} of the ${imageKeys()[image]} image`;
  const label = folder === "" ? "Search all files" : `Search below ${folder}`;
  const columns = fileColumns(image, folder);
  const content = [
    imageChoices(image, (each) => folderAddress(each, folder)),
    crumbs(image, steps),
    table({ key: "files", caption, label, noun: ["entry", "entries"], columns, rows, find }),
  ];
  return { title: `Files of ${imageKeys()[image]}: ${folder || "/"}`, content };
}

/** The images to choose from, where there are several. */
function imageChoices(chosen, to) {
  if (images.length < 2) return null;
  const choice = (key, index) => chosenLink(to(index), index === chosen, named(key));
  return el("p", { class: "choices" }, imageKeys().map(choice));
}

/** The folders on the way to where the reader is, each a link. */
function crumbs(image, steps) {
  const link = (step, at) => {
    const to = folderAddress(image, steps.slice(0, at + 1).join("/"));
    return [
      " / ",
      at === steps.length - 1 ? el("span", { "aria-current": "location" }, named(step)) : anchor(to, named(step)),
    ];
  };
  const root = anchor(folderAddress(image, ""), named(imageKeys()[image]));
  return el("nav", { class: "crumbs", "aria-label": "Folders" }, root, steps.map(link));
}
