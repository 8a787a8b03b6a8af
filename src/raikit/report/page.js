"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (name, text = "", attributes = {}) => {
    const made = document.createElement(name);
    made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  };
  document.documentElement.classList.add("scripts");

  // On a phone the contents would fill the first screen.
  if (matchMedia("(max-width: 61.99rem)").matches) document.querySelector("nav details").open = false;

  // Tables: a button in each head sorts; a long table can be searched.
  const valueOf = (row, place) => {
    const cell = row.cells[place];
    return "v" in cell.dataset ? Number(cell.dataset.v) : cell.textContent.trim();
  };
  const isEmpty = (value) => value === "" || value === "–";
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  const sort = (table, place, head) => {
    const isNumeric = head.classList.contains("n");
    const before = head.getAttribute("aria-sort");
    const rises = before ? before === "descending" : !isNumeric;
    all("th[aria-sort]", table).forEach((each) => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", rises ? "ascending" : "descending");
    const body = table.tBodies[0];
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [valueOf(a, place), valueOf(b, place)];
      // What has no value comes last either way.
      if (isEmpty(x) || isEmpty(y)) return isEmpty(x) - isEmpty(y);
      return rises ? compare(x, y) : compare(y, x);
    });
    body.append(...rows);
  };
  for (const table of all("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, place) => {
      const button = make("button", head.textContent, { type: "button", title: "sort by this column" });
      button.addEventListener("click", () => sort(table, place, head));
      head.replaceChildren(button);
    });
    const rows = [...table.tBodies[0].rows];
    if (rows.length < 15) continue;
    const label = make("label", "Show rows with ", { class: "find" });
    const field = make("input", "", { type: "search" });
    field.addEventListener("input", () => {
      const wanted = field.value.trim().toLowerCase();
      for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    });
    label.append(field);
    table.parentElement.before(label);
  }

  // Choices: a list instead of parts that open and close.
  for (const choice of all(".choice")) {
    const parts = [...choice.children].filter((each) => each.tagName === "DETAILS");
    if (parts.length < 2) continue;
    const label = make("label", `Choose: ${choice.dataset.label} `, { class: "pick" });
    const list = make("select");
    parts.forEach((part, place) => list.append(make("option", part.firstElementChild.textContent, { value: place })));
    const show = () => parts.forEach((part, place) => { part.open = place === Number(list.value); });
    list.addEventListener("change", show);
    label.append(list);
    choice.prepend(label);
    choice.classList.add("scripted");
    show();
  }

  // Thresholds: as draw_thresholds of sliders.py, for every place of the slider.
  const whole = (value) => Math.round(value).toLocaleString("en-US");
  const percent = (part, total) => (total ? `${((100 * part) / total).toFixed(1)}%` : "–");
  for (const box of all(".slider")) {
    const counts = JSON.parse(box.dataset.counts);
    const input = (name) => box.querySelector(`[data-in="${name}"]`);
    const output = (name) => box.querySelector(`[data-out="${name}"]`);
    const drawing = box.querySelector("svg");
    const [left, right, top, bottom] = drawing.dataset.box.split(" ").map(Number);
    const thresholds = counts.threshold;
    const [low, high] = [thresholds[0], thresholds[thresholds.length - 1]];
    const across = (value) => left + ((value - low) / (high - low || 1)) * (right - left);
    const price = (name) => Math.max(0, Number(input(name).value) || 0);
    const costs = () => counts.fp.map((fp, k) => fp * price("cost_fp") + counts.fn[k] * price("cost_fn"));
    const move = () => {
      const k = Number(input("place").value);
      const [tp, fp, fn, tn] = ["tp", "fp", "fn", "tn"].map((name) => counts[name][k]);
      const shown = {
        threshold: thresholds[k].toFixed(3), tp: whole(tp), fp: whole(fp), fn: whole(fn), tn: whole(tn),
        precision: percent(tp, tp + fp), recall: percent(tp, tp + fn), alarms: percent(fp, fp + tn),
        accuracy: percent(tp + tn, tp + fp + fn + tn), selected: percent(tp + fp, tp + fp + fn + tn),
        cost: whole(costs()[k]),
      };
      for (const [name, text] of Object.entries(shown)) output(name).textContent = text;
      input("place").setAttribute("aria-valuetext", `threshold ${shown.threshold}`);
      for (const end of ["x1", "x2"]) output("here").setAttribute(end, across(thresholds[k]));
    };
    const draw = () => {
      const found = costs();
      const most = Math.max(...found) || 1;
      const points = found.map((cost, k) => `${across(thresholds[k]).toFixed(1)} ${(bottom - (cost / most) * (bottom - top)).toFixed(1)}`);
      output("curve").setAttribute("d", `M${points.join("L")}`);
      output("most").textContent = whole(most);
      move();
    };
    input("place").addEventListener("input", move);
    for (const name of ["cost_fp", "cost_fn"]) input(name).addEventListener("input", draw);
    input("cheapest").addEventListener("click", () => {
      const found = costs();
      input("place").value = found.indexOf(Math.min(...found));
      move();
    });
  }

  // Charts: the numbers under the pointer, from the table beneath.
  const tip = document.querySelector(".tip");
  for (const chart of all("figure.chart")) {
    const drawing = chart.querySelector("svg");
    const rows = all("tr[data-at]", chart);
    if (!drawing || !rows.length) continue;
    const names = all("thead th", chart).map((head) => head.textContent);
    drawing.addEventListener("pointermove", (event) => {
      const frame = drawing.getBoundingClientRect();
      const at = ((event.clientX - frame.left) / frame.width) * drawing.viewBox.baseVal.width;
      const away = (row) => Math.abs(Number(row.dataset.at) - at);
      const row = rows.reduce((best, each) => (away(each) < away(best) ? each : best));
      const cells = [...row.cells].map((cell, place) => `${names[place]}: ${cell.textContent}`);
      tip.textContent = cells.filter((text) => !text.endsWith(": –")).join("\n");
      tip.hidden = false;
      const x = Math.min(event.pageX + 14, scrollX + innerWidth - tip.offsetWidth - 8);
      tip.style.left = `${Math.max(8, x)}px`;
      tip.style.top = `${event.pageY + 18}px`;
    });
    drawing.addEventListener("pointerleave", () => { tip.hidden = true; });
  }
})();
