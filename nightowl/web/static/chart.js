/* The stacked phases of a check, drawn by uPlot from the page's own JSON; colours are those of the style sheet. */
"use strict";
(() => {
  const holder = document.getElementById("chart");
  if (!holder) return;
  const phases = ["dns", "connect", "tls", "first_byte", "transfer"];
  const names = { dns: "DNS", connect: "connect", tls: "TLS", first_byte: "wait", transfer: "transfer" };
  const colour = (name) => {
    const probe = document.createElement("i");
    probe.className = `ink ${name}`;
    holder.append(probe);
    const found = getComputedStyle(probe).fill;
    probe.remove();
    return found;
  };
  const hour = (seconds) => {
    const when = new Date(seconds * 1000).toISOString();
    return when.slice(11, 16) === "00:00" ? when.slice(5, 10) : when.slice(11, 16);
  };
  const took = (seconds) => seconds == null ? "–" : seconds < 0.9995 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(2)} s`;
  const alone = (values) => values.flatMap((value, at) => value != null && values[at - 1] == null && values[at + 1] == null ? [at] : []);
  let plot = null, drawn = null;

  function stacked(points) {
    const columns = [points.map((point) => point.time)];
    const sums = points.map(() => 0);
    for (const phase of phases) columns.push(points.map((point, at) => point.phases ? sums[at] += point.phases[phase] ?? 0 : null));
    return columns;
  }
  function draw() {
    plot?.destroy();
    const grid = { stroke: colour("line"), width: 1 }, text = colour("soft");
    const series = phases.map((phase) => ({
      label: names[phase], stroke: colour(phase), width: 1, fill: colour(phase), points: { show: true, size: 4, fill: colour(phase), filter: (chart, column) => alone(chart.data[column]) },
      value: (_, value, __, index) => index == null ? "–" : took(drawn.points[index].phases?.[phase]),
    }));
    plot = new uPlot({
      width: holder.clientWidth, height: 220, cursor: { y: false, drag: { x: true, y: false } }, legend: { live: true },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      scales: { y: { range: (_, __, most) => [0, (most || 0.1) * 1.08] } },
      axes: [{ stroke: text, grid, ticks: grid, values: (_, ticks) => ticks.map(hour) }, { stroke: text, grid, ticks: grid, size: 62, values: (_, ticks) => ticks.map(took) }],
      bands: phases.slice(1).map((_, at) => ({ series: [at + 2, at + 1] })),
      series: [{ label: "UTC", value: (_, value) => value == null ? "–" : new Date(value * 1000).toISOString().slice(11, 19) }, ...series],
    }, stacked(drawn.points), holder);
  }
  async function load() {
    const answer = await fetch(holder.dataset.src);
    if (!answer.ok) return;
    drawn = await answer.json();
    if (!plot) return draw();
    const { min, max } = plot.scales.x, times = plot.data[0];
    plot.setData(stacked(drawn.points), min <= times[0] && max >= times.at(-1));
  }
  let waiting = 0;
  document.addEventListener("updated", () => { clearTimeout(waiting); waiting = setTimeout(load, 1000); });
  addEventListener("resize", () => drawn && plot.setSize({ width: holder.clientWidth, height: 220 }));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn && draw());
  load();
})();
