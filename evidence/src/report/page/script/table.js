// Tables that are searched, sorted, and shown a hundred rows at a time.

const FIRST_ROWS = 100;

const collator = new Intl.Collator("en", { numeric: true });

/** Numbers by size, texts as people sort them; what is not known is last, whichever the direction. */
function compare(one, other, down) {
  const missing = (one === null) - (other === null);
  if (missing !== 0 || one === null) return missing;
  const order = typeof one === "number" && typeof other === "number" ? one - other : collator.compare(one, other);
  return down ? -order : order;
}

/**
 * A table of `rows`.
 *
 * `key` tells it from the other tables of the page and begins the ids of its search box (KEY-q) and count (KEY-count).
 * `columns`: `{title, value: row => what to sort by, cell: row => what is shown, number, plain: no sorting}`.
 * `find`: the rows for what was typed; without it there is no search. `noun`: what a row is, for the count.
 * `wide`: scrolls in its own region on narrow screens, and does not become a list.
 */
function table({ key, caption, columns, rows, noun = ["row"], find, label, wide }) {
  const state = (place.kept[key] ??= { query: "", column: null, down: false, rows: FIRST_ROWS });
  const body = el("tbody", { role: "rowgroup" });
  const amount = el("p", { class: "count", id: find ? `${key}-count` : null, "aria-live": "polite" });
  const more = button("more", showMore);
  const headings = columns.map(heading);
  const head = el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, headings));
  const grid = el("table", { role: "table", class: wide ? "wide" : null }, el("caption", {}, caption), head, body);
  let found = [];
  let shown = 0;

  function heading(column) {
    const attributes = { scope: "col", role: "columnheader", class: column.number ? "number" : null };
    if (column.plain || rows.length < 2) return el("th", attributes, column.title);
    return el(
      "th",
      attributes,
      button("sort", () => sortBy(column), column.title),
    );
  }

  function sortBy(column) {
    const index = columns.indexOf(column);
    state.down = state.column === index ? !state.down : Boolean(column.number);
    state.column = index;
    update();
  }

  function showMore() {
    state.rows *= 2;
    extend();
    if (more.hidden) body.rows[shown - 1].querySelector("a, button")?.focus({ preventScroll: true });
  }

  function update() {
    found = state.query === "" || !find ? rows : find(state.query);
    const column = columns[state.column];
    if (column) found = [...found].sort((one, other) => compare(column.value(one), column.value(other), state.down));
    headings.forEach((each, index) => {
      if (index === state.column) each.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else each.removeAttribute("aria-sort");
    });
    body.replaceChildren();
    shown = 0;
    extend();
  }

  function extend() {
    const until = Math.min(state.rows, found.length);
    for (; shown < until; shown += 1) body.append(line(columns, found[shown]));
    const left = found.length - shown;
    more.hidden = left === 0;
    more.textContent = `Show ${numbers.format(Math.min(left, state.rows))} more of ${numbers.format(left)}`;
    amount.textContent = told(found.length, left, rows.length, noun, state.query !== "");
  }

  function search() {
    state.query = box.value.trim();
    state.rows = FIRST_ROWS;
    update();
  }

  const [box, asked] = find ? searchBox(`${key}-q`, label, { input: search }) : [null, null];
  if (box) box.value = state.query;
  update();
  const region = { class: "scroll", role: "region", tabindex: "0", "aria-label": caption };
  const frame = wide ? el("div", region, grid) : grid;
  const whole = el("div", { class: "table" }, asked, find || rows.length > FIRST_ROWS ? amount : null, frame, more);
  whole.showAll = () => {
    state.rows = Math.max(state.rows, found.length);
    extend();
  };
  return whole;
}

/** How many rows there are, in words for those who cannot see them come and go. */
function told(found, left, all, noun, searched) {
  const which = searched ? `${count(found, ...noun)} found` : count(all, ...noun);
  return left === 0 ? which : `${which}, ${numbers.format(found - left)} shown`;
}

/** A row; its first cell names it. On narrow screens each cell is shown with its column's title. */
function line(columns, row) {
  const cells = columns.map(({ title, value, cell, number }, index) => {
    const attributes = { "data-title": title, class: number ? "number" : null };
    const shown = cell ? cell(row) : amountOrText(value(row));
    if (index === 0) return el("th", { scope: "row", role: "rowheader", ...attributes }, shown);
    return el("td", { role: "cell", ...attributes }, shown);
  });
  return el("tr", { role: "row" }, cells);
}

function amountOrText(value) {
  return typeof value === "number" ? numbers.format(value) : known(value);
}

/** A search of rows for all the words that were typed, in what `text` says of each. The texts are made once. */
function finder(rows, text) {
  const texts = once(() => rows.map((row) => text(row).toLowerCase()));
  return (query) => {
    const words = query.toLowerCase().split(/\s+/);
    return rows.filter((row, index) => words.every((word) => texts()[index].includes(word)));
  };
}

/** A table of pairs, where there is nothing to search. */
function pairs(caption, titles, entries) {
  const columns = titles.map((title, at) => ({
    title,
    value: (row) => row[at],
    cell: (row) => said(row[at]),
    plain: true,
  }));
  return table({ key: caption, caption, columns, rows: entries });
}
