// Opens the report.

function madeLine() {
  const when = data.created === null ? null : ["created ", time(data.created)];
  const parts = [data.builtHere ? "built by clnstrt" : "not built by clnstrt", imageKeys().join(", "), when].filter(
    (each) => each !== null && each !== "",
  );
  return parts.map((each, at) => [at > 0 ? " · " : null, each]);
}

fill(document.getElementById("made"), [madeLine()]);
document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.querySelector("main h2").focus();
});
// A link to the page that is shown changes no address, but leads to the heading like any other.
document.getElementById("nav").addEventListener("click", (event) => {
  if (event.target.hash === location.hash) show(false);
});
// Noted all the time, because a page is not told before it is left.
addEventListener("scroll", () => (place.top = scrollY), { passive: true });
addEventListener("hashchange", () => show(false));
narrow.addEventListener("change", () => segments()[0] === "graph" && show(true));
addEventListener("beforeprint", beforePrint);
addEventListener("afterprint", afterPrint);
history.scrollRestoration = "manual";
show(true);
