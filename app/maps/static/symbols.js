/* Which class a feature is in, and how a class is drawn: on the map's canvas and, from the same table, in the legend. */
(function (R) {
  "use strict";

  // Corners on a circle of radius 1; a mark is a list of strokes.
  const ring = (n, turn) =>
    Array.from({ length: n }, (_, i) => [Math.sin(turn + (2 * Math.PI * i) / n), -Math.cos(turn + (2 * Math.PI * i) / n)]);
  const arm = 0.36;
  const CORNERS = {
    square: [[-0.85, -0.85], [0.85, -0.85], [0.85, 0.85], [-0.85, 0.85]],
    diamond: ring(4, 0).map(([x, y]) => [1.08 * x, 1.08 * y]),
    triangle: ring(3, 0).map(([x, y]) => [1.12 * x, 1.12 * y + 0.18]),
    cross: [[-arm, -1], [arm, -1], [arm, -arm], [1, -arm], [1, arm], [arm, arm], [arm, 1], [-arm, 1], [-arm, arm],
      [-1, arm], [-1, -arm], [-arm, -arm]],
  };
  const MARKS = {
    "✓": [[[-0.42, 0.02], [-0.1, 0.36], [0.46, -0.34]]],
    "✕": [[[-0.34, -0.34], [0.34, 0.34]], [[0.34, -0.34], [-0.34, 0.34]]],
    "!": [[[0, -0.48], [0, 0.12]], [[0, 0.44], [0, 0.46]]],
    "–": [[[-0.38, 0], [0.38, 0]]],
    "+": [[[-0.44, 0], [0.44, 0]], [[0, -0.44], [0, 0.44]]],
  };

  /** The number of the class that these properties belong to. */
  R.classOf = function (style, properties) {
    const last = style.classes.length - 1;
    if (style.kind === "single") return 0;
    const value = properties[style.column];
    if (style.kind === "categories") {
      const wanted = R.known(value) ? value : null;
      const found = style.classes.findIndex((cls) => cls.values.includes(wanted));
      return found < 0 ? last : found;
    }
    if (!R.known(value)) return last;
    const found = style.uppers.findIndex((upper) => upper === null || value <= upper);
    return found < 0 ? last : found;
  };

  /** Whether a symbol draws anything; what it does not draw cannot be chosen either. */
  R.isSeen = (symbol) => Boolean(symbol.fill || symbol.line);

  const patterns = new Map();

  /** Slanting lines as what a canvas fills areas with. */
  const hatched = (colour) => R.hatch(colour).getContext("2d").createPattern(R.hatch(colour), "repeat");

  /** A small picture of slanting lines, to be laid side by side. */
  R.hatch = function (colour) {
    if (!patterns.has(colour)) {
      const tile = document.createElement("canvas"), pen = tile.getContext("2d");
      tile.width = tile.height = 8;
      pen.strokeStyle = colour;
      pen.lineWidth = 1.3;
      for (const shift of [-8, 0, 8]) {
        pen.moveTo(shift, 8);
        pen.lineTo(shift + 8, 0);
      }
      pen.stroke();
      patterns.set(colour, tile);
    }
    return patterns.get(colour);
  };

  /** Leaflet's options for a symbol. */
  R.pathOptions = (symbol) => ({
    stroke: Boolean(symbol.line) && symbol.line_px > 0,
    color: symbol.line || symbol.fill,
    weight: symbol.line_px,
    opacity: symbol.line_opacity,
    dashArray: symbol.dash.length ? symbol.dash.join(" ") : null,
    fill: Boolean(symbol.fill),
    fillColor: symbol.hatch ? hatched(symbol.fill) : symbol.fill,
    fillOpacity: symbol.fill_opacity,
  });

  /** Signs get smaller as the view gets wider, so that a city's worth of them stays readable. */
  const shrunk = (zoom) => Math.min(1, Math.max(0.45, 0.45 + (zoom - 11) * 0.14));

  function inkOn(symbol) {
    return symbol.fill === "#ffffff" ? symbol.line : "#ffffff";
  }

  L.Canvas.include({
    _updateShape(layer) {
      if (!this._drawing || layer._empty()) return;
      const { x, y } = layer._point, r = layer._radius * shrunk(layer._map.getZoom()), context = this._ctx;
      const corners = CORNERS[layer.options.shape];
      context.beginPath();
      if (corners) corners.forEach(([dx, dy], i) => context[i ? "lineTo" : "moveTo"](x + r * dx, y + r * dy));
      else context.arc(x, y, r, 0, 2 * Math.PI);
      context.closePath();
      this._fillStroke(context, layer);
      if (layer.options.mark && r > 4) drawMark(context, layer.options, x, y, r);
    },
  });

  function drawMark(context, options, x, y, r) {
    context.globalAlpha = 1;
    context.strokeStyle = options.ink;
    context.lineWidth = Math.max(1.4, r * 0.26);
    context.lineCap = context.lineJoin = "round";
    for (const stroke of MARKS[options.mark] || []) {
      context.beginPath();
      stroke.forEach(([dx, dy], i) => context[i ? "lineTo" : "moveTo"](x + r * dx, y + r * dy));
      context.stroke();
    }
  }

  /** A point drawn as one of the shapes. */
  R.ShapeMarker = L.CircleMarker.extend({
    _updatePath() {
      this._renderer._updateShape(this);
    },
  });

  R.shapeOptions = (symbol) => ({
    ...R.pathOptions(symbol),
    fill: Boolean(symbol.fill),
    shape: symbol.shape || "circle",
    radius: (symbol.size_px || 7) / 2,
    mark: symbol.mark,
    ink: inkOn(symbol),
  });

  const path = (points, r, close) =>
    points.map(([x, y], i) => `${i ? "L" : "M"}${(10 + r * x).toFixed(2)} ${(10 + r * y).toFixed(2)}`).join("") +
    (close ? "Z" : "");

  function paint(symbol) {
    return {
      fill: symbol.fill || "none",
      "fill-opacity": symbol.fill_opacity,
      stroke: symbol.line || "none",
      "stroke-width": Math.min(symbol.line_px, 3),
      "stroke-opacity": symbol.line_opacity,
      "stroke-dasharray": symbol.dash.length ? symbol.dash.join(" ") : null,
    };
  }

  /** The symbol as a little picture, for legends, lists and headings; `as` is point, line or polygon. */
  R.swatch = function (symbol, as, opacity = 1) {
    const picture = R.el("svg", { viewBox: "0 0 20 20", class: "swatch", "aria-hidden": "true", focusable: "false", opacity });
    if (as === "line") {
      picture.append(R.el("line", { x1: 1, y1: 10, x2: 19, y2: 10, ...paint(symbol), "stroke-width": Math.min(symbol.line_px, 8) }));
    } else if (as === "point" || (as === "mixed" && symbol.shape)) {
      const r = Math.min((symbol.size_px || 7) / 2, 8);
      const shape = CORNERS[symbol.shape];
      picture.append(shape ? R.el("path", { d: path(shape, r, true), ...paint(symbol) })
        : R.el("circle", { cx: 10, cy: 10, r, ...paint(symbol) }));
      if (symbol.mark) picture.append(mark(symbol.mark, r, inkOn(symbol)));
    } else if (symbol.mark) {
      return R.badge(symbol);
    } else if (symbol.hatch) {
      picture.append(R.el("rect", { x: 1.5, y: 3.5, width: 17, height: 13, rx: 2, ...paint(symbol), fill: "none" }));
      picture.append(R.el("path", { d: "M3 10L9 4M3 16L15 4M10 16L18 8", stroke: symbol.fill, "stroke-width": 1.3, fill: "none" }));
    } else {
      picture.append(R.el("rect", { x: 1.5, y: 3.5, width: 17, height: 13, rx: 2, ...paint(symbol) }));
    }
    return picture;
  };

  /** A round badge with the class's mark: status told by colour, sign and, beside it, words. */
  R.badge = function (symbol) {
    const picture = R.el("svg", { viewBox: "0 0 20 20", class: "badge", "aria-hidden": "true", focusable: "false" });
    picture.append(R.el("circle", { cx: 10, cy: 10, r: 9, fill: symbol.fill }));
    if (symbol.mark) picture.append(mark(symbol.mark, 9, "#ffffff"));
    return picture;
  };

  function mark(sign, r, ink) {
    const strokes = (MARKS[sign] || []).map((stroke) => path(stroke, r, false)).join("");
    return R.el("path", { d: strokes, fill: "none", stroke: ink, "stroke-width": 1.9, "stroke-linecap": "round", "stroke-linejoin": "round" });
  }
})(window.Renxing);
