// What the program found, and ways through it that are made when they are first asked for.

const data = JSON.parse(document.getElementById("data").textContent);
const { packages, images } = data;

/** A function whose answer is worked out once. */
function once(work) {
  let answer;
  return () => (answer ??= work());
}

/** The words by which each package was asked for: `{words, kind}`, by package. */
const rootsOf = once(() => {
  const roots = packages.map(() => []);
  for (const [index, words, kind] of data.roots) roots[index]?.push({ words, kind });
  return roots;
});

/**
 * Who needs what: `needs` and `neededBy`, edges `{from, to, words, held}` by package. What a package brings along
 * within it is held by it.
 */
const edges = once(() => {
  const between = new Map();
  const edge = (from, to) => {
    const key = from * packages.length + to;
    if (!between.has(key)) between.set(key, { from, to, words: [], held: false });
    return between.get(key);
  };
  for (const [from, to, words] of data.needs) {
    if (from !== to && packages[from] && packages[to]) edge(from, to).words.push(words);
  }
  packages.forEach((each, index) => {
    if (packages[each.holder] && each.holder !== index) edge(each.holder, index).held = true;
  });
  const needs = packages.map(() => []);
  const neededBy = packages.map(() => []);
  for (const each of between.values()) {
    each.words = [...new Set(each.words)].filter((words) => words !== "");
    needs[each.from].push(each);
    neededBy[each.to].push(each);
  }
  return { needs, neededBy };
});

/** The files of each package: lists of files, by package, for each image. */
const filesOf = once(() =>
  images.map((image) => {
    const files = packages.map(() => []);
    for (const file of image.files) files[file[3]]?.push(file);
    return files;
  }),
);

/** The bytes of a package's files, in the first image that has it. */
function weight(index) {
  const image = packages[index].images[0];
  return (filesOf()[image]?.[index] ?? []).reduce((sum, file) => sum + file[1], 0);
}

/** What vouches for a package's bytes: for what is brought along, what vouches for the package around it. */
function vouched(index) {
  for (let steps = 0; packages[index] && steps < 16; steps += 1) {
    const each = packages[index];
    if (each.verification !== null) return each.verification;
    if (each.kind === "application" && data.builtHere) return "own";
    index = each.holder;
  }
  return null;
}

/** What an image is called in addresses: its architecture, and a number where another image has the same. */
const imageKeys = once(() => {
  const seen = new Map();
  return images.map(({ architecture }) => {
    seen.set(architecture, (seen.get(architecture) ?? 0) + 1);
    return seen.get(architecture) === 1 ? architecture : `${architecture}-${seen.get(architecture)}`;
  });
});

/** The compressed size of an image, null if that of one layer is not known. */
function compressed(image) {
  return image.layers.reduce((sum, layer) => (sum === null || layer.size === null ? null : sum + layer.size), 0);
}

/** How many packages an image has. */
function packagesIn(image) {
  return packages.reduce((sum, each) => sum + (each.images.includes(image) ? 1 : 0), 0);
}

/** How many of the things there are by what `of` says of each, most first. */
function tally(things, of) {
  const counts = new Map();
  for (const thing of things) counts.set(of(thing), (counts.get(of(thing)) ?? 0) + 1);
  return [...counts].sort((one, other) => other[1] - one[1]);
}
