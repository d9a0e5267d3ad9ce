// Keeps what is live on the page so: it asks for the page again and takes those parts.
// Forms and answers stay as they are.
"use strict";
(() => {
  const every = 5000; // ms

  async function refresh() {
    const answer = await fetch("./", { redirect: "error" });
    if (!answer.ok) throw new Error(answer.statusText || answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const old of document.querySelectorAll("[data-live]")) {
      const next = page.getElementById(old.id);
      if (!next) throw new Error("not the console");
      if (!old.contains(document.activeElement)) swap(old, next);
    }
  }

  // swap puts next in old's place, with its tables scrolled as they were.
  function swap(old, next) {
    const scrolled = [...old.querySelectorAll(".scroll")].map((table) => table.scrollLeft);
    old.replaceWith(next);
    next.querySelectorAll(".scroll").forEach((table, i) => { table.scrollLeft = scrolled[i] ?? 0; });
  }

  async function turn() {
    if (!document.hidden) {
      const trouble = document.getElementById("trouble");
      try {
        await refresh();
        trouble.textContent = "";
      } catch (err) {
        trouble.textContent = `Not up to date: ${err.message}`;
      }
    }
    setTimeout(turn, every);
  }

  setTimeout(turn, every);
})();
