// What speaks for the image and against it, each with where to read on.

function trustPoints() {
  return [
    verifiedPoint(),
    reproducedPoint(),
    hardenedPoint(),
    provenancePoint(),
    roomPoint(),
    findingsPoint(),
    userPoint(),
  ];
}

/** `state` is one of STATES; `to` is where there is more. */
function point(state, words, to = null) {
  return { state, words, to };
}

function foreign(what, to) {
  return point("unknown", `${what}: not known, as this image was not built by clnstrt`, to);
}

const VOUCHERS = {
  openpgp: "signed releases",
  signature: "their projects' signatures",
  dsc: "signed sources",
  "index-hash": "digests of their index",
  "unsigned-upstream": "nothing",
};

function verifiedPoint() {
  if (!data.builtHere) return foreign("What vouches for the packages", "#/packages");
  // What came within another package was not fetched by itself, and the author's application not at all.
  const itself = (each) => each.verification !== null || (!packages[each.holder] && each.kind !== "application");
  const fetched = packages.filter(itself).map((each) => each.verification);
  const counts = new Map(tally(fetched, (word) => word));
  const vague = counts.get(null) ?? 0;
  const nothing = counts.get("unsigned-upstream") ?? 0;
  const ways = [...counts].map(([word, number], at) => {
    const verb = at > 0 ? "" : number === 1 ? "is vouched for " : "are vouched for ";
    return `${numbers.format(number)} ${verb}by ${word === null ? "what is not known" : spoken(VOUCHERS, word)}`;
  });
  const words =
    fetched.length === 0
      ? "No package was fetched"
      : `Of ${count(fetched.length, "fetched package")}, ${ways.join(", ")}`;
  return point(nothing > 0 ? "warn" : vague > 0 || fetched.length === 0 ? "unknown" : "good", words, "#/packages");
}

function reproducedPoint() {
  const to = "#/provenance";
  if (!data.builtHere) return foreign("Whether a second build gives the same", to);
  if (data.reproducible === null) return point("unknown", "A second build was not tried", to);
  const { steps, different } = data.reproducible;
  if (different.length > 0)
    return point(
      "bad",
      `Run a second time, ${numbers.format(different.length)} of ${count(steps, "step")} gave something else`,
      to,
    );
  if (steps === 0) return point("unknown", "No step was there to be run a second time", to);
  return point("good", `${count(steps, "step was", "steps were")} run a second time and gave the same bytes`, to);
}

/** A file lacks a protection, or does not prove one, or has all of them. */
function hardness([, , , protections]) {
  const values = Object.values(protections);
  if (values.includes(false)) return "lacking";
  return values.length > 0 && values.every((value) => value === true) ? "whole" : "unproven";
}

function hardenedPoint() {
  const to = "#/hardening";
  const files = data.hardening.flatMap((each) => each.files);
  if (files.length === 0 && !data.builtHere) return foreign("How compiled files are protected", to);
  if (files.length === 0) return point("unknown", "No compiled file was inspected", to);
  const counts = new Map(tally(files, hardness));
  const [whole, lacking, unproven] = ["whole", "lacking", "unproven"].map((word) => counts.get(word) ?? 0);
  const rest = [
    lacking > 0 ? `${numbers.format(lacking)} lack some` : null,
    unproven > 0 ? `of ${numbers.format(unproven)} some cannot be proven` : null,
  ];
  const words = [
    `${numbers.format(whole)} of ${count(files.length, "compiled file")} have every protection looked for`,
    ...rest,
  ];
  const state = lacking > 0 ? "warn" : unproven > 0 ? "unknown" : "good";
  return { state, words: words.filter((each) => each !== null).join("; "), to };
}

function provenancePoint() {
  const to = "#/provenance";
  if (!data.builtHere) return foreign("What it was built from", to);
  if (data.provenance === null) return point("unknown", "What it was built from is not recorded here", to);
  const inputs = count(data.provenance.materials, "recorded input");
  return point("good", `Built from ${inputs}, by a plan and a lock with known digests`, to);
}

function roomPoint() {
  const to = "#/provenance";
  const network = data.provenance?.sandbox?.network;
  if (!data.builtHere) return foreign("What its build could reach", to);
  if (data.provenance?.commands === 0) return point("good", "No command was run to make it", to);
  if (network === undefined || network === null)
    return point("unknown", "What its build could reach is not recorded here", to);
  if (network === "none") return point("good", "Build commands could not reach any network", to);
  return point("warn", `Build commands could reach a network: ${network}`, to);
}

function findingsPoint() {
  const to = "#/findings";
  const counts = new Map(tally(data.findings, ([level]) => level));
  const words = [...counts]
    .sort()
    .map(([level, number]) => count(number, level))
    .join(", ");
  if (data.findings.length > 0) return point(counts.has("error") ? "bad" : "warn", `Found: ${words}`, to);
  if (!data.builtHere)
    return point("unknown", "Nothing was found in reading it; what its build would have found is not known", to);
  return point("good", "No warnings, no errors", to);
}

function userPoint() {
  const isRoot = ({ run }) => /^(root|0*)$/.test((run.user ?? "").split(":")[0]);
  const root = data.runs.filter(isRoot);
  const where = root.length < data.runs.length ? `: ${root.flatMap((each) => each.architectures).join(", ")}` : "";
  if (root.length > 0) return point("warn", `Runs as root${where}`);
  const users = new Set(data.runs.map(({ run }) => run.user));
  if (users.size !== 1) return point("unknown", "Runs as another user on each architecture");
  const [user] = users;
  const [id] = user.split(":");
  if (/^\d+$/.test(id)) return point("good", `Runs as user ${user}, not as root`);
  return point("unknown", `Runs as ${user}; which number that is was not looked up`);
}

function trustList() {
  const item = ({ state, words, to }) =>
    el("li", {}, mark(state), to === null ? el("span", {}, words) : anchor(to, words));
  return el("ul", { class: "points" }, trustPoints().map(item));
}
