/* Words, numbers and elements. Text from the data only ever becomes a text node. */
window.Renxing = {};
(function (R) {
  "use strict";

  R.view = JSON.parse(document.getElementById("view").textContent);
  const numbers = new Map();
  const listed = new Intl.ListFormat(R.view.locale, { style: "narrow", type: "conjunction" });

  function formatter(digits) {
    if (!numbers.has(digits)) {
      const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
      numbers.set(digits, new Intl.NumberFormat(R.view.locale, options));
    }
    return numbers.get(digits);
  }

  /** The words under a key, {name} filled in. */
  R.t = (key, values = {}) =>
    R.view.words[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));

  /** An element: attributes, then children; strings become text. `on` holds listeners, `class` the class. */
  R.el = function (tag, attributes = {}, ...children) {
    const svg = ["svg", "path", "circle", "line", "rect"].includes(tag);
    const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
      else if (value === true) element.setAttribute(name, "");
      else if (value !== false && value != null) element.setAttribute(name, String(value));
    }
    element.append(...children.flat().filter((child) => child || child === 0));
    return element;
  };

  R.fill = (element, ...children) => element.replaceChildren(...children.flat().filter(Boolean));

  R.known = (value) => value !== null && value !== undefined && value !== "" && !Number.isNaN(value);
  R.measured = (value) => formatter(value < 10 ? 1 : 0).format(value);
  R.count = (value) => formatter(0).format(value);
  R.percent = (share) => formatter(share > 0 && share < 0.1 ? 1 : 0).format(100 * share) + " %";

  const WRITTEN = {
    count: R.count,
    minutes: (seconds) => formatter(seconds < 600 ? 1 : 0).format(seconds / 60),
    load: (hours) => WRITTEN.minutes(3600 * hours),
    hours: (hours) => formatter(Number.isInteger(hours) ? 0 : 1).format(hours),
    metres: (metres) => formatter(metres > 0 && metres < 10 ? 2 : 0).format(metres),
    share: R.percent,
    area: R.measured,
    bool: (yes) => R.t(yes ? "yes" : "no"),
  };

  /** A value as its field says, with its unit; what no value means where there is none. */
  R.written = function (field, value) {
    if (!R.known(value)) return field.missing || R.t("unknown");
    if (field.kind === "code") return field.codes[value] || String(value);
    if (field.kind === "codes") return listed.format(value.split(";").map((code) => field.codes[code] || code));
    const text = WRITTEN[field.kind] ? WRITTEN[field.kind](value) : String(value);
    return field.unit ? `${text} ${field.unit}` : text;
  };

  /** The same on a normal day, where it is known and written otherwise; else nothing. */
  R.before = function (field, properties) {
    const before = properties[field.normal];
    if (!field.normal || !R.known(before)) return "";
    const text = R.written(field, before);
    return text === R.written(field, properties[field.column]) ? "" : R.t("normal", { value: text });
  };

  /** A value that has one column a language: the page's language first, then the local one. */
  R.spoken = (properties, column) =>
    properties[`${column}_${R.view.lang}`] || properties[column] || "";

  /** What a field finds in a feature: its column, or the one of the page's language. */
  R.valueOf = (field, properties) =>
    field.kind === "words" ? R.spoken(properties, field.column) : properties[field.column];

  /** Whether a value, as it is written, is more than nothing. */
  R.isSome = (field, value) => value !== false && Number.parseFloat(R.written(field, value)) !== 0;

  R.filled = (template, values) =>
    template.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? encodeURIComponent(values[name]) : whole));
})(window.Renxing);
