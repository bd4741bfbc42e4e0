// Digests and package URLs, which people take elsewhere.

/** Copies the text. Where a browser does not allow it nothing happens: the text can still be selected. */
function copyButton(text, what) {
  const copier = button("copy", copy, "copy");
  copier.setAttribute("aria-label", plain(`Copy ${what}`));
  async function copy() {
    if (!(await toClipboard(text))) return;
    copier.textContent = "copied";
    setTimeout(() => (copier.textContent = "copy"), 1500);
  }
  return copier;
}

async function toClipboard(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

/** The old way, for browsers that keep the clipboard from pages of files. */
function copySelected(text) {
  const focused = document.activeElement;
  const box = el("textarea", { class: "unseen", readonly: "", "aria-hidden": "true" });
  box.value = text;
  document.body.append(box);
  box.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    box.remove();
    focused?.focus({ preventScroll: true });
  }
}

/** A digest with its button; `short` shows as much as tells it from others, and the rest on paper. */
function digest(text, short) {
  if (!text) return unknown();
  const end = text.indexOf(":") + 13;
  const [begin, tail] = [text.slice(0, end), text.slice(end)];
  const shown = short
    ? el("code", { class: "short", title: text }, begin, el("span", { class: "tail" }, tail))
    : code(text);
  return el("span", { class: "digest" }, shown, " ", copyButton(text, `digest ${begin}`));
}
