/* The side panel: what place and scenario this is, the headline, and the communities, weakest first. */
(function (R) {
  "use strict";

  const FIELD = { count: { kind: "count" }, minutes: { kind: "minutes" } };

  function choices(list, label, kind) {
    if (list.length < 2) return null;
    return R.el("nav", { class: kind, "aria-label": label }, list.map((choice) =>
      R.el("a", { href: choice.url, "aria-current": choice.current ? "page" : null, title: choice.note || null }, choice.label)));
  }

  function heading() {
    return R.el("header", { class: "heading" },
      R.el("div", { class: "top" },
        R.el("a", { class: "home", href: R.view.home }, `‹ ${R.t("all_studies")}`),
        choices(R.view.languages, R.t("language"), "languages")),
      R.el("h1", {}, R.view.title),
      choices(R.view.scenarios, R.t("scenario"), "scenarios") || R.el("p", { class: "scenario" }, R.view.scenario));
  }

  function beside(number) {
    const lines = [];
    if (R.known(number.of) && ["shelters", "housed"].includes(number.key)) lines.push(R.t("of_total", { value: R.count(number.of) }));
    else if (R.known(number.of) && number.of > 0 && R.known(number.value)) {
      lines.push(R.t("share", { value: R.percent(number.value / number.of) }));
    }
    if (R.known(number.normal) && number.normal !== number.value) lines.push(R.t("normal", { value: value(number.kind, number.normal) }));
    return lines.join(" · ");
  }

  function value(kind, given) {
    const unit = kind === "minutes" ? R.t("minutes") : "";
    return R.written({ kind, unit, missing: "–", codes: {} }, given);
  }

  function numbers() {
    return R.el("dl", { class: "numbers" }, R.view.numbers.map((number) =>
      R.el("div", { class: `number-box ${R.known(number.value) && number.value > 0 ? number.tone : "plain"}` },
        R.el("dt", {}, number.label),
        R.el("dd", {}, R.el("b", {}, value(number.kind, number.value)), R.el("small", {}, beside(number))))));
  }

  function bar() {
    const of = (key) => R.view.numbers.find((number) => number.key === key)?.value ?? 0;
    const people = of("people"), cut = of("cut_off"), full = of("full"), served = of("served");
    if (!people) return null;
    const part = (name, n) => {
      const box = R.el("span", { class: name });
      box.style.flexGrow = String(n);
      return n > 0 ? box : null;
    };
    return R.el("div", { class: "bar", "aria-hidden": "true" }, part("served", served), part("full", full), part("unserved", people - served - full - cut), part("cut", cut));
  }

  function verdict(community) {
    if (!community.people) return R.t("nobody");
    return community.people_unserved ? R.t("not_served", { value: R.count(community.people_unserved) }) : R.t("all_served");
  }

  function entry(community, look, go) {
    const symbol = look(community.status);
    const button = R.el("button", { type: "button", "data-id": community.community_id, on: { click: () => go(community) } },
      symbol && R.badge(symbol),
      R.el("span", { class: "who" }, R.el("strong", {}, community.name || R.t("unnamed")), R.el("em", {}, verdict(community))),
      R.el("span", { class: "why" }, community.reason));
    return R.el("li", { class: `community ${community.status}` }, button);
  }

  function communities(go) {
    const style = R.view.layers.find((card) => card.id === "communities")?.style;
    const look = (status) => style && style.classes[R.classOf(style, { status })].symbol;
    const items = R.view.communities.map((community) => [community, entry(community, look, go)]);
    const none = R.el("p", { class: "none", hidden: true }, R.t("none_found"));
    const search = R.el("input", { type: "search", placeholder: R.t("search"), "aria-label": R.t("search"), on: { input: () => {
      const wanted = search.value.trim().toLocaleLowerCase();
      const found = items.filter(([community, item]) => {
        item.hidden = !community.name.toLocaleLowerCase().includes(wanted);
        return !item.hidden;
      });
      none.hidden = found.length > 0;
    } } });
    return R.el("section", { id: "communities" }, R.el("h2", {}, R.t("communities")),
      items.length > 8 && search, none, R.el("ol", {}, items.map(([, item]) => item)));
  }

  function notes() {
    if (!R.view.notes.length) return null;
    return R.el("details", { class: "notes" }, R.el("summary", {}, R.t("notes")),
      R.el("ul", {}, R.view.notes.map((note) => R.el("li", {}, note))));
  }

  document.addEventListener("renxing:chosen", ({ detail }) => {
    for (const button of document.querySelectorAll(".community button")) {
      const chosen = button.dataset.id === String(detail.community_id) && "status" in detail;
      button.toggleAttribute("aria-current", chosen);
      if (chosen) button.scrollIntoView({ block: "nearest" });
    }
  });

  R.summary = (go) => [
    heading(),
    R.el("section", { "aria-label": R.t("summary") }, numbers(), bar()),
    notes(),
    R.el("p", { class: "check" }, R.el("a", { href: R.view.check }, `${R.t("check")} ›`)),
    communities(go),
    R.el("footer", {}, `${R.t("app")} · ${R.t("version", { value: R.view.version })}`),
  ].filter(Boolean);
})(window.Renxing);
