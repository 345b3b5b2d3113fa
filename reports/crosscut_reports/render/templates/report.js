"use strict";
// The page is whole without this: it makes tables sortable, and shows a mark's numbers at once.
(() => {
  const number = (text) => {
    const found = text.replace(/\u2212/g, "-").match(/^[<\s▲▼■○]*([+-]?\d[\d.]*)/);
    return found ? parseFloat(found[1]) - (text.trim().startsWith("<") ? 1e-9 : 0) : NaN;
  };
  const none = (text) => text === "" || text === "–";
  const order = (rows, column, way) => {
    const keyed = rows.map((row) => ({ row, text: row.cells[column].textContent.trim() }));
    const numeric = keyed.every(({ text }) => none(text) || !Number.isNaN(number(text)));
    keyed.sort((a, b) => {
      if (none(a.text) || none(b.text)) return none(a.text) - none(b.text); // these stay last, either way
      return way * (numeric ? number(a.text) - number(b.text) : a.text.localeCompare(b.text, "en"));
    });
    return keyed.map(({ row }) => row);
  };
  for (const table of document.querySelectorAll("table")) {
    const [body] = table.tBodies;
    const head = table.tHead && table.tHead.rows[0];
    if (!head || !body || body.rows.length < 2) continue;
    const original = [...body.rows];
    if (original.some((row) => row.cells.length !== head.cells.length)) continue;
    [...head.cells].forEach((cell, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...cell.childNodes);
      cell.append(button);
      button.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" };
        const way = next[cell.getAttribute("aria-sort") || "none"];
        for (const other of head.cells) other.removeAttribute("aria-sort");
        if (way !== "none") cell.setAttribute("aria-sort", way);
        body.append(...(way === "none" ? original : order(original, column, way === "ascending" ? 1 : -1)));
      });
    });
  }

  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("role", "tooltip");
  document.body.append(tip);
  const hide = () => { tip.hidden = true; };
  const show = (mark) => {
    const lines = Object.entries(mark.dataset).map(([key, value]) => {
      const line = document.createElement("div");
      const name = document.createElement("span");
      name.textContent = key;
      line.append(name, value);
      return line;
    });
    tip.replaceChildren(...lines);
    tip.hidden = false;
    const box = mark.getBoundingClientRect();
    const own = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, box.left + box.width / 2 - own.width / 2), innerWidth - own.width - 8);
    const above = box.top - own.height - 8;
    tip.style.left = `${left + scrollX}px`;
    tip.style.top = `${(above > 0 ? above : box.bottom + 8) + scrollY}px`;
  };
  const REACH = 18;
  for (const figure of document.querySelectorAll("figure")) {
    const marks = [...figure.querySelectorAll("[id]")].filter((mark) => Object.keys(mark.dataset).length);
    for (const mark of marks) {
      const title = mark.querySelector(":scope > title");
      if (title) { mark.setAttribute("aria-label", title.textContent); title.remove(); }
      mark.setAttribute("tabindex", "0");
      mark.setAttribute("role", "img");
      mark.addEventListener("focus", () => show(mark));
      mark.addEventListener("blur", hide);
    }
    const nearest = (event) => {
      let found = null;
      let least = REACH;
      for (const mark of marks) {
        const box = mark.getBoundingClientRect();
        const x = Math.max(box.left - event.clientX, 0, event.clientX - box.right);
        const y = Math.max(box.top - event.clientY, 0, event.clientY - box.bottom);
        const distance = Math.hypot(x, y) + Math.min(box.width, box.height) / 1000;
        if (distance < least) { found = mark; least = distance; }
      }
      return found;
    };
    const over = (event) => { const mark = nearest(event); if (mark) show(mark); else hide(); };
    if (marks.length) {
      figure.addEventListener("pointermove", over);
      figure.addEventListener("pointerdown", over);
      figure.addEventListener("pointerleave", hide);
    }
  }
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of opened) one.open = false; });
})();
