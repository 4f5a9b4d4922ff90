"use strict";
// Texts of posts come from anybody: they are put into the page as text only, never as markup.
(() => {
  const byId = (id) => document.getElementById(id);

  const THEMES = [["", "as the system"], ["light", "light"], ["dark", "dark"]];
  const theme = byId("theme");
  let themed = 0;
  theme.hidden = false;
  theme.addEventListener("click", () => {
    themed = (themed + 1) % THEMES.length;
    document.documentElement.dataset.theme = THEMES[themed][0];
    theme.textContent = `Theme: ${THEMES[themed][1]}`;
  });

  if (!byId("data")) return;
  const data = JSON.parse(byId("data").textContent);
  const DIMENSIONS = ["quadrant", "lang", "category", "feeling"];
  const TITLES = { quadrant: "Quadrant", lang: "Language", category: "Match", feeling: "Feeling" };
  const KINDS = ["service_call", "offer", "household_merge"];
  const FIRST_TO_DO = ["a call", "an offer", "a household to join"];
  const NOTHING = {
    service_call: "Nobody here needs a call.",
    offer: "There is nothing to offer here.",
    household_merge: "No family here is managed apart.",
    posts: "No post on the map fits.",
  };
  const SVG = "http://www.w3.org/2000/svg";
  const narrow = (width) => matchMedia(`(max-width: ${width}rem)`).matches;
  const PHONE = narrow(47.99), FIRST = PHONE ? 3 : 6, MORE = 12, SLICE = 4;
  const { start, step, count: slices } = data.scale;

  const number = (value) => value.toLocaleString("en");
  const percent = (part, whole) => (whole ? `${Math.round((100 * part) / whole)} %` : "—");
  const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many}`;
  const long = new Intl.DateTimeFormat("en-GB", {
    timeZone: "UTC", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit",
  });
  const when = (time) => long.format(new Date(time));
  const label = (dimension, code) => data.dimensions[dimension][code][1];
  const key = (dimension, code) => data.dimensions[dimension][code][0];

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children.filter((child) => child !== null && child !== ""));
    return element;
  }
  function draw(tag, attributes) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  }
  // A category that this page has never heard of is drawn as an unknown one.
  const drawn = (category) => (byId(`shape-${category}`) ? category : "unknown");
  function shape(category, feeling = "positive") {
    const picture = draw("svg", {
      class: `shape ${category && `shape-${category}`} feeling-${feeling}`,
      viewBox: "-8 -8 16 16", "aria-hidden": "true",
    });
    picture.append(draw("use", { href: `#shape-${category ? drawn(category) : "customer"}` }));
    return picture;
  }

  // What is chosen: a set of codes a dimension, empty for all; and the first and last slice of time.
  const chosen = DIMENSIONS.map(() => new Set());
  let first = 0, last = slices - 1;
  // A row is its codes: one a dimension, then its slice; from says where in the row they begin.
  function fits(row, from, except = -1) {
    for (let at = 0; at < SLICE; at += 1) {
      if (at !== except && chosen[at].size && !chosen[at].has(row[from + at])) return false;
    }
    return except === SLICE || (row[from + SLICE] >= first && row[from + SLICE] <= last);
  }
  const sum = (rows) => rows.reduce((total, row) => total + row[row.length - 1], 0);

  // Filters ------------------------------------------------------------------------------------
  const boxes = [];
  DIMENSIONS.forEach((dimension, at) => {
    const rows = data.dimensions[dimension].map(([value, text], code) => {
      const box = make("input", { type: "checkbox", name: dimension, value });
      const bar = make("i", { className: "bar" });
      const told = make("span", { className: "told" });
      box.addEventListener("change", () => {
        if (box.checked) chosen[at].add(code);
        else chosen[at].delete(code);
        update();
      });
      boxes.push({ at, code, bar, told });
      const mark = dimension === "category" ? shape(value)
        : dimension === "feeling" ? shape("", value) : "";
      return make("label", { className: "facet" }, box, mark, make("span", {}, text), told, bar);
    });
    byId("facets").append(
      make("fieldset", {}, make("legend", { textContent: TITLES[dimension] }), ...rows));
  });
  const from = byId("from"), to = byId("to");
  for (const input of [from, to]) {
    input.max = slices - 1;
    input.addEventListener("input", () => {
      if (Number(from.value) > Number(to.value)) (input === from ? to : from).value = input.value;
      first = Number(from.value);
      last = Number(to.value);
      update();
    });
  }
  to.setAttribute("value", slices - 1);
  to.value = slices - 1;
  byId("form").addEventListener("submit", (event) => event.preventDefault());
  byId("form").addEventListener("reset", () => {
    chosen.forEach((codes) => codes.clear());
    first = 0;
    last = slices - 1;
    setTimeout(update);
  });
  const columns = Array.from({ length: slices }, (_, at) => {
    const column = draw("rect", { x: (600 * at) / slices, width: Math.max(1, 600 / slices - 1.5) });
    byId("histogram").append(column);
    return column;
  });
  function showTime() {
    const counts = new Array(slices).fill(0);
    for (const row of data.posts) if (fits(row, 0, SLICE)) counts[row[SLICE]] += row[SLICE + 1];
    const highest = Math.max(1, ...counts);
    columns.forEach((column, at) => {
      const high = counts[at] ? Math.max(2, (96 * counts[at]) / highest) : 0;
      column.setAttribute("y", 100 - high);
      column.setAttribute("height", high);
      column.setAttribute("class", at >= first && at <= last ? "in" : "out");
    });
    const begins = when(start + first * step), ends = when(start + (last + 1) * step);
    byId("from-text").textContent = begins;
    byId("to-text").textContent = ends;
    from.setAttribute("aria-valuetext", begins);
    to.setAttribute("aria-valuetext", ends);
  }
  function showFacets() {
    const counts = DIMENSIONS.map((dimension) => data.dimensions[dimension].map(() => 0));
    DIMENSIONS.forEach((_, at) => {
      for (const row of data.posts) if (fits(row, 0, at)) counts[at][row[at]] += row[SLICE + 1];
    });
    for (const { at, code, bar, told } of boxes) {
      told.textContent = number(counts[at][code]);
      bar.style.width = `${(100 * counts[at][code]) / Math.max(1, ...counts[at])}%`;
    }
  }

  // Numbers ------------------------------------------------------------------------------------
  const all = { posts: sum(data.posts) };
  KINDS.forEach((kind, at) => { all[kind] = sum(data.actions.filter((row) => row[0] === at)); });
  const words = {};
  for (const each of document.querySelectorAll("[data-of]")) words[each.dataset.of] = each.textContent;

  function showNumbers() {
    const posts = data.posts.filter((row) => fits(row, 0));
    const shown = { posts: sum(posts) };
    const matched = sum(posts.filter((row) => data.matched.includes(key("category", row[2]))));
    KINDS.forEach((kind, at) => {
      shown[kind] = sum(data.actions.filter((row) => row[0] === at && fits(row, 1)));
    });
    const whole = shown.posts === all.posts;
    const write = (name, text, of) => {
      document.querySelector(`[data-number=${name}]`).textContent = text;
      document.querySelector(`[data-of=${name}]`).textContent = whole ? words[name] : of;
    };
    write("posts", number(shown.posts), `of ${number(all.posts)}`);
    write("matched", percent(matched, shown.posts), plural(matched, "post", "posts"));
    for (const kind of KINDS) write(kind, number(shown[kind]), `of ${number(all[kind])}`);
    byId("count").textContent = whole ? `All ${number(all.posts)} posts.`
      : !shown.posts ? "No post fits these filters."
      : `${number(shown.posts)} of ${plural(all.posts, "post", "posts")} fit: ` +
        `${plural(shown.service_call, "call", "calls")}, ${plural(shown.offer, "offer", "offers")}, ` +
        `${plural(shown.household_merge, "household", "households")}.`;
    showBreakdown(posts, shown.posts);
    showCorners(posts);
  }
  function showBreakdown(posts, total) {
    const feelings = data.dimensions.feeling.map(([, text]) => text);
    const cell = (tag, part, properties = {}) => {
      const made = make(tag, { className: "share", ...properties }, make("b", {}, number(part)),
        make("span", {}, percent(part, total)));
      made.style.setProperty("--share", total ? part / total : 0);
      return made;
    };
    const rows = data.dimensions.category.map(([value, text], category) => {
      const own = posts.filter((row) => row[2] === category);
      return make("tr", {}, make("th", { scope: "row" }, shape(value), text),
        ...feelings.map((_, feeling) => cell("td", sum(own.filter((row) => row[3] === feeling)))),
        cell("td", sum(own), { className: "share total" }));
    });
    const foot = make("tr", {}, make("th", { scope: "row" }, "All"),
      ...feelings.map((_, feeling) => cell("td", sum(posts.filter((row) => row[3] === feeling)))),
      cell("td", total, { className: "share total" }));
    byId("breakdown").replaceChildren(make("table", { className: "shares" },
      make("caption", {}, `${plural(total, "post", "posts")} by match and feeling`),
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Match"),
        ...feelings.map((text) => make("th", { scope: "col", className: "right" }, text)),
        make("th", { scope: "col", className: "right" }, "All"))),
      make("tbody", {}, ...rows), make("tfoot", {}, foot)));
  }

  // Map ----------------------------------------------------------------------------------------
  const X = 0, Y = 1, CODES = 2, AT = 7, WHO = 8, TEXT = 9, CUSTOMER = 10, EVIDENCE = 11, SURE = 12, TO_DO = 13;
  const order = data.dimensions.category.map((_, code) => -code);
  const marks = data.dots
    .map((dot) => ({ dot, rank: order[dot[CODES + 2]] * 10 + (key("feeling", dot[CODES + 3]) === "negative") }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ dot }) => {
      const category = drawn(key("category", dot[CODES + 2]));
      const mark = draw("g", {
        transform: `translate(${dot[X]} ${dot[Y]})`,
        class: `dot shape-${category} feeling-${key("feeling", dot[CODES + 3])}`,
      });
      mark.append(draw("use", { href: `#shape-${category}` }));
      mark.addEventListener("click", () => choose(dot, mark));
      byId("dots").append(mark);
      return { dot, mark };
    });
  function choose(dot, mark) {
    const again = mark.cloneNode(true);
    again.classList.add("chosen");
    byId("chosen-dot").replaceChildren(again);
    byId("post").replaceChildren(postCard(dot, "div"));
  }
  const CORNERS = {
    ctnw: [0, -16, "start"], ctne: [1000, -16, "end"], ctsw: [0, 762, "start"], ctse: [1000, 762, "end"],
  };
  function showCorners(posts) {
    byId("corners").replaceChildren(...data.dimensions.quadrant.flatMap(([value, text], code) => {
      if (!CORNERS[value]) return [];
      const [x, y, anchor] = CORNERS[value];
      const corner = draw("text", { x, y, "text-anchor": anchor });
      corner.textContent = `${text} ${number(sum(posts.filter((row) => row[0] === code)))}`;
      return [corner];
    }));
  }
  function showMap() {
    for (const { dot, mark } of marks) mark.classList.toggle("away", !fits(dot, CODES));
    byId("chosen-dot").replaceChildren();
    byId("post").replaceChildren();
  }

  // Lists --------------------------------------------------------------------------------------
  const fact = (name, ...value) => make("div", {}, make("dt", {}, name), make("dd", {}, ...value));
  function facts(codes, at) {
    return make("p", { className: "meta" },
      shape(key("category", codes[2]), key("feeling", codes[3])),
      ...[label("category", codes[2]), label("feeling", codes[3]), label("quadrant", codes[0]),
        label("lang", codes[1]), when(at)]
        .flatMap((text, place) => [place ? " · " : "", make("span", {}, text)]));
  }
  const far = (metres) => (metres < 10000 ? `${number(Math.round(metres))} m` : `${number(Math.round(metres / 1000))} km`);
  const quote = (text) => make("blockquote", { dir: "auto" }, text);
  const sure = (confidence) => (confidence === null ? "—" : `${confidence} %`);
  function postCard(dot, tag = "li") {
    return make(tag, { className: "card", tabIndex: -1 },
      make("p", { className: "name", dir: "auto" }, dot[CUSTOMER] || dot[WHO]),
      facts(dot.slice(CODES, CODES + 5), dot[AT]), quote(dot[TEXT]),
      make("dl", {}, dot[CUSTOMER] ? fact("Written by", dot[WHO]) : null,
        fact("Evidence", `${dot[EVIDENCE] || "none"} (${sure(dot[SURE])} sure)`),
        dot[TO_DO] === null ? null : fact("To do", FIRST_TO_DO[dot[TO_DO]])));
  }
  function actionCard(each) {
    const kin = each.kin.map(([name, address, household]) => make("li", {},
      [name, address, household ? `household ${household}` : "in no household"]
        .filter(Boolean).join(", ")));
    return make("li", { className: "card", tabIndex: -1 },
      make("p", { className: "name", dir: "auto" }, each.customer || each.author,
        ...[
          each.id && each.id !== each.customer ? make("small", {}, each.id) : null,
          each.product ? make("span", { className: "tag" }, each.product) : null,
          each.customer ? null : make("span", { className: "tag" }, "advisor's review"),
        ].flatMap((mark) => (mark ? [" ", mark] : []))),
      facts(each.codes, each.at), quote(each.text),
      ...told(fact("Why", each.why || "—"), [
        fact("Evidence", each.evidence || "—"),
        fact("Confidence", sure(each.confidence)),
        fact("Distance", each.distance === null ? "the post has no exact position" : `${far(each.distance)} from the address`),
        fact("Address", each.address || "not known"),
        each.household || kin.length ? fact("Household", each.household || "none") : null,
        kin.length ? fact("Join with", make("ul", {}, ...kin)) : null,
        fact("Written by", each.author)]));
  }
  // On a phone a card says why, and unfolds the rest.
  function told(why, rest) {
    if (!PHONE) return [make("dl", {}, why, ...rest)];
    return [make("dl", {}, why),
      make("details", {}, make("summary", {}, "Evidence and address"), make("dl", {}, ...rest))];
  }
  addEventListener("beforeprint", () => {
    for (const each of document.querySelectorAll(".card details")) each.open = true;
  });
  const lists = [
    ...KINDS.map((kind) => ({ kind, rows: data.todo[kind], codes: (each) => each.codes, from: 0, card: actionCard })),
    { kind: "posts", rows: data.dots, codes: (dot) => dot, from: CODES, card: postCard },
  ].map((list) => ({
    ...list,
    place: document.querySelector(`[data-list=${list.kind}]`),
    note: document.querySelector(`[data-note=${list.kind}]`),
    more: document.querySelector(`[data-more=${list.kind}]`),
    left: document.querySelector(`[data-left=${list.kind}]`),
  }));
  const notes = lists.map(({ note }) => note.textContent);
  lists.forEach((list) => {
    list.more.addEventListener("click", () => {
      const before = list.place.children.length;
      list.place.append(...list.fitting.slice(before, before + MORE).map((each) => list.card(each)));
      showMore(list);
      list.place.children[before].focus();
    });
  });
  function showMore(list) {
    const left = list.fitting.length - list.place.children.length;
    list.more.hidden = left === 0;
    list.more.textContent = `Show ${Math.min(left, MORE)} more of ${number(left)}`;
    list.left.hidden = left === 0;
    list.left.textContent = `${number(left)} more are on the page itself.`;
  }
  function showLists() {
    lists.forEach((list, at) => {
      list.fitting = list.rows.filter((row) => fits(list.codes(row), list.from));
      list.place.replaceChildren(...list.fitting.slice(0, FIRST).map((each) => list.card(each)));
      const whole = list.fitting.length === list.rows.length;
      list.note.textContent = !list.fitting.length ? NOTHING[list.kind]
        : whole ? notes[at] || `${plural(list.rows.length, "post", "posts")}, as the map has them.`
        : `${number(list.fitting.length)} of the ${number(list.rows.length)} that the page has fit the filters.`;
      showMore(list);
    });
  }

  function update() {
    showNumbers();
    showFacets();
    showTime();
    showMap();
    showLists();
  }
  if (narrow(63.99)) byId("filters").open = false;
  update();
})();
