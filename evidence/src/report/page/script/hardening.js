// How compiled files are protected, as far as they prove it.

const PROTECTIONS = {
  pie: "loaded anywhere",
  relro: "relocations read-only",
  now: "bound at once",
  nx: "no executable stack",
  canary: "stack protector",
  "stack-protector": "stack protector",
  fortify: "checked calls",
  "control-flow": "control flow checks",
  "no-text-relocations": "code unchanged",
  "image-cryptography": "image's cryptography",
};

function protectionName(key) {
  return spoken(PROTECTIONS, key);
}

/** Whether a file has a protection, or that the file does not tell. */
function proof(value) {
  if (value === true) return el("span", { class: "good" }, "yes");
  if (value === false) return el("span", { class: "bad" }, "no");
  return value === null || value === undefined ? quiet("not proven") : said(value);
}

function hardeningOf(image) {
  return data.hardening.find((each) => each.architecture === imageKeys()[image]);
}

/** The protections that were looked for in any of the files, in the order of the first. */
function protectionsOf(files) {
  return [...new Set(files.flatMap((file) => Object.keys(file[3])))];
}

/** How many files have each protection, of those that were looked at for it. */
function protectionTable({ architecture, profile, files }, at) {
  const counted = protectionsOf(files).map((key) => {
    const values = files.map((file) => file[3][key]).filter((value) => value !== undefined);
    const [yes, no] = [true, false].map((wanted) => values.filter((value) => value === wanted).length);
    return { key, yes, no, unproven: values.length - yes - no };
  });
  const columns = [
    { title: "Protection", value: (row) => protectionName(row.key) },
    { title: "Yes", value: (row) => row.yes, number: true },
    { title: "No", value: (row) => row.no, number: true },
    { title: "Not proven", value: (row) => row.unproven, number: true },
  ];
  const caption = `${count(files.length, "compiled file")}, ${architecture}; profile: ${profile ?? "not known"}`;
  return table({ key: `protections-${at}`, caption, columns, rows: counted });
}

const RANKS = { lacking: 0, unproven: 1, whole: 2 };

/** Every compiled file, those that lack something first. */
function hardenedFiles({ architecture, files }, at) {
  const image = imageKeys().indexOf(architecture);
  const link = (path) => (image >= 0 ? fileLink(image, path) : named(path));
  const columns = [
    { title: "File", value: (file) => file[0], cell: (file) => link(file[0]) },
    { title: "Package", value: (file) => packages[file[1]]?.name ?? null, cell: (file) => owner(file[1]) },
    {
      title: "Compiled",
      value: (file) => file[2],
      cell: (file) => (file[2] === "compiled" ? "here" : named(file[2])),
    },
    ...protectionsOf(files).map((key) => ({
      title: protectionName(key),
      value: (file) => [false, null, true].indexOf(file[3][key] ?? null),
      cell: (file) => proof(file[3][key]),
    })),
  ];
  const rows = [...files].sort((one, other) => RANKS[hardness(one)] - RANKS[hardness(other)]);
  const find = finder(rows, (file) => `${file[0]} ${packages[file[1]]?.name ?? ""} ${file[2]}`);
  const caption = `Compiled files, ${architecture}`;
  return table({
    key: `hardening-${at}`,
    caption,
    label: `Search compiled files, ${architecture}`,
    noun: ["file"],
    columns,
    rows,
    find,
    wide: true,
  });
}

function hardeningSummary() {
  return data.hardening.length === 0
    ? absent("No compiled file was inspected.")
    : el("div", { class: "halves" }, data.hardening.map(protectionTable));
}

function hardeningPage(beyond) {
  if (beyond.length > 0) return null;
  const lists = data.hardening.map((each, at) => part(`Files, ${each.architecture}`, hardenedFiles(each, at)));
  return { title: "Hardening", content: [hardeningSummary(), lists] };
}
