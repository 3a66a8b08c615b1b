/* Draws every figure.chart from the numbers in its data-chart, in the page's colours, language and time zone. */
(() => {
  "use strict";
  const root = document.documentElement;
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const language = root.lang === "en" ? "en-GB" : root.lang;
  const formatter = (options) => new Intl.DateTimeFormat(language, { timeZone: root.dataset.zone || "UTC", ...options });
  const shortDay = formatter({ month: "short", day: "numeric" });
  const longDay = formatter({ year: "numeric", month: "long", day: "numeric" });
  const clock = formatter({ hour: "2-digit", minute: "2-digit" });
  const dayAndClock = formatter({ month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
  const at = (format, seconds) => format.format(new Date(seconds * 1000));
  const number = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });

  // Where little time has passed, several ticks lie within one minute or day: its name stands at the first of them.
  const unrepeated = (labels) => labels.map((label, n) => (label === labels[n - 1] ? "" : label));

  const axes = (x, unit) => {
    const line = { stroke: colour("muted"), font: "12px system-ui, sans-serif", ticks: { show: false }, grid: { stroke: colour("line"), width: 1 } };
    return [
      { ...line, grid: { show: false }, size: 28, space: 70, values: (_, ticks) => unrepeated(ticks.map((tick) => at(x, tick))) },
      { ...line, size: (_, labels) => Math.max(52, 14 + 7.5 * Math.max(0, ...(labels ?? []).map((label) => label.length))), values: (_, ticks) => ticks.map((tick) => number.format(tick) + unit) },
    ];
  };

  const dashed = (chart, from, to) => {
    const { ctx } = chart;
    ctx.save();
    ctx.strokeStyle = colour(from.colour);
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(from.x, from.y);
    ctx.lineTo(to.x, to.y);
    ctx.stroke();
    ctx.restore();
  };

  const thresholdLine = (given) => (chart) => {
    const { left, top, width, height } = chart.bbox;
    const y = chart.valToPos(given.threshold, "y", true);
    const now = chart.valToPos(given.now, "x", true);
    dashed(chart, { x: left, y, colour: "bad" }, { x: left + width, y });
    if (now > left && now < left + width) dashed(chart, { x: now, y: top, colour: "muted" }, { x: now, y: top + height });
  };

  const kinds = {
    forecast: (given, words) => ({
      height: 160,
      scales: { y: { range: [0, 100] } },
      axes: axes(shortDay, "%"),
      series: [
        {},
        { stroke: colour("water"), width: 2, points: { show: false } },
        { stroke: colour("water"), width: 1.5, dash: [6, 5], points: { show: false } },
        { stroke: "transparent", points: { show: false } },
        { stroke: "transparent", points: { show: false } },
      ],
      bands: [{ series: [4, 3], fill: colour("band") }],
      hooks: { draw: [thresholdLine(given)] },
      names: [words.measured, words.expected, null, null],
      keys: [[0, words.measured], ...(given.series[1].some((value) => value != null) ? [["0 dashed", words.expected]] : []), ["2 dashed", words.limit]],
      when: longDay,
      unit: " %",
    }),
    ingest: () => ({
      height: 200,
      scales: { y: { range: (_, __, most) => [0, Math.max(1, most) * 1.08] } },
      axes: axes(clock, ""),
      series: [
        {},
        { stroke: colour("water"), width: 2, fill: colour("band"), points: { show: false } },
        { stroke: colour("sun"), width: 1.5, points: { show: false } },
        { stroke: colour("bad"), width: 1.5, points: { show: false } },
      ],
      names: ["stored", "duplicate", "set aside"],
      keys: [[0, "stored per minute"], [1, "duplicate"], [2, "set aside"]],
      when: dayAndClock,
      unit: "",
    }),
    dam: (_, words) => ({
      height: 200,
      scales: { y: { range: (_, __, most) => [0, Math.max(1, most) * 1.08] } },
      axes: axes(shortDay, ""),
      series: [
        {},
        { stroke: colour("bad"), width: 1.5, fill: colour("band"), points: { show: false } },
        { stroke: colour("water"), fill: colour("water"), width: 0, paths: uPlot.paths.bars({ size: [0.6, 28] }), points: { show: false } },
      ],
      names: [words.all, words.known],
      keys: [[0, words.known], [2, words.all]],
      when: longDay,
      unit: "",
    }),
    sizes: () => ({
      height: 180,
      scales: { y: { range: (_, __, most) => [0, Math.max(1, most) * 1.08] } },
      axes: axes(shortDay, ""),
      series: [{}, { stroke: colour("water"), width: 2, fill: colour("band"), points: { show: false } }],
      names: ["members"],
      keys: [[0, "members"]],
      when: longDay,
      unit: "",
    }),
    statement: (_, words) => ({
      height: 180,
      scales: { y: { range: (_, least, most) => [Math.min(0, least * 1.1), Math.max(1, most * 1.15)] } },
      axes: axes(shortDay, ""),
      series: [
        {},
        { stroke: colour("water"), fill: colour("water"), width: 0, paths: uPlot.paths.bars({ size: [0.6, 28] }), points: { show: false } },
        { stroke: colour("bad"), fill: colour("bad"), width: 0, paths: uPlot.paths.bars({ size: [0.6, 28] }), points: { show: false } },
      ],
      names: ["earned", "clawed back"],
      keys: [[0, `earned, ${words.unit}, by day of the order`], [2, "clawed back"]],
      when: longDay,
      unit: ` ${words.unit}`,
    }),
  };

  const span = (text, style) => Object.assign(document.createElement("span"), { textContent: text, className: style || "" });

  const caption = (place, plan) => (chart) => {
    const index = chart.cursor.idx;
    if (index == null || chart.cursor.left < 0) {
      place.replaceChildren(...plan.keys.map(([key, text]) => span(text, `key key-${key}`)));
      return;
    }
    const values = plan.names
      .map((name, n) => [name, chart.data[n + 1][index]])
      .filter(([name, value]) => name && value != null)
      .map(([name, value]) => span(`${name} ${number.format(value)}${plan.unit}`));
    place.replaceChildren(span(at(plan.when, chart.data[0][index])), ...values);
  };

  const draw = (figure) => {
    const given = JSON.parse(figure.dataset.chart);
    const place = figure.querySelector(".plot");
    const { names, keys, when, unit, ...options } = kinds[figure.dataset.kind](given, figure.dataset);
    const show = caption(figure.querySelector("figcaption"), { names, keys, when, unit });
    figure.drawn?.destroy();
    figure.drawn = new uPlot(
      {
        width: place.clientWidth,
        padding: [10, 22, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false } },
        ...options,
        hooks: { ...options.hooks, ready: [show], setCursor: [show] },
      },
      [given.x, ...given.series],
      place,
    );
  };

  const drawAll = (within) => within.querySelectorAll("figure.chart").forEach(draw);
  const redraw = () => drawAll(document);
  drawAll(document);
  let waiting;
  addEventListener("resize", () => { clearTimeout(waiting); waiting = setTimeout(redraw, 120); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  document.body.addEventListener("htmx:afterSwap", redraw);
})();
