// The first page: what is in it, why is this here, can I trust it; and below, how it runs and what it is called.

const NOTICE =
  "This image was not built by clnstrt. What is in it was read from the image itself; how and from what it was " +
  "built is not known.";

function summaryPage() {
  const cards = el(
    "div",
    { class: "cards" },
    card("what", "What is in it?", whatCard()),
    card("why", "Why is this here?", whyBox({ most: 7 })),
    card("trust", "Can I trust it?", trustList()),
  );
  const notice = data.builtHere ? null : el("p", { class: "notice" }, NOTICE);
  return { title: "Summary", content: [notice, cards, runPart(), identityPart()] };
}

function card(id, title, ...content) {
  return el(
    "section",
    { id, class: "card", "aria-labelledby": `${id}-title` },
    el("h3", { id: `${id}-title` }, title),
    content,
  );
}

function whatCard() {
  const files = images.reduce((sum, image) => sum + image.files.length, 0);
  const figures = el(
    "p",
    { class: "figures" },
    figure("#/packages", packages.length, "package"),
    figure("#/files", files, "file"),
    figure("#/licences", data.licences.filter((each) => each.name !== "unknown").length, "licence"),
  );
  return [figures, kindBars(), sizeTable(), licenceNote()];
}

function figure(to, number, noun) {
  return anchor(to, el("strong", {}, numbers.format(number)), " ", number === 1 ? noun : `${noun}s`);
}

/** How many packages there are of each kind, as bars that lead to them. */
function kindBars() {
  const kinds = tally(packages, (each) => each.kind);
  const most = Math.max(...kinds.map(([, number]) => number));
  const bar = ([kind, number]) => {
    const length = el("span", { class: "bar", "aria-hidden": "true" });
    length.style.width = `${(100 * number) / most}%`;
    const link = anchor(address("packages", kind), spoken(KINDS, kind));
    return el(
      "li",
      {},
      link,
      el("span", { class: "amount" }, numbers.format(number)),
      el("span", { class: "track" }, length),
    );
  };
  return el("ul", { class: "bars", "aria-label": "Packages by kind" }, kinds.map(bar));
}

function sizeTable() {
  const columns = [
    {
      title: "For",
      value: (row) => imageKeys()[row],
      cell: (row) => anchor(folderAddress(row, ""), named(imageKeys()[row])),
      plain: true,
    },
    { title: "Packages", value: packagesIn, number: true, plain: true },
    { title: "Files", value: (row) => images[row].files.length, number: true, plain: true },
    { title: "Compressed", value: () => 0, cell: (row) => bytes(compressed(images[row])), number: true, plain: true },
  ];
  return table({ key: "sizes", caption: "By architecture", columns, rows: [...images.keys()] });
}

function licenceNote() {
  const none = packages.filter((each) => each.licence === null).length;
  return none === 0 ? null : el("p", { class: "quiet" }, `Of ${count(none, "package")} the licence is not known.`);
}

function runPart() {
  const several = data.runs.length > 1;
  return part(
    "How it runs",
    ...data.runs.map(({ architectures, run }) => [
      several ? el("h4", {}, architectures.join(", ")) : null,
      runFacts(run),
    ]),
  );
}

function runFacts({ entrypoint, command, user, workdir, ports, env }) {
  return facts([
    ["Starts", commandWords(entrypoint)],
    ["Arguments", commandWords(command)],
    ["User", user ? named(user) : "not set: root"],
    ["Works in", workdir ? code(workdir) : "not set: /"],
    ["Ports", commandWords(ports)],
    [
      "Environment",
      env?.length > 0
        ? el(
            "ul",
            { class: "lines" },
            env.map((each) => el("li", {}, code(each))),
          )
        : "none",
    ],
  ]);
}

/** The words of a command, each apart from the next: one may have spaces in it. */
function commandWords(list) {
  return list?.length > 0 ? list.map((each) => [code(each), " "]) : "none";
}

function identityPart() {
  const manifests = images.map((image, index) => [`Image, ${imageKeys()[index]}`, digest(image.manifest)]);
  return part(
    "What it is called",
    facts([
      ["Name", known(data.name)],
      ["Version", known(data.version)],
      ["Created", data.created === null ? unknown() : time(data.created)],
      ["Index", digest(data.index)],
      ...manifests,
    ]),
  );
}
