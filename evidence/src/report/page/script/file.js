// The page of a file.

function filePage([segment, ...steps]) {
  const image = segment === undefined ? null : imageNamed(segment);
  if (image === null) return null;
  const path = steps.map((step) => `/${step}`).join("");
  const file = images[image].files.find((each) => each[0] === path);
  if (!file) return null;
  return {
    title: path,
    content: [
      imageChoices(image, (each) => (each === image ? fileAddress(image, path) : elsewhere(each, path))),
      crumbs(image, steps),
      fileFacts(image, file),
      protectionPart(image, path),
    ],
  };
}

/** The file's page in another image, or the nearest folder that it has there. */
function elsewhere(image, path) {
  return images[image].files.some((each) => each[0] === path) ? fileAddress(image, path) : folderAddress(image, "");
}

function fileFacts(image, file) {
  const [, size, layer, index, sha256, target] = file;
  const title = images[image].layers[layer]?.title;
  return facts([
    ["Package", owner(index)],
    packages[index] ? ["Why", anchor(address("why", index), "why this package is here")] : null,
    packages[index] ? ["Vouched for by", verification(index, 1)] : null,
    ["Layer", layerLink(image, layer), title ? [": ", named(title)] : null],
    target
      ? ["Link to", targetLink(image, file[0], target)]
      : ["Size", `${bytes(size)}${size >= 1000 ? ` (${numbers.format(size)} bytes)` : ""}`],
    target ? null : ["SHA-256", digest(sha256)],
  ]);
}

/** Where a symbolic link leads, as a link if the image has it. */
function targetLink(image, from, target) {
  const path = resolve(from, target);
  if (images[image].files.some((each) => each[0] === path)) return fileLink(image, path, target);
  const folder = images[image].files.some((each) => each[0].startsWith(`${path}/`));
  return folder
    ? anchor(folderAddress(image, path), named(target))
    : [named(target), " ", quiet("(not in this image)")];
}

/** The path a link at `from` means, without following links on the way. */
function resolve(from, target) {
  const steps = target.startsWith("/") ? [] : from.split("/").slice(1, -1);
  for (const step of target.split("/")) {
    if (step === "..") steps.pop();
    else if (step !== "" && step !== ".") steps.push(step);
  }
  return `/${steps.join("/")}`;
}

function protectionPart(image, path) {
  const inspected = hardeningOf(image)?.files.find((each) => each[0] === path);
  if (!inspected) return null;
  const [, , how, protections] = inspected;
  const entries = Object.entries(protections).map(([key, value]) => [protectionName(key), proof(value)]);
  return part(
    "How it is protected",
    el("p", {}, how === "compiled" ? "Compiled here." : "It came compiled."),
    facts(entries),
  );
}
