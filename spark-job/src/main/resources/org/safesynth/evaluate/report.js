"use strict";
(() => {
  const D = JSON.parse(document.getElementById("data").textContent);
  const M = D.metrics, measures = M.measures || {}, scores = M.scores || {}, run = D.run || {};
  const missing = M.unavailable || {};
  const have = (name) => (measures[name] && !missing[name] ? measures[name] : null);

  // ---- small tools: all text goes through text nodes, so that no value is ever markup ----
  const el = (tag, attrs, ...kids) => {
    const node = document.createElement(tag);
    for (const [k, v] of Object.entries(attrs || {})) {
      if (k === "on") for (const [e, f] of Object.entries(v)) node.addEventListener(e, f);
      else if (v !== null && v !== undefined && v !== false) node.setAttribute(k, v === true ? "" : v);
    }
    for (const kid of kids.flat()) if (kid !== null && kid !== undefined) node.append(kid);
    return node;
  };
  const isNumber = (x) => typeof x === "number" && isFinite(x);
  const num = (x, d = 3) => (isNumber(x) ? x.toFixed(d) : "–");
  const pct = (x, d = 1) => (isNumber(x) ? (100 * x).toFixed(d) + " %" : "–");
  const count = (x) => (isNumber(x) ? x.toLocaleString("en-US") : "–");
  const short = (x) => (isNumber(x) ? Number(x.toPrecision(4)).toLocaleString("en-US", { maximumFractionDigits: 6 }) : "–");
  const seconds = (s) => (!isNumber(s) ? "–" : s < 100 ? s.toFixed(1) + " s" : Math.floor(s / 60) + " min " + Math.round(s % 60) + " s");
  const tone = (s) => (!isNumber(s) ? "soft" : s >= 6 ? "good" : s >= 4 ? "fair" : "bad");
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const words = (name) => { const t = name.replace(/_score$/, "").replace(/_/g, " "); return t[0].toUpperCase() + t.slice(1); };
  const table = (caption, head, rows, attrs) =>
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      el("table", attrs, el("caption", { class: "soft small", style: "text-align:left" }, caption),
        el("thead", {}, el("tr", {}, head.map((h) => el("th", { scope: "col", class: h.n ? "n" : null }, h.t || h)))),
        el("tbody", {}, rows.map((r) => el("tr", {}, r.map((c, i) => el("td", { class: head[i].n ? "n" : null }, c instanceof Node ? c : String(c))))))));
  const n = (t) => ({ t, n: true });
  const key = () => el("p", { class: "key" },
    el("span", {}, el("i", { style: "background:var(--real)" }), "real"), el("span", {}, el("i", { style: "background:var(--made)" }), "synthetic"));
  const lazily = (label, build) => {
    const box = el("details", {}, el("summary", {}, label));
    box.addEventListener("toggle", () => { if (box.open && box.childElementCount === 1) box.append(build()); });
    return box;
  };

  const body = document.getElementById("body"), nav = document.getElementById("nav");
  body.textContent = "";
  const section = (id, title, shortTitle, intro, ...kids) => {
    const s = el("section", { id, "aria-labelledby": id + "-h" }, el("h2", { id: id + "-h" }, title), intro ? el("p", { class: "soft" }, intro) : null, ...kids);
    body.append(s);
    nav.append(el("li", {}, el("a", { href: "#" + id }, shortTitle)));
    return s;
  };

  // ---- charts are drawn when they come into view, all of them before printing, again when light turns to dark ----
  const charts = [];
  const draw = (c) => { if (c.done) return; c.done = true; c.chart = c.paint() || null; };
  const seen = new IntersectionObserver((entries) => {
    for (const e of entries) if (e.isIntersecting) { seen.unobserve(e.target); draw(charts[+e.target.dataset.chart]); }
  }, { rootMargin: "300px" });
  const chart = (box, paint) => { box.dataset.chart = charts.length; charts.push({ box, paint, done: false }); seen.observe(box); return box; };
  window.addEventListener("beforeprint", () => charts.forEach(draw));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const c of charts) if (c.done) { if (c.chart && c.chart.destroy) c.chart.destroy(); c.done = false; draw(c); }
  });
  const base = () => ({
    responsive: true, maintainAspectRatio: false, animation: false,
    plugins: { legend: { display: false }, tooltip: { callbacks: {} } },
  });
  const axis = (more) => Object.assign({ ticks: { color: css("--soft"), maxRotation: 0, autoSkipPadding: 12, font: { size: 11 } }, grid: { color: css("--line") }, border: { color: css("--line") } }, more);
  Chart.defaults.font.family = "system-ui, 'Liberation Sans', sans-serif";

  // ---- head ----
  const facts = measures.tables || {};
  document.getElementById("subtitle").textContent = D.subtitle;
  const banner = document.getElementById("banner");
  if (D.dp) banner.append(el("p", { class: "banner", role: "note" }, el("strong", {}, "Internal: do not publish. "),
    "This page compares with the real table, and what it shows of the real table is not covered by the differential privacy of the synthetic rows."));
  else banner.append(el("p", { class: "soft small" }, "Internal: this page shows distributions of the real table. Share the synthetic table, not this report."));

  // ---- the two scores ----
  const say = {
    synthetic_data_quality_score: (s) => s >= 8 ? "The synthetic table looks like the real one in its columns, their relations and its structure." : s >= 6 ? "Most of the real table's patterns are there; check the weakest columns below before relying on them." : s >= 4 ? "Main patterns are there, others are lost: use it for tests and demonstrations rather than for analysis." : "The synthetic table differs clearly from the real one: do not draw conclusions from it.",
    data_privacy_score: (s) => s >= 8 ? "The attacks that were tried learned next to nothing about single real rows." : s >= 6 ? "The attacks that were tried learned little about single real rows." : s >= 4 ? "Some attacks had success: look at the strongest risk below before sharing." : "Attacks told much about real rows: do not share this table.",
  };
  const partsOf = {
    synthetic_data_quality_score: ["column_distribution_stability_score", "column_correlation_stability_score", "deep_structure_stability_score", "text_structure_similarity_score", "text_semantic_similarity_score"],
    data_privacy_score: ["membership_inference_protection_score", "attribute_inference_protection_score"],
  };
  const meaning = {
    column_distribution_stability_score: "Is each column spread as in the real table?",
    column_correlation_stability_score: "Are relations between two columns kept?",
    deep_structure_stability_score: "Do all columns together vary in the same ways?",
    text_structure_similarity_score: "Are texts built alike: sentences, words, lengths?",
    text_semantic_similarity_score: "Are texts about the same, without repeating?",
    membership_inference_protection_score: "Can one tell whether a person was in the table?",
    attribute_inference_protection_score: "Can one guess a person's unknown value?",
  };
  const scoreCard = (id, title) => {
    const s = scores[id] || { score: null, grade: "Unavailable", notes: "not computed" };
    return el("section", { "aria-label": title }, el("h2", {}, title),
      el("div", { class: "big" }, el("b", { class: tone(s.score) }, isNumber(s.score) ? s.score.toFixed(1) : "–"), el("span", { class: "soft" }, "of 10"), el("span", { class: "grade " + tone(s.score) }, s.grade)),
      el("div", { class: "meter", "aria-hidden": "true" }, el("i", { style: "width:" + 10 * (s.score || 0) + "%;background:var(--" + (tone(s.score) === "soft" ? "line" : tone(s.score)) + ")" })),
      el("p", {}, isNumber(s.score) ? say[id](s.score) : "Not available: " + (s.notes || "not computed") + "."),
      el("table", { class: "parts" }, el("caption", { class: "soft small", style: "text-align:left" }, "made of"), el("tbody", {}, partsOf[id].filter((p) => scores[p]).map((p) => el("tr", {},
        el("th", { scope: "row", style: "white-space:normal" }, words(p).replace(/ (stability|similarity|protection)$/, ""), el("div", { class: "small", style: "font-weight:400" }, isNumber(scores[p].score) ? meaning[p] : scores[p].notes)),
        el("td", { class: "n" }, el("b", { class: tone(scores[p].score) }, isNumber(scores[p].score) ? scores[p].score.toFixed(1) : "–")))))));
  };
  body.append(el("div", { class: "scores", id: "scores" }, scoreCard("synthetic_data_quality_score", "Synthetic Data Quality"), scoreCard("data_privacy_score", "Data Privacy")));
  nav.append(el("li", {}, el("a", { href: "#scores" }, "Scores")));

  // ---- what to look at first ----
  const dist = have("column_distribution"), shapes = have("column_shapes"), trends = have("column_pair_trends");
  const columns = dist ? dist.columns : [];
  const scored = columns.filter((c) => isNumber(c.score.score));
  const weakColumns = [...scored].sort((a, b) => b.distance - a.distance).slice(0, 3);
  const weakPairs = trends ? [...trends.pairs].filter((p) => isNumber(p.real_bins_score)).sort((a, b) => a.real_bins_score - b.real_bins_score).slice(0, 3) : [];
  const shownName = (name) => (name.trim() === "" ? "(no name)" : name);
  const anchors = new Map(columns.map((c, i) => [c.name, "column-" + i]));
  const link = (name) => (anchors.has(name) ? el("a", { href: "#" + anchors.get(name) }, shownName(name)) : shownName(name));
  const attacks = [];
  for (const m of ["singling_out", "linkability", "inference"]) if (have(m)) for (const a of measures[m].attacks) attacks.push(Object.assign({ measure: m }, a));
  const risks = [];
  for (const a of attacks) risks.push({ level: a.risk_low > 0 ? a.risk : 0, text: a.name + ": succeeds on " + pct(a.rate) + " of learned rows and on " + pct(a.control_rate) + " of unseen ones" });
  const dcr = have("closest_records"), mia = have("membership_inference");
  if (dcr && isNumber(dcr.share)) risks.push({ level: dcr.is_suspicious ? 2 * (dcr.share - 0.5) : 0, text: "synthetic rows lie nearer to learned than to unseen rows in " + pct(dcr.share) + " of cases (50 % is chance)" });
  if (dcr && isNumber(dcr.copies)) risks.push({ level: Math.max(0, dcr.copies - (dcr.holdout_copies || 0) - 0.005), text: pct(dcr.copies, 2) + " of synthetic rows equal a learned row" + (isNumber(dcr.holdout_copies) ? "; of unseen real rows " + pct(dcr.holdout_copies, 2) + " do so by chance" : "") });
  if (mia && isNumber(mia.auc)) risks.push({ level: Math.max(0, 2 * (mia.auc - 0.55)), text: "membership inference reaches an AUC of " + num(mia.auc) + " (.5 is chance)" });
  risks.sort((a, b) => b.level - a.level);
  const firstList = (title, items, none) => el("div", {}, el("h3", {}, title), items.length ? el("ol", {}, items) : el("p", { class: "soft" }, none));
  section("first", "What to look at first", "First look", null, el("div", { class: "first" },
    firstList("Weakest columns", weakColumns.map((c) => el("li", {}, link(c.name), " ", el("span", { class: "soft" }, "score " + num(c.score.score, 1) + (c.score.notes ? ": " + c.score.notes : "")))), "No column could be scored."),
    firstList("Weakest pairs of columns", weakPairs.map((p) => el("li", {}, link(p.first), " × ", link(p.second), " ", el("span", { class: "soft" }, "likeness " + num(p.real_bins_score, 2)))), "No pair could be compared."),
    el("div", {}, el("h3", {}, "Strongest risk"), el("p", {}, risks.length === 0 ? "No attack could be tried; the part on privacy says why." : risks[0].level > 0 ? el("span", { class: risks[0].level > 0.1 ? "bad" : "fair" }, risks[0].text + ".") : "No attack did better on learned rows than on unseen ones, beyond chance."))),
    (M.notes || []).length ? el("details", { open: true }, el("summary", {}, "What a reader must know"), el("ul", {}, M.notes.map((t) => el("li", {}, t)))) : null);

  // ---- tables ----
  const row = (name, f) => (f ? [name, count(f.rows), count(f.sampled), count(f.columns), f.missing_percent + " %"] : null);
  if (facts.reference) section("made", "What was made from what", "Tables", "The scores look at samples; copies and missing columns are looked for in the whole tables.",
    table("The tables", ["table", n("rows"), n("rows looked at"), n("columns"), n("missing cells")],
      [row("real rows that were learned", facts.reference), row("synthetic rows", facts.synthetic), row("real rows held out, never learned", facts.holdout)].filter(Boolean)),
    run.facts && Object.keys(run.facts).length ? el("dl", {}, Object.entries(run.facts).flatMap(([k, v]) => [el("dt", {}, k), el("dd", {}, v)])) : null);

  // ---- columns ----
  const dates = new Set(D.dates || []);
  const shapeOf = new Map((shapes ? shapes.columns : []).map((c) => [c.name, c]));
  if (columns.length) {
    const search = el("input", { type: "search", id: "search", placeholder: "part of a name", autocomplete: "off" });
    const found = el("span", { class: "soft small", role: "status" });
    const cards = el("div", { class: "cards" });
    const head = ["column", "type", n("score"), n("distance"), n("real distinct"), n("synthetic distinct"), n("real missing"), n("synthetic missing")];
    const cells = (c) => [link(c.name), c.real_type.toLowerCase() + (c.synthetic_type !== c.real_type ? " → " + c.synthetic_type.toLowerCase() : ""), isNumber(c.score.score) ? el("b", { class: tone(c.score.score) }, num(c.score.score, 1)) : "–", num(c.distance), count(c.real_distinct), count(c.synthetic_distinct), pct(c.real_missing), pct(c.synthetic_missing)];
    const keyOf = [(c) => c.name.toLowerCase(), (c) => c.real_type, (c) => c.score.score ?? -1, (c) => c.distance ?? -1, (c) => c.real_distinct, (c) => c.synthetic_distinct, (c) => c.real_missing, (c) => c.synthetic_missing];
    const index = table("Index of columns; a click on a heading sorts", head, columns.map(cells));
    index.classList.add("tall");
    const rowsInOrder = [...index.querySelectorAll("tbody tr")];
    index.querySelectorAll("thead th").forEach((th, i) => {
      const button = el("button", { type: "button" }, th.textContent);
      th.textContent = ""; th.append(button);
      button.addEventListener("click", () => {
        const down = th.getAttribute("aria-sort") === "ascending";
        index.querySelectorAll("th").forEach((o) => o.removeAttribute("aria-sort"));
        th.setAttribute("aria-sort", down ? "descending" : "ascending");
        const order = columns.map((c, j) => j).sort((a, b) => { const x = keyOf[i](columns[a]), y = keyOf[i](columns[b]); return (x < y ? -1 : x > y ? 1 : a - b) * (down ? -1 : 1); });
        index.querySelector("tbody").append(...order.map((j) => rowsInOrder[j]));
      });
    });
    const made = columns.map((c, i) => {
      const h = c.histogram, shape = shapeOf.get(c.name);
      const edge = (v) => (dates.has(c.name) && isNumber(v) ? new Date(Math.round(v * 864e5)).toISOString().slice(0, 10) : short(v));
      const labels = h ? (h.edges ? h.real.map((_, b) => edge(h.edges[b]) + " to " + edge(h.edges[b + 1])) : h.labels) : [];
      const plot = h ? chart(el("div", { class: "plot" }), () => {
        const canvas = el("canvas", { role: "img", "aria-label": "Distribution of " + c.name + ", real and synthetic; the table below has the figures" });
        plot.textContent = ""; plot.append(canvas);
        const o = base();
        o.plugins.tooltip.callbacks.label = (t) => t.dataset.label + ": " + pct(h.edges ? t.parsed.y : t.parsed.x);
        const isRow = !h.edges && (labels.length <= 9);
        if (!isRow) o.plugins.tooltip.callbacks.label = (t) => t.dataset.label + ": " + pct(t.parsed.y);
        if (isRow) o.indexAxis = "y";
        const cut = (v) => { const t = String(labels[v]); return t.length > 18 ? t.slice(0, 17) + "…" : t; };
        const share = axis({ beginAtZero: true }); share.ticks.callback = (v) => Math.round(100 * v) + " %"; share.ticks.maxTicksLimit = 5;
        const names = axis({ grid: { display: false } }); names.ticks.callback = (v) => (h.edges ? edge(h.edges[v]) : cut(v)); names.ticks.autoSkip = !isRow; if (!isRow && !h.edges) { names.ticks.maxRotation = 60; }
        o.scales = isRow ? { x: share, y: names } : { x: names, y: share };
        const pair = (label, data, color) => ({ label, data, backgroundColor: color, categoryPercentage: h.edges ? 1 : 0.8, barPercentage: h.edges ? 0.95 : 0.9 });
        return new Chart(canvas, { type: "bar", data: { labels, datasets: [pair("real", h.real, css("--real")), pair("synthetic", h.synthetic, css("--made"))] }, options: o });
      }) : el("p", { class: "soft small" }, c.score.notes || "nothing to draw");
      const card = el("article", { class: "col", id: "column-" + i, "aria-label": "column " + c.name, tabindex: "-1" },
        el("div", { class: "head" }, el("h3", {}, shownName(c.name)), el("b", { class: tone(c.score.score), title: "column score, 10 is best" }, isNumber(c.score.score) ? num(c.score.score, 1) : "–")),
        el("div", { class: "soft small" }, c.real_type.toLowerCase() + (shape ? ", shape " + num(shape.shape) + ", coverage " + num(shape.coverage) + ", missing " + pct(c.real_missing) + " / " + pct(c.synthetic_missing) : "")),
        plot,
        h ? lazily("figures", () => table("Shares of " + c.name, [h.edges ? "range" : "value", n("real"), n("synthetic")], labels.map((l, b) => [l, pct(h.real[b], 2), pct(h.synthetic[b], 2)]))) : null);
      cards.append(card);
      return card;
    });
    search.addEventListener("input", () => {
      const part = search.value.trim().toLowerCase(); let shown = 0;
      columns.forEach((c, i) => { const yes = c.name.toLowerCase().includes(part); made[i].hidden = !yes; rowsInOrder[i].hidden = !yes; shown += yes; });
      found.textContent = part ? shown + " of " + columns.length + " columns" : "";
    });
    section("columns", "Columns", "Columns", "How each column is spread in the real table and in the synthetic one. A score of 10 means equal but for chance.", key(),
      el("p", { class: "noprint" }, el("label", { for: "search" }, "Find columns: "), search, " ", found), index, cards).classList.add("long");
  }

  // ---- correlations ----
  const corr = have("column_correlation");
  if (corr) {
    const names = corr.columns, size = names.length;
    const mix = (a, b, t) => a.map((v, i) => Math.round(v + (b[i] - v) * t));
    const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
    const shade = (v, low, high) => { const zero = rgb(css("--card")); return mix(zero, rgb(v < 0 ? low : high), Math.min(1, Math.abs(v))); };
    const diff = corr.real.map((r, i) => r.map((v, j) => (isNumber(v) && isNumber(corr.synthetic[i][j]) ? corr.synthetic[i][j] - v : null)));
    const map = (title, matrix, scale, isDiff) => {
      const caption = el("figcaption", {}, "point at a cell to read it");
      const box = el("div", {});
      const fig = el("figure", {}, el("h3", {}, title), box, caption);
      chart(box, () => {
        const canvas = el("canvas", { width: size, height: size, role: "img", "aria-label": title + " of " + size + " columns; the table below has the largest differences" });
        const low = css("--made"), high = css("--real"), over = css("--bad");
        const pixels = new ImageData(size, size);
        for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) {
          const v = matrix[i][j], c = isNumber(v) ? shade(isDiff ? Math.abs(v) * scale : v * scale, low, isDiff ? over : high) : [128, 128, 128];
          pixels.data.set([c[0], c[1], c[2], 255], 4 * (i * size + j));
        }
        canvas.getContext("2d").putImageData(pixels, 0, 0);
        canvas.addEventListener("mousemove", (e) => {
          const r = canvas.getBoundingClientRect(), j = Math.min(size - 1, Math.floor(((e.clientX - r.left) / r.width) * size)), i = Math.min(size - 1, Math.floor(((e.clientY - r.top) / r.height) * size));
          if (i >= 0 && j >= 0) caption.textContent = names[i] + " → " + names[j] + ": " + num(matrix[i][j], 2);
        });
        box.textContent = ""; box.append(canvas);
      });
      return fig;
    };
    const pairs = [];
    for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) if (i !== j && isNumber(diff[i][j])) pairs.push([i, j, diff[i][j]]);
    pairs.sort((a, b) => Math.abs(b[2]) - Math.abs(a[2]));
    section("correlations", "Relations between columns", "Relations", "A cell tells how much knowing the row's column tells about the other one: strong colour is a strong relation. The third map shows where the two differ, from 0 to 0.5. Columns are in the table's order.",
      el("div", { class: "maps" }, map("Real", corr.real, 1, false), map("Synthetic", corr.synthetic, 1, false), map("Difference", diff, 2, true)),
      table("Largest differences", ["knowing", "tells of", n("real"), n("synthetic"), n("difference")],
        pairs.slice(0, 10).map(([i, j, d]) => [link(names[i]), link(names[j]), num(corr.real[i][j], 2), num(corr.synthetic[i][j], 2), num(d, 2)])),
      el("p", { class: "soft small" }, "Mean difference " + num(corr.mean_difference) + (trends ? "; SDMetrics Column Pair Trends " + num(trends.score) + ", with the real table's bins " + num(trends.real_bins_score) : "") + "."));
  }

  // ---- principal components ----
  const pca = have("deep_structure");
  if (pca) {
    const box = el("div", { class: "plot", style: "height:420px" });
    section("structure", "Structure of the whole table", "Structure", "Each point is a row, placed by the two directions in which real rows vary most. Synthetic points should fill the same shape, without piling up.", key(),
      chart(box, () => {
        const canvas = el("canvas", { role: "img", "aria-label": "Scatter of real and synthetic rows over two principal components; distances of the two clouds are given below" });
        box.textContent = ""; box.append(canvas);
        const o = base(); o.plugins.tooltip.enabled = false;
        o.scales = { x: axis({ title: { display: true, text: "component 1", color: css("--soft") } }), y: axis({ title: { display: true, text: "component 2", color: css("--soft") } }) };
        const points = (label, rows, color) => ({ label, data: rows.map((p) => ({ x: p[0], y: p[1] })), backgroundColor: color + "88", pointRadius: 2.2 });
        return new Chart(canvas, { type: "scatter", data: { datasets: [points("real", pca.real_points, css("--real")), points("synthetic", pca.synthetic_points, css("--made"))] }, options: o });
      }),
      el("p", { class: "soft small" }, "Distance of the two clouds (0 equal, 1 disjoint): component 1 " + num(pca.distances[0]) + ", component 2 " + num(pca.distances[1]) + ". The two explain " + pct(pca.explained.reduce((a, b) => a + b, 0), 0) + " of the real table's variance."));
  }

  // ---- groups ----
  const groups = have("groups"), related = have("related");
  const figureRows = (figures) => figures.map((f) => [f.name].concat([f.real, f.synthetic].map((v) => (f.is_date && isNumber(v) ? new Date(Math.round(v * 864e5)).toISOString().slice(0, 10) : Number.isInteger(v) ? count(v) : short(v))), [isNumber(f.distance) ? num(f.distance, 3) : ""]));
  if (related) section("related", "Related tables", "Related tables", "A parent table and its rows: how many a parent has, and whether all keys are whole.", table("Related tables", ["figure", n("real"), n("synthetic"), n("distance")], figureRows(related.figures)));
  if (groups) section("groups", "Groups", "Groups", "Rows that belong together" + (groups.order ? ", by ‘" + groups.group + "’ and in the order of ‘" + groups.order + "’: how many they are, how they follow one another, and what one tells of the next." : ", by ‘" + groups.group + "’."), table("Groups", ["figure", n("real"), n("synthetic"), n("distance")], figureRows(groups.figures)),
    groups.autocorrelations.length ? lazily("correlation with rows further before", () => table("Correlation of a value with the one so many rows before", ["column", ""].concat(groups.autocorrelations[0].real.map((v, i) => n(String(i + 1)))), groups.autocorrelations.flatMap((a) => [[link(a.column), "real"].concat(a.real.map((v) => num(v, 2))), ["", "synthetic"].concat(a.synthetic.map((v) => num(v, 2)))]))) : null,
    el("p", { class: "soft small" }, "Sizes are those of all groups; everything else looks at " + count(groups.sampled_groups[0]) + " real and " + count(groups.sampled_groups[1]) + " synthetic ones. The distance is that of Kolmogorov and Smirnov between the two distributions, 0 equal and 1 disjoint."));

  // ---- models as judges ----
  const disc = have("discriminator"), use = have("usefulness");
  const reasons = (names) => names.filter((m) => missing[m]).map((m) => el("p", { class: "soft" }, el("b", {}, words(m)), " is not available: ", missing[m], "."));
  if (disc || use || missing.discriminator || missing.usefulness) {
    section("models", "Models as judges", "Models", null,
      disc ? el("div", {}, el("h3", {}, "Can a model tell synthetic rows from real ones?"),
        el("p", {}, "Gradient-boosted trees reach an AUC of ", el("b", {}, num(disc.auc)), " (.5 is guessing, 1 is certain); detection score ", el("b", {}, num(disc.detection_score)), " of 1, on " + count(disc.rows_each) + " rows of each kind."),
        table("What gives synthetic rows away, if anything", ["column", n("share of the trees' gain")], disc.strongest.filter((f) => f.importance > 0).map((f) => [link(f.column), pct(f.importance, 0)]))) : null,
      use ? el("div", {}, el("h3", { style: "margin-top:1.2rem" }, "Is a model trained on synthetic rows of use on real ones?"),
        el("p", {}, "Predicting ", link(use.target), " (" + use.chosen_by + ") for " + count(use.tested_rows) + " unseen real rows, after learning from " + count(use.rows) + " rows."),
        table("Train on synthetic, test on real", ["learned from"].concat(use.task === "regression" ? [n("R²")] : [n("AUC"), n("macro F1")]),
          [["real rows", use.real], ["synthetic rows", use.synthetic]].map(([name, r]) => [name].concat(use.task === "regression" ? [num(r.r2)] : [num(r.auc), num(r.macro_f1)])))) : null,
      ...reasons(["discriminator", "usefulness"]));
  }

  // ---- privacy ----
  const bar = (a) => {
    const low = Math.max(0, a.risk_low || 0), high = Math.min(1, a.risk_high || 0), point = Math.max(0, Math.min(1, a.risk || 0));
    return el("span", { class: "risk", role: "img", "aria-label": "risk " + num(a.risk, 2) + ", between " + num(a.risk_low, 2) + " and " + num(a.risk_high, 2) },
      el("i", { class: "ci", style: "left:" + 100 * low + "%;width:" + 100 * Math.max(0.005, high - low) + "%" }), el("i", { class: "pt", style: "left:calc(" + 100 * point + "% - 1px)" }));
  };
  const mean = (xs) => xs.reduce((a, b) => a + b, 0) / xs.length;
  const aia = have("attribute_inference"), pii = have("pii_replay");
  const ofColumns = attacks.filter((a) => a.measure === "inference").slice(0, 5);
  const shown = attacks.filter((a) => a.measure !== "inference" || ofColumns.includes(a));
  const attackTable = (caption, list) => table(caption, ["attack", n("tries"), n("learned rows"), n("unseen rows"), n("blind guess"), n("risk (interval)"), "risk, 0 to 1"],
    list.map((a) => [el("span", {}, a.name, el("div", { class: "soft small" }, a.detail)), count(a.attempts), pct(a.rate), pct(a.control_rate), pct(a.baseline_rate), num(a.risk, 3) + " (" + num(a.risk_low, 3) + " to " + num(a.risk_high, 3) + ")", bar(a)]));
  section("privacy", "Privacy attacks", "Privacy", "Each attack is tried on rows that were learned and, as control, on unseen rows. What works on both is knowledge about people in general; only the surplus on learned rows is a leak.",
    shown.length ? attackTable("Attacks against their control (Giomi et al. 2022); 95 % intervals", shown) : null,
    attacks.length > shown.length ? lazily("inference of the other " + (attacks.length - shown.length) + " columns", () => attackTable("Inference, the most successful first", attacks.filter((a) => !shown.includes(a)))) : null,
    dcr ? el("div", {}, el("h3", { style: "margin-top:1.2rem" }, "Closest records"), el("p", {}, isNumber(dcr.share) ? "Nearer to learned than to unseen rows: " + pct(dcr.share) + ", 95 % interval " + pct(dcr.low) + " to " + pct(dcr.high) + "; 50 % is chance, 100 % copies. " : "", "Synthetic rows that equal a learned row: " + pct(dcr.copies, 2) + (isNumber(dcr.holdout_copies) ? "; unseen real rows that do: " + pct(dcr.holdout_copies, 2) : "") + ".")) : null,
    mia ? el("div", {}, el("h3", { style: "margin-top:1.2rem" }, "Membership inference"), el("p", {}, "Guessing from distances whether a row was learned: AUC " + num(mia.auc) + ", .5 is chance (" + count(mia.attacks) + " attacks)."),
      mia.grades ? table("Attacks by how well they were withstood", ["grade", n("attacks")], Object.entries(mia.grades).map(([g, v]) => [words(g), pct(v, 0)])) : null) : null,
    aia ? el("div", {}, el("h3", { style: "margin-top:1.2rem" }, "Attribute inference"), el("p", {}, "Somebody who knows " + aia.quasi_identifiers + " values of a person guesses the others from the nearest synthetic rows (" + count(aia.attacks) + " attacks)."),
      lazily("by column", () => table("Protection by column", ["column", n("guessed right"), n("score")], aia.columns.map((c) => [link(c.name), pct(c.accuracy, 0), num(c.score.score, 1)])))) : null,
    pii ? el("div", {}, el("h3", { style: "margin-top:1.2rem" }, "Personal data that occurs again"), pii.columns.length ? table("Found " + pii.detection, ["column", "kind", n("distinct real values"), n("of them in the synthetic table")], pii.columns.map((c) => [c.column, c.entity, count(c.unique_ref_data), count(c.unique_synth_data) + " (" + c.unique_synth_data_percentage + " %)"])) : el("p", {}, "No personal data was recognised in the real table (" + pii.detection + ").")) : null,
    ...reasons(["singling_out", "linkability", "inference", "closest_records", "membership_inference", "attribute_inference"]));

  if (D.dp) section("dp", "Differential privacy", "Differential privacy", D.dp.summary || "The synthetic rows were made under differential privacy; this is its ledger.",
    el("details", {}, el("summary", {}, "the ledger, privacy.json"), el("pre", { tabindex: "0" }, D.dp.ledger)));

  // ---- run ----
  const t = M.timing || {};
  section("run", "Costs, settings and how to repeat it", "Run", null,
    el("dl", {}, [["training", t.training_time_sec], ["generation", t.generation_time_sec], ["evaluation", t.evaluation_time_sec], ["whole run", t.total_time_sec]].filter(([, v]) => isNumber(v)).flatMap(([k, v]) => [el("dt", {}, k), el("dd", {}, seconds(v))])),
    run.reproduce ? el("div", {}, el("h3", {}, "Repeat it"), el("pre", { tabindex: "0" }, run.reproduce), el("p", { class: "soft small" }, "The same table, seed, build and kind of machine give the same rows and the same figures.")) : null,
    run.config ? el("details", {}, el("summary", {}, "all settings"), el("pre", { tabindex: "0" }, run.config)) : null,
    lazily("seconds by measure", () => table("Evaluation", ["measure", n("seconds")], Object.entries(M.seconds || {}).map(([k, v]) => [words(k), num(v, 1)]))));
  document.getElementById("foot").textContent = D.foot;
})();
