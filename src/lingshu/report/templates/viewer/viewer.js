/* The sample browser. State lives in the address after '#', so every view can be linked. Texts of data sets and models
   only ever become text nodes; rows come from scripts under data/, because pages on a disk may load nothing else. */
"use strict";
(() => {
  const PAGE_ROWS = 10, CHUNKS_KEPT = 60, LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const WRONG = 0, RIGHT = 1, UNSCORED = 2, NO_ANSWER = 16, FAILED = 32, JUDGED = 64;
  const first = bits => bits & 3, official = bits => bits >> 2 & 3;
  const FILTERS = {
    all: ["All answers", () => true],
    official_wrong: ["Wrong by official, right by strict", b => official(b) === WRONG && first(b) === RIGHT],
    official_right: ["Right by official, wrong by strict", b => official(b) === RIGHT && first(b) === WRONG],
    right: ["Right", b => first(b) === RIGHT],
    wrong: ["Wrong", b => first(b) === WRONG],
    none: ["No answer", b => (b & NO_ANSWER) !== 0],
    unscored: ["Unscored", b => first(b) === UNSCORED],
    failed: ["Failed calls", b => (b & FAILED) !== 0],
    judged: ["Seen by a judge", b => (b & JUDGED) !== 0],
  };
  const manifest = JSON.parse(document.getElementById("manifest").textContent);
  const [form, status, results, pager] = ["filters", "status", "results", "pager"].map(id => document.getElementById(id));
  const fields = form.elements;

  // ---- loading ----------------------------------------------------------------------------------------------------
  const loaded = new Map(), pending = new Map();
  window.lingshuPut = (key, value) => loaded.set(key, value);

  function load(key) {
    if (loaded.has(key)) return Promise.resolve(loaded.get(key));
    if (!pending.has(key)) {
      pending.set(key, new Promise((resolve, reject) => {
        const script = document.createElement("script");
        const end = () => { script.remove(); pending.delete(key); };
        script.onload = () => { end(); loaded.has(key) ? resolve(loaded.get(key)) : reject(new Error(`data/${key}.js is broken`)); };
        script.onerror = () => { end(); reject(new Error(`data/${key}.js can't be loaded: keep the whole folder together`)); };
        script.src = `data/${key}.js`;
        document.head.append(script);
      }));
    }
    return pending.get(key);
  }

  const index = group => load(`${group.folder}/index`);

  function chunkOf(starts, place) {
    let low = 0, high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= place) low = middle; else high = middle - 1;
    }
    return low;
  }

  async function row(group, place) {
    const { starts } = await index(group);
    const number = chunkOf(starts, place);
    const key = `${group.folder}/c${String(number).padStart(5, "0")}`;
    const chunk = await load(key);
    loaded.delete(key);
    loaded.set(key, chunk); // the last used stands last
    const chunks = [...loaded.keys()].filter(name => !name.endsWith("/index"));
    for (const old of chunks.slice(0, Math.max(0, chunks.length - CHUNKS_KEPT))) loaded.delete(old);
    return chunk[place - starts[number]];
  }

  // ---- state ------------------------------------------------------------------------------------------------------
  const DEFAULTS = { run: manifest.runs[0].label, bench: "", show: "all", modality: "", q: "", page: "1", id: "" };
  let state = { ...DEFAULTS };

  function parsed(hash) {
    const given = new URLSearchParams(hash.slice(1)), found = { ...DEFAULTS };
    for (const name of Object.keys(DEFAULTS)) if (given.has(name)) found[name] = given.get(name);
    if (!manifest.runs.some(run => run.label === found.run)) found.run = DEFAULTS.run;
    if (!groupsOf(found).length) found.bench = "";
    if (!Object.hasOwn(FILTERS, found.show)) found.show = "all";
    found.page = String(Math.max(1, Number.parseInt(found.page, 10) || 1));
    return found;
  }

  function address(changes) {
    const wanted = { ...state, ...changes }, query = new URLSearchParams();
    for (const [name, value] of Object.entries(wanted)) if (value !== DEFAULTS[name] || name === "run") query.set(name, value);
    return `#${query}`;
  }

  const runNumber = label => manifest.runs.findIndex(run => run.label === label);
  const groupsOf = ({ run, bench }) =>
    manifest.groups.filter(group => group.run === runNumber(run) && (!bench || group.benchmark === bench));

  // ---- drawing ----------------------------------------------------------------------------------------------------
  function make(tag, style, ...children) {
    const node = document.createElement(tag);
    if (style) node.className = style;
    node.append(...children.filter(child => child !== null && child !== undefined));
    return node;
  }

  function link(text, href) {
    const node = make("a", "", text);
    node.href = href;
    return node;
  }

  function badge(correct) {
    const [style, word] = correct === true ? ["right", "right"] : correct === false ? ["wrong", "wrong"] : ["none", "unscored"];
    return make("span", `badge ${style}`, word);
  }

  function block(title, text, style = "") {
    if (text === undefined || text === null || text === "") return null;
    const body = make("div", `text ${style}`, String(text));
    const part = make("div", "", make("h3", "", title), body);
    body.setAttribute("aria-label", title);
    return part;
  }

  function verdict(title, found) {
    if (!found) return null;
    const shown = found.score === undefined ? badge(found.correct) : make("span", "badge none", "graded");
    const part = make("div", "verdict", make("b", "", title), shown, make("p", "", `rule: ${found.rule || "–"}`));
    if (found.score !== undefined) part.append(make("p", "", `rubric score: ${(100 * found.score).toFixed(1)}`));
    if (found.parsed) part.append(make("p", "", `understood: ${found.parsed}`));
    if (found.reason) part.append(make("p", "dim", found.reason));
    return part;
  }

  function judgement(judge) {
    const shown = typeof judge.verdict === "boolean" ? badge(judge.verdict) : make("span", "badge none", "no verdict");
    return make("div", "verdict", make("b", "", `Judge ${judge.name}`), shown, judge.text ? make("p", "text", judge.text) : null);
  }

  function rubric(sample) {
    if (!sample.criteria) return null;
    const list = make("ul", "criteria");
    for (const { text, points, met, judges } of sample.criteria) {
      const word = met === true ? "met" : met === false ? "not met" : "no verdict";
      const item = make("li", "", make("span", "badge none", word), ` ${points > 0 ? "+" : "−"}${Math.abs(points)} points: ${text}`);
      if (judges.some(judge => judge.text)) {
        item.append(make("details", "", make("summary", "", "What judges said"), ...judges.map(judge => make("div", "text", `${judge.name}: ${judge.text}`))));
      }
      list.append(item);
    }
    return make("div", "below", make("h3", "", "Rubric"), list);
  }

  function metrics(sample) {
    if (!sample.metrics) return null;
    const list = make("dl", "meta");
    for (const [name, value] of Object.entries(sample.metrics)) {
      list.append(make("div", "", make("dt", "", name), make("dd", "", value === null ? "–" : (100 * value).toFixed(1))));
    }
    return make("div", "below", make("h3", "", "Metrics of this report, times 100"), list);
  }

  function options(sample) {
    if (!sample.choices) return null;
    const golds = new Set((sample.answer || []).map(gold => gold.trim()));
    const list = make("ol", "");
    sample.choices.forEach((choice, place) => {
      const gold = golds.has(LETTERS[place]) || golds.has(choice.trim());
      const shown = /^\W?[A-Z]\W/.test(choice) ? choice : `${LETTERS[place]}. ${choice}`;
      list.append(make("li", gold ? "gold" : "", gold ? `${shown} ✓` : shown));
    });
    return make("div", "", make("h3", "", "Options"), list);
  }

  function pictures(sample) {
    if (!sample.pictures) return null;
    const part = make("div", "pictures");
    sample.pictures.forEach((source, number) => {
      const image = make("img", "");
      image.loading = "lazy";
      image.alt = sample.pictures.length > 1 ? `Picture ${number + 1} of the question` : "Picture of the question";
      image.src = source;
      part.append(image);
    });
    return part;
  }

  function details(sample) {
    const told = { kind: sample.kind, cluster: sample.cluster, ...sample.meta, finish: sample.finish, tokens: sample.tokens, seconds: sample.seconds };
    const list = make("dl", "meta");
    for (const [name, value] of Object.entries(told)) {
      if (value === undefined || value === null || value === "") continue;
      list.append(make("div", "", make("dt", "", name), make("dd", "", Array.isArray(value) ? value.join(", ") : String(value))));
    }
    return list;
  }

  function elsewhere(group, sample) {
    const others = manifest.groups.filter(other => other.benchmark === group.benchmark && other.run !== group.run);
    if (!others.length) return null;
    const part = make("p", "small", "Other runs’ answers to it: ");
    others.forEach((other, number) => {
      const label = manifest.runs[other.run].label;
      part.append(number ? ", " : "", link(label, address({ run: label, bench: group.benchmark, id: sample.id, show: "all", q: "", page: "1", modality: "" })));
    });
    return part;
  }

  function card(group, sample, alone) {
    const article = make("article", `sample${sample.pictures ? " pictured" : ""}${alone ? " alone" : ""}`);
    const name = link(sample.id, address({ bench: group.benchmark, id: sample.id }));
    article.append(make("header", "", make("span", "dim", group.benchmark), name));
    const words = make("div", "", block("Question", sample.question), options(sample),
      sample.choices && (sample.answer || []).every(gold => /^[A-Z]$/.test(gold.trim())) ? block("Gold", sample.answer.join(", ")) : block("Gold", (sample.answer || []).join(" | ")),
      sample.error ? block("Failed call", sample.error, "response") : block("Response", sample.response ?? (sample.question ? "(empty)" : ""), "response"));
    if (!sample.question && sample.response === undefined) words.append(make("p", "dim", "A scored file holds no question and no response: give the responses to see them."));
    article.append(make("div", "body", pictures(sample), words));
    const title = manifest.runs[group.run].tracks[0] === "strict" ? "Strict" : "As scored";
    article.append(make("div", "verdicts", verdict(title, sample.first), verdict("Official", sample.official), ...(sample.judges || []).map(judgement)));
    article.append(...[rubric(sample), metrics(sample)].filter(Boolean));
    article.append(details(sample));
    if (alone) article.append(...[block("Prompt", sample.prompt), elsewhere(group, sample)].filter(Boolean));
    // Only what overflows takes the keyboard's focus: it has to be scrolled.
    requestAnimationFrame(() => article.querySelectorAll(".text").forEach(part => {
      if (part.scrollHeight > part.clientHeight + 1) { part.tabIndex = 0; part.setAttribute("role", "region"); }
      else part.removeAttribute("aria-label");
    }));
    return article;
  }

  // ---- finding ----------------------------------------------------------------------------------------------------
  function fill(select, pairs, value) {
    select.replaceChildren(...pairs.map(([key, text]) => {
      const option = make("option", "", text);
      option.value = key;
      return option;
    }));
    select.value = value;
  }

  function places(entries, name, keep) {
    const found = [];
    for (const [group, data] of entries) {
      const fits = data.modalities.map(names => !name || names.includes(name));
      data.bits.forEach((bits, place) => { if (fits[data.modality[place]] && keep(bits)) found.push([group, place]); });
    }
    return found;
  }

  function drawFilters(entries) {
    fill(fields.run, manifest.runs.map(run => [run.label, run.label]), state.run);
    const all = groupsOf({ run: state.run, bench: "" });
    const count = groups => groups.reduce((sum, group) => sum + group.rows, 0).toLocaleString("en");
    fill(fields.bench, [["", `All (${count(all)})`], ...all.map(group => [group.benchmark, `${group.benchmark} (${count([group])})`])], state.bench);
    const names = [...new Set(entries.flatMap(([, data]) => data.modalities.flat()))].sort();
    if (state.modality && !names.includes(state.modality)) names.push(state.modality);
    fill(fields.modality, [["", "All"], ...names.map(name => [name, name])], state.modality);
    fields.modality.disabled = !names.length;
    fill(fields.show, Object.entries(FILTERS).map(([key, [text, keep]]) =>
      [key, `${text} (${places(entries, state.modality, keep).length.toLocaleString("en")})`]), state.show);
    if (document.activeElement !== fields.q) fields.q.value = state.q;
  }

  function matches(sample, words) {
    const judges = [sample, ...(sample.criteria || [])].flatMap(part => part.judges || []).map(judge => judge.text);
    const text = [sample.id, sample.question, ...(sample.choices || []), ...(sample.answer || []), sample.response, sample.error, ...judges,
      sample.first.rule, sample.official ? sample.official.rule : ""].join("\n").toLowerCase();
    return words.every(word => text.includes(word));
  }

  /** Return the rows of the page, and whether there are more; a search reads chunks only until the page is full. */
  async function pageRows(candidates, alive) {
    const start = (Number(state.page) - 1) * PAGE_ROWS, words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) {
      const rows = [];
      for (const [group, place] of candidates.slice(start, start + PAGE_ROWS)) rows.push([group, await row(group, place)]);
      return { rows, more: candidates.length > start + PAGE_ROWS, found: candidates.length, seen: candidates.length };
    }
    const rows = [];
    let found = 0, seen = 0;
    for (const [group, place] of candidates) {
      const sample = await row(group, place);
      if (!alive()) return null;
      seen += 1;
      if (matches(sample, words)) {
        found += 1;
        if (found > start + PAGE_ROWS) return { rows, more: true, found, seen };
        if (found > start) rows.push([group, sample]);
      }
      if (seen % 2000 === 0) {
        status.textContent = `Searching: ${seen.toLocaleString("en")} of ${candidates.length.toLocaleString("en")}, ${found} found …`;
        await new Promise(resolve => setTimeout(resolve));
      }
    }
    return { rows, more: false, found, seen };
  }

  function drawPager(more, found) {
    const page = Number(state.page);
    const step = (text, to, off) => {
      const button = make("button", "", text);
      button.type = "button";
      button.disabled = off;
      button.addEventListener("click", () => { location.hash = address({ page: String(to) }); document.getElementById("samples").scrollIntoView({ behavior: "instant" }); });
      return button;
    };
    const last = state.q ? null : Math.max(1, Math.ceil(found / PAGE_ROWS));
    const parts = [step("Previous", page - 1, page <= 1), make("span", "dim", `Page ${page}${last ? ` of ${last.toLocaleString("en")}` : ""}`), step("Next", page + 1, !more)];
    if (last && last > 2) parts.push(step("First", 1, page === 1), step("Last", last, page === last));
    pager.replaceChildren(...parts);
  }

  async function drawOne(entries, candidates, alive) {
    const [group, data] = entries.find(([, found]) => found.ids.includes(state.id)) || [];
    const back = link("Back to the list", address({ id: "" }));
    if (!group) {
      status.textContent = `No answer with the id “${state.id}” in this run.`;
      results.replaceChildren();
      pager.replaceChildren(back);
      return;
    }
    const place = data.ids.indexOf(state.id);
    const sample = await row(group, place);
    if (!alive()) return;
    const here = candidates.findIndex(([other, at]) => other === group && at === place);
    const near = (step, text) => {
      const target = here < 0 ? undefined : candidates[here + step];
      if (!target) return null;
      const [other, at] = target;
      return link(text, address({ bench: state.bench && other.benchmark, id: entries.find(([found]) => found === other)[1].ids[at] }));
    };
    status.textContent = here < 0 ? "One answer" : `Answer ${(here + 1).toLocaleString("en")} of ${candidates.length.toLocaleString("en")} in this filter`;
    results.replaceChildren(card(group, sample, true));
    pager.replaceChildren(...[back, near(-1, "Previous answer"), near(1, "Next answer")].filter(Boolean));
  }

  async function drawList(candidates, alive) {
    const page = await pageRows(candidates, alive);
    if (!page || !alive()) return;
    const total = candidates.length.toLocaleString("en");
    const number = page.found.toLocaleString("en");
    status.textContent = !candidates.length ? "No answer fits these filters."
      : !state.q ? `${total} ${candidates.length === 1 ? "answer" : "answers"}`
      : page.more ? `More than ${(Number(state.page) * PAGE_ROWS).toLocaleString("en")} found in the first ${page.seen.toLocaleString("en")} of ${total}`
      : `${number} of ${total} contain “${state.q}”`;
    results.replaceChildren(...page.rows.map(([group, sample]) => card(group, sample, false)));
    drawPager(page.more, page.found);
  }

  let turn = 0;
  async function draw() {
    const mine = ++turn, alive = () => mine === turn;
    results.setAttribute("aria-busy", "true");
    try {
      const entries = await Promise.all(groupsOf(state).map(async group => [group, await index(group)]));
      if (!alive()) return;
      drawFilters(entries);
      const candidates = places(entries, state.modality, FILTERS[state.show][1]);
      await (state.id ? drawOne(entries, candidates, alive) : drawList(candidates, alive));
    } catch (error) {
      if (alive()) status.textContent = error.message;
    } finally {
      if (alive()) results.setAttribute("aria-busy", "false");
    }
  }

  function follow(scroll) {
    if (!location.hash.includes("=")) return;
    state = parsed(location.hash);
    draw().then(() => {
      if (!scroll && !state.id) return;
      document.getElementById("samples").scrollIntoView({ behavior: "instant" });
      if (state.id) document.getElementById("samples").focus({ preventScroll: true });
    });
  }

  form.addEventListener("submit", event => event.preventDefault());
  for (const name of ["run", "bench", "show", "modality"]) {
    fields[name].addEventListener("change", () => {
      const changes = { [name]: fields[name].value, page: "1", id: "" };
      if (name === "run" && !groupsOf({ ...state, run: changes.run }).length) changes.bench = "";
      if (name === "run" || name === "bench") changes.modality = "";
      location.hash = address(changes);
    });
  }
  let timer = 0;
  fields.q.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => location.replace(address({ q: fields.q.value.trim(), page: "1", id: "" })), 250);
  });
  window.addEventListener("hashchange", () => follow(false));
  if (location.hash.includes("=")) follow(true); else draw();
})();
